// The backoff's promises, for any attempt and any luck.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoffMs', () => {
  it('never waits less than was asked for, nor more than that and the cap', () => {
    fc.assert(
      fc.property(fc.nat(10_000), unit, fc.nat(100_000), (attempt, luck, retryAfterMs) => {
        const wait = backoffMs(attempt, () => luck, { baseMs: 250, capMs: 30_000, retryAfterMs })
        expect(wait).toBeGreaterThanOrEqual(retryAfterMs)
        expect(wait).toBeLessThanOrEqual(retryAfterMs + 30_000)
        expect(Number.isInteger(wait)).toBe(true)
      })
    )
  })
  it('doubles its reach with each attempt until the cap, and spreads over all of it', () => {
    const reach = (attempt: number): number => backoffMs(attempt, () => 0.999_999, { baseMs: 100, capMs: 1_000 })
    expect([1, 2, 3, 4, 5, 99].map(reach)).toEqual([99, 199, 399, 799, 999, 999])
    expect(backoffMs(5, () => 0, { baseMs: 100, capMs: 1_000 })).toBe(0)
  })
})
