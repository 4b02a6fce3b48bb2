// Who follows a turn of another process hears what is in the log, all of it and nothing else, until its end.
import { describe, expect, it } from 'vitest'
import { numbered } from '../../../test/fakes/arbitraries.ts'
import { aQuestion, collect, never } from '../../../test/fakes/service-parts.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { follow } from './follow.ts'
import { createMemoryTurnLog } from './turnLog.memory.ts'

async function setUp() {
  const log = createMemoryTurnLog()
  const question = aQuestion()
  const record = { turnId: question.turnId, userId: 'anna', messageId: 'm', question, createdAt: 1 }
  await log.open(record)
  const events = numbered(record.turnId, [
    { type: 'accepted', messageId: 'm' },
    { type: 'delta', text: 'a' },
    { type: 'done', messageId: 'm', finish: 'stop' }
  ])
  const bells = new Set<() => void>()
  const stopping = new AbortController()
  const watch = (_turnId: string, bell: () => void) => {
    bells.add(bell)
    return () => bells.delete(bell)
  }
  const say = async (...some: TurnEvent[]): Promise<void> => {
    await log.append(record.turnId, some)
    for (const bell of bells) bell()
  }
  const listen = (afterSeq = 0, signal = never) => follow(record, { signal, afterSeq }, { log, watch, stopping: stopping.signal })
  return { log, record, events, bells, stopping, say, listen }
}

describe('following a turn', () => {
  it('tells what was there and what comes, each once, and then watches no more', async () => {
    const { events, say, listen, bells } = await setUp()
    await say(events[0]!)
    const [all, rest] = [collect(listen()), collect(listen(1))]
    await expect.poll(() => bells.size).toBe(2)
    await say(events[1]!)
    // A call without news changes nothing.
    for (const bell of bells) bell()
    await say(events[2]!)
    expect(await all).toEqual(events)
    expect(await rest).toEqual(events.slice(1))
    expect(bells.size).toBe(0)
    expect(await collect(listen(3))).toEqual([])
  })

  it('ends with what happened: the listener left, the process stops, the turn is forgotten', async () => {
    const { log, listen, bells, stopping } = await setUp()
    const leaving = new AbortController()
    const left = collect(listen(0, leaving.signal))
    const forgotten = collect(listen())
    forgotten.catch(() => undefined)
    await expect.poll(() => bells.size).toBe(2)
    leaving.abort()
    await expect(left).rejects.toMatchObject({ code: 'cancelled' })
    await log.prune(2)
    for (const bell of bells) bell()
    await expect(forgotten).rejects.toMatchObject({ code: 'not_found' })
    stopping.abort()
    await expect(collect(listen())).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 })
    expect(bells.size).toBe(0)
  })
})
