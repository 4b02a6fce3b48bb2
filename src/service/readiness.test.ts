// Ready means that a question would be taken: every check holds, and nobody has asked the process to go.
import { describe, expect, it } from 'vitest'
import { fakeClock, tempStore } from '../../test/fakes/service-parts.ts'
import { createReadiness, type Check } from './readiness.ts'

function setUp(checks: Record<string, Check>) {
  const clock = fakeClock(0)
  const told: string[] = []
  return { clock, told, readiness: createReadiness({ checks, clock, onFailed: (name) => void told.push(name) }) }
}

describe('readiness', () => {
  it('is the sum of its checks, and says which one fails', async () => {
    let isWell = true
    const { readiness, clock, told } = setUp({
      store: async () => undefined,
      providers: async () => {
        if (!isWell) throw new Error('nobody')
      }
    })
    expect(await readiness.report()).toEqual({ ready: true, isDraining: false, checks: { store: 'ok', providers: 'ok' } })
    isWell = false
    clock.set(1_000)
    expect(await readiness.report()).toEqual({ ready: false, isDraining: false, checks: { store: 'ok', providers: 'failed' } })
    clock.set(2_000)
    await readiness.report()
    expect(told).toEqual(['providers'])
    isWell = true
    clock.set(3_000)
    expect((await readiness.report()).ready).toBe(true)
  })

  it('ends at once when the process is to go, whatever was found a moment ago', async () => {
    const { readiness } = setUp({ store: async () => undefined })
    expect((await readiness.report()).ready).toBe(true)
    readiness.drain()
    expect(await readiness.report()).toMatchObject({ ready: false, isDraining: true })
  })

  it('looks once a second, however often it is asked', async () => {
    let looks = 0
    const { readiness, clock } = setUp({ store: async () => void (looks += 1) })
    await Promise.all([readiness.report(), readiness.report(), readiness.report()])
    clock.set(999)
    await readiness.report()
    expect(looks).toBe(1)
    clock.set(1_000)
    await readiness.report()
    expect(looks).toBe(2)
  })

  it('does not wait for a disk that hangs', async () => {
    const { readiness } = setUp({ store: () => new Promise(() => undefined) })
    expect(await readiness.report()).toMatchObject({ ready: false, checks: { store: 'failed' } })
  })

  it('writes to the store to know that it can be written', async () => {
    await using kept = await tempStore()
    await expect(kept.store.probe()).resolves.toBeUndefined()
    const before = kept.store.database.pragma('user_version', { simple: true })
    kept.store.database.pragma('query_only = ON')
    await expect(kept.store.probe()).rejects.toMatchObject({ code: 'unavailable' })
    kept.store.database.pragma('query_only = OFF')
    expect(kept.store.database.pragma('user_version', { simple: true })).toBe(before)
  })
})
