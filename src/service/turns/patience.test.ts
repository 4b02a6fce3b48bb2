// A store that is away for a moment interrupts nobody; one that stays away, and a bug, are told.
import { describe, expect, it } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import { createPatience } from './patience.ts'

function setUp(forMs: number) {
  const ending = new AbortController()
  const listeners = new Set<() => void>()
  let now = 0
  const patience = createPatience({
    forMs,
    signal: ending.signal,
    monotonic: () => now,
    onBack(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  })
  const away = (times: number): (() => Promise<string>) => {
    let left = times
    return () => (left-- > 0 ? Promise.reject(new CopilotError('unavailable', 'Away.')) : Promise.resolve('there'))
  }
  return { patience, away, ending, listeners, back: () => listeners.forEach((listener) => listener()), pass: (ms: number) => (now += ms) }
}

describe('patience', () => {
  it('tries again as soon as the store is back, and leaves nobody waiting for it', async () => {
    const { patience, away, back, listeners } = setUp(1_000)
    const done = patience(away(1))
    await expect.poll(() => listeners.size).toBe(1)
    back()
    expect(await done).toBe('there')
    expect(listeners.size).toBe(0)
  })

  it('tries again by itself', async () => {
    const { patience, away } = setUp(60_000)
    expect(await patience(away(2))).toBe('there')
  })

  it('is over after its time, when it is told to end, and at once for what is not an absence', async () => {
    const { patience, away, pass, back, ending, listeners } = setUp(1_000)
    const late = patience(away(9))
    await expect.poll(() => listeners.size).toBe(1)
    pass(1_000)
    back()
    await expect(late).rejects.toMatchObject({ code: 'unavailable' })
    await expect(patience(() => Promise.reject(new RangeError('a bug')))).rejects.toThrow(RangeError)
    const ended = patience(away(9))
    await expect.poll(() => listeners.size).toBe(1)
    ending.abort()
    await expect(ended).rejects.toMatchObject({ code: 'unavailable' })
    expect(listeners.size).toBe(0)
  })
})
