// The embedded service is kept running.
import { describe, expect, it } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import { silentLog } from '../log.ts'
import type { ServiceDoors, ServiceHost } from './host.ts'
import { createKeeper } from './keeper.ts'

interface FakeProcess {
  readonly env: Readonly<Record<string, string>>
  readonly come: () => void
  readonly crash: () => void
  readonly refuse: (message: string) => void
}

function fakeHost(): ServiceHost & { readonly started: FakeProcess[]; readonly nextStart: () => Promise<FakeProcess> } {
  const started: FakeProcess[] = []
  let announce: ((child: FakeProcess) => void) | null = null
  return {
    started,
    nextStart: () =>
      new Promise((resolve) => {
        announce = resolve
      }),
    start(env) {
      const doors = Promise.withResolvers<ServiceDoors>()
      const gone = Promise.withResolvers<void>()
      doors.promise.catch(() => undefined)
      const nth = started.length + 1
      const child: FakeProcess = {
        env,
        come: () => doors.resolve({ grpc: `127.0.0.1:5000${nth}`, http: `127.0.0.1:6000${nth}` }),
        crash: () => gone.resolve(),
        refuse: (message) => {
          doors.reject(new CopilotError('unavailable', message))
          gone.resolve()
        }
      }
      started.push(child)
      announce?.(child)
      return { ready: doors.promise, exited: gone.promise, stop: async () => gone.resolve() }
    }
  }
}

const keep = (host: ServiceHost, onReady: (doors: ServiceDoors) => void = () => undefined) =>
  createKeeper({ host, env: async () => ({ ASIDE_LAUNCH_TOKEN: 'x' }), random: () => 0, log: silentLog, onReady })

describe('keeper', () => {
  it('starts it once for all who ask, on free ports', async () => {
    const host = fakeHost()
    const keeper = keep(host)
    const first = host.nextStart()
    const both = Promise.all([keeper.doors(), keeper.doors()])
    ;(await first).come()
    const doors = { grpc: '127.0.0.1:50001', http: '127.0.0.1:60001' }
    expect(await both).toEqual([doors, doors])
    expect(host.started.map((p) => p.env)).toEqual([{ ASIDE_LAUNCH_TOKEN: 'x', PORT: '0', AI_SERVICE_PORT: '0' }])
    await keeper.stop()
  })

  it('starts it again on free ports after a crash, and tells where it is now', async () => {
    const host = fakeHost()
    const seen: string[] = []
    const again = Promise.withResolvers<void>()
    const keeper = keep(host, ({ grpc }) => {
      if (seen.push(grpc) === 2) again.resolve()
    })
    const first = host.nextStart()
    const doors = keeper.doors()
    ;(await first).come()
    await doors
    const second = host.nextStart()
    host.started[0]?.crash()
    const child = await second
    expect(child.env).toMatchObject({ PORT: '0', AI_SERVICE_PORT: '0' })
    child.come()
    await again.promise
    expect(seen).toEqual(['127.0.0.1:50001', '127.0.0.1:50002'])
    expect((await keeper.doors()).grpc).toBe('127.0.0.1:50002')
    await keeper.stop()
  })

  it('passes on why it could not start', async () => {
    const host = fakeHost()
    const keeper = keep(host)
    const first = host.nextStart()
    const doors = keeper.doors()
    ;(await first).refuse('The disk is full.')
    await expect(doors).rejects.toMatchObject({ code: 'unavailable', message: 'The disk is full.' })
    await keeper.stop()
  })

  it('starts it with fresh settings on request, once', async () => {
    const host = fakeHost()
    const keeper = keep(host)
    const first = host.nextStart()
    const doors = keeper.doors()
    ;(await first).come()
    await doors
    const second = host.nextStart()
    const restarted = keeper.restart()
    ;(await second).come()
    await restarted
    expect(host.started).toHaveLength(2)
    await keeper.stop()
  })
})
