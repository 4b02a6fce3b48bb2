import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createStallWatch } from './stallWatch.ts'

const timeouts = { firstTextMs: 1_000, betweenTextMs: 300 }
const never = new AbortController().signal

describe('a stall watch', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('ends an answer without a first sign, and says how long that was', () => {
    const onStall = vi.fn<() => void>()
    const watch = createStallWatch(timeouts, never, onStall)
    vi.advanceTimersByTime(990)
    expect([onStall.mock.calls.length, watch.stalledMs]).toEqual([0, null])
    vi.advanceTimersByTime(20)
    expect([onStall.mock.calls.length, watch.stalledMs]).toEqual([1, 1_000])
    vi.advanceTimersByTime(5_000)
    expect(onStall).toHaveBeenCalledOnce()
  })

  it('waits anew with each sign, for the time between two of them', () => {
    const onStall = vi.fn<() => void>()
    const watch = createStallWatch(timeouts, never, onStall)
    vi.advanceTimersByTime(900)
    for (let signs = 0; signs < 10; signs += 1) {
      watch.progress()
      vi.advanceTimersByTime(290)
    }
    expect(onStall).not.toHaveBeenCalled()
    vi.advanceTimersByTime(20)
    expect([onStall.mock.calls.length, watch.stalledMs]).toEqual([1, 300])
  })

  it('waits longer between two signs than for the first, where that is what is asked', () => {
    const onStall = vi.fn<() => void>()
    const watch = createStallWatch({ firstTextMs: 100, betweenTextMs: 1_000 }, never, onStall)
    vi.advanceTimersByTime(90)
    watch.progress()
    vi.advanceTimersByTime(990)
    expect(onStall).not.toHaveBeenCalled()
    vi.advanceTimersByTime(20)
    expect(watch.stalledMs).toBe(1_000)
  })

  it('closes soon, whatever was allowed before', () => {
    const watch = createStallWatch(timeouts, never)
    watch.progress()
    watch.closing(50)
    vi.advanceTimersByTime(60)
    expect(watch.stalledMs).toBe(50)
  })

  it('says nothing once it is stopped, and leaves no timer', () => {
    const onStall = vi.fn<() => void>()
    const watch = createStallWatch(timeouts, never, onStall)
    watch.progress()
    watch.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(5_000)
    expect([onStall.mock.calls.length, watch.stalledMs]).toEqual([0, null])
  })

  it('gives a signal that silence aborts, and the caller with its own reason', async () => {
    const quiet = createStallWatch(timeouts, never)
    const aborted = once(quiet.signal, 'abort')
    vi.advanceTimersByTime(1_010)
    await aborted
    expect(quiet.signal.aborted).toBe(true)
    const late = createStallWatch(timeouts, never)
    vi.advanceTimersByTime(1_010)
    expect(late.signal.aborted).toBe(true)

    const caller = new AbortController()
    const watch = createStallWatch(timeouts, caller.signal)
    expect(watch.signal.aborted).toBe(false)
    const why = new Error('gone')
    caller.abort(why)
    expect([watch.signal.reason, watch.stalledMs]).toEqual([why, null])
    expect(createStallWatch(timeouts, caller.signal).signal.reason).toBe(why)
  })
})
