// `grpc.health.v1.Health`, for probes without a token. The library remembers every name that anybody has watched: it hears only of
// the services that there are.
import { status, type handleServerStreamingCall, type handleUnaryCall, type Server } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'

interface Asked {
  readonly service: string
}
interface State {
  readonly status: string
}
/** As the library's own types, which know no names of methods, do not say. */
interface Handlers {
  readonly check: handleUnaryCall<Asked, State>
  readonly watch: handleServerStreamingCall<Asked, State>
}

export interface Health {
  addTo(server: Server): void
  /** From now on nothing is served; whoever watches hears it. */
  drain(): void
}

export function createHealth(services: readonly string[]): Health {
  const health = new HealthImplementation(Object.fromEntries(services.map((service) => [service, 'SERVING'])))
  const ofKnown = ({ check, watch }: Handlers): Handlers => ({
    check(call, answer) {
      if (services.includes(call.request.service)) check(call, answer)
      // The library's own words would repeat the name, however long it is.
      else answer({ code: status.NOT_FOUND, details: 'There is no such service here.' })
    },
    watch(call) {
      if (services.includes(call.request.service)) watch(call)
      // And stays open, as the protocol has it, though none is to come.
      else call.write({ status: 'SERVICE_UNKNOWN' })
    }
  })
  return {
    addTo(server) {
      health.addToServer({
        addService: (definition, handlers) => server.addService(definition, { ...handlers, ...ofKnown(handlers as unknown as Handlers) })
      })
    },
    drain() {
      for (const service of services) health.setStatus(service, 'NOT_SERVING')
    }
  }
}
