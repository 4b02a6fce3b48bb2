// Health over real gRPC: what probes are told, and what a stranger who watches nonsense can make the service keep.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  status,
  type ClientReadableStream,
  type ServiceError
} from '@grpc/grpc-js'
import { service as definition } from 'grpc-health-check'
import { describe, expect, it } from 'vitest'
import { createHealth, type Health } from './health.ts'

interface State {
  readonly status: string
}
interface Probe {
  check(asked: { service: string }, answer: (error: ServiceError | null, state?: State) => void): void
  watch(asked: { service: string }): ClientReadableStream<State>
  close(): void
}

async function serve(): Promise<{ readonly probe: Probe; readonly health: Health } & AsyncDisposable> {
  const server = new Server()
  const health = createHealth(['', 'ai.AICopilot'])
  health.addTo(server)
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)))
  )
  const Client = makeGenericClientConstructor(definition as never, 'grpc.health.v1.Health')
  const probe = new Client(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as Probe
  return {
    probe,
    health,
    async [Symbol.asyncDispose]() {
      probe.close()
      server.forceShutdown()
      await Promise.resolve()
    }
  }
}

const check = (probe: Probe, service: string): Promise<string> =>
  new Promise((resolve) =>
    probe.check({ service }, (error, state) => resolve(error === null ? String(state?.status) : `${error.code} ${error.details}`))
  )

/** The next thing that a watch says. */
const next = (call: ClientReadableStream<State>): Promise<string> =>
  new Promise((resolve) => call.once('data', ({ status: state }: State) => resolve(state)))

/** Resolves when the service has forgotten it, too: its end has come back. */
const cancelled = (call: ClientReadableStream<State>): Promise<void> =>
  new Promise((resolve) => {
    call.once('error', () => resolve())
    call.cancel()
  })

describe('health', () => {
  it('tells what is served, and that it no longer is to whoever watches', async () => {
    await using here = await serve()
    expect(await check(here.probe, '')).toBe('SERVING')
    const watch = here.probe.watch({ service: 'ai.AICopilot' })
    expect(await next(watch)).toBe('SERVING')
    const news = next(watch)
    here.health.drain()
    expect(await news).toBe('NOT_SERVING')
    expect(await check(here.probe, 'ai.AICopilot')).toBe('NOT_SERVING')
    await cancelled(watch)
  })

  it('knows no other services, and repeats no name', async () => {
    await using here = await serve()
    expect(await check(here.probe, 'x'.repeat(200_000))).toBe(`${status.NOT_FOUND} There is no such service here.`)
    const watch = here.probe.watch({ service: '__proto__' })
    expect(await next(watch)).toBe('SERVICE_UNKNOWN')
    await cancelled(watch)
  })

  it('keeps nothing of the names that strangers have watched', async () => {
    await using here = await serve()
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const watchMany = async (from: number): Promise<number> => {
      for (let index = from; index < from + 150; index += 1) {
        const watch = here.probe.watch({ service: `${index} `.padEnd(200_000, 'x') })
        expect(await next(watch)).toBe('SERVICE_UNKNOWN')
        await cancelled(watch)
      }
      collect()
      return process.memoryUsage().heapUsed
    }
    const warm = await watchMany(0)
    // 30 MB of names.
    expect((await watchMany(1_000)) - warm).toBeLessThan(10_000_000)
  })
})
