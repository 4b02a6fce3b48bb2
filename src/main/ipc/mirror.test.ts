// Windows see numbered deltas, at most one push a frame.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Push } from '../../shared/bridge.ts'
import { numbered } from '../../../test/fakes/arbitraries.ts'
import { createMirror } from './mirror.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const delta = (text: string, seq: number) => ({
  slice: 'turn' as const,
  sessionId: 's',
  messageId: 'm',
  events: numbered('t', [{ type: 'delta', text }]).map((e) => ({ ...e, seq }))
})

describe('mirror', () => {
  it('joins what happens within a frame into one push and counts without gaps', () => {
    const mirror = createMirror()
    const got: Push[] = []
    mirror.subscribe('main', (push) => got.push(push))
    for (let i = 1; i <= 50; i++) mirror.publish(delta('x', i))
    vi.advanceTimersByTime(16)
    mirror.publish(delta('y', 51))
    mirror.publish({ slice: 'waiting', count: 1 })
    mirror.publish({ slice: 'waiting', count: 2 })
    vi.advanceTimersByTime(16)
    expect(got.map((p) => p.seq)).toEqual([1, 2])
    expect(got[0]?.deltas).toHaveLength(1)
    expect(got[0]?.deltas[0]).toMatchObject({ slice: 'turn', events: { length: 50 } })
    expect(got[1]?.deltas).toEqual([delta('y', 51), { slice: 'waiting', count: 2 }])
  })
  it('starts a subscriber after what was flushed, so that its snapshot has the rest', () => {
    const mirror = createMirror()
    mirror.publish({ slice: 'waiting', count: 1 })
    const got: Push[] = []
    mirror.subscribe('main', (push) => got.push(push))
    expect(mirror.flush()).toBe(1)
    mirror.publish({ slice: 'waiting', count: 2 })
    vi.advanceTimersByTime(16)
    expect(got).toEqual([{ seq: 2, deltas: [{ slice: 'waiting', count: 2 }] }])
  })
  it('sends a command to windows of its kind only, and keeps the count everywhere', () => {
    const mirror = createMirror()
    const main: Push[] = []
    const overlay: Push[] = []
    mirror.subscribe('main', (push) => main.push(push))
    mirror.subscribe('overlay', (push) => overlay.push(push))
    mirror.publish({ slice: 'command', command: 'search' }, 'main')
    vi.advanceTimersByTime(16)
    expect(main).toEqual([{ seq: 1, deltas: [{ slice: 'command', command: 'search' }] }])
    expect(overlay).toEqual([{ seq: 1, deltas: [] }])
  })
  it('sends nothing to one that has gone', () => {
    const mirror = createMirror()
    const got: Push[] = []
    mirror.subscribe('main', (push) => got.push(push))()
    mirror.publish({ slice: 'waiting', count: 1 })
    vi.advanceTimersByTime(16)
    expect(got).toEqual([])
  })
})
