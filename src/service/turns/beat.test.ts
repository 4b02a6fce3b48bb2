// One timer for all who wait; nobody is called twice, or after they left.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBeat, pieceBeatMs } from './beat.ts'

describe('a beat', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('calls all who wait at once, each once, and not who has left', () => {
    const beat = createBeat(() => 16)
    const called: string[] = []
    beat.next(() => called.push('a'))
    vi.advanceTimersByTime(10)
    beat.next(() => called.push('b'))
    const leave = beat.next(() => called.push('c'))
    expect(vi.getTimerCount()).toBe(1)
    leave()
    vi.advanceTimersByTime(5)
    expect(called).toEqual([])
    vi.advanceTimersByTime(1)
    expect(called).toEqual(['a', 'b'])
    vi.advanceTimersByTime(100)
    expect(called).toEqual(['a', 'b'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets who waits again when called wait for the next one', () => {
    const beat = createBeat(() => 16)
    let called = 0
    const listen = (): void => {
      called += 1
      beat.next(listen)
    }
    beat.next(listen)
    vi.advanceTimersByTime(16)
    expect(called).toBe(1)
    vi.advanceTimersByTime(16)
    expect(called).toBe(2)
  })

  it('is one frame for few answers, and at most 80 ms for many', () => {
    expect([0, 1, 8, 20, 40, 1_000].map(pieceBeatMs)).toEqual([16, 16, 16, 40, 80, 80])
  })
})
