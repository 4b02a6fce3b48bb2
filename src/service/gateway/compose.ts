// The doors of the service put together: what is counted and limited at each, how they open, and how they close.
import type { Server } from 'node:http'
import type { ServiceConfig } from '../config.ts'
import type { Limits } from '../limits/limits.ts'
import type { Logger } from '../logging.ts'
import type { Dialect } from '../metrics/metrics.ts'
import type { Readiness } from '../readiness.ts'
import type { Resources } from '../resources.ts'
import type { Desk } from '../sessions/desk.ts'
import type { TurnBroker } from '../turns/broker.ts'
import { consultantChat } from './consultantChat.ts'
import { openGrpcDoor } from './copilot.grpc.ts'
import { erpFrames } from './erpFrames.ts'
import type { FrameDialect } from './frames.ts'
import type { Door, GatewayParts } from './gateway.ts'
import { limited } from './limited.ts'
import { measured } from './measured.ts'
import { reflectionFrom } from './reflection.ts'
import { openHttpDoor } from './rest.fastify.ts'
import { attachSockets } from './sockets.socketio.ts'
import { attachWebSockets } from './webSockets.ws.ts'

export interface Doors {
  readonly grpc: Door
  readonly http: Door
}

interface DoorOptions {
  readonly config: ServiceConfig
  readonly resources: Resources | null
  readonly limits: Limits
}

/** Throws `CopilotError` when a port can't be bound; nothing is open then. */
export async function openDoors(all: GatewayParts, { config, resources, limits }: DoorOptions): Promise<Doors> {
  const at = (dialect: Dialect): GatewayParts => {
    const meter = all.metrics.at(dialect)
    const channel = dialect === 'grpc' || dialect === 'rest' ? 'request' : 'socket'
    return { ...all, meter, broker: measured(limited(all.broker, limits, channel), meter, all.logger) }
  }
  const { host, grpcPort, httpPort } = config
  const addReflection = resources === null ? null : reflectionFrom(resources.proto)
  const grpc = await openGrpcDoor(at('grpc'), { host, port: grpcPort, addReflection })
  try {
    const http = await openHttpDoor(at('rest'), { host, port: httpPort, attach: (server) => attachAll(server, at) })
    return { grpc, http }
  } catch (error) {
    await grpc.close()
    throw error
  }
}

/** What speaks frames over plain WebSockets, each at its path. */
export function frameDialects(at: (dialect: Dialect) => GatewayParts): readonly FrameDialect[] {
  return [erpFrames(at('erp')), consultantChat(at('consultant'))]
}

function attachAll(server: Server, at: (dialect: Dialect) => GatewayParts): () => Promise<void> {
  const ends = [attachSockets(server, at('socketio')), attachWebSockets(server, at('erp'), frameDialects(at))]
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}

interface Draining {
  readonly broker: TurnBroker
  readonly desk: Desk
  readonly readiness: Readiness
  readonly drainMs: number
  readonly logger: Logger
}

/** Lets answers end, then closes; what lies below the doors is the caller's to stop. */
export async function closeDoors(doors: Doors, { broker, desk, readiness, drainMs, logger }: Draining): Promise<void> {
  // Whoever shares out questions hears it at once; then they stop coming here.
  readiness.drain()
  doors.grpc.drain()
  doors.http.drain()
  logger.info({ liveTurns: broker.liveTurns, drainMs }, 'service.draining')
  // First the turns, so that their last events still reach who listens; then the doors.
  await broker.stop(drainMs)
  await desk.stop()
  await Promise.all([doors.grpc.close(), doors.http.close()])
}
