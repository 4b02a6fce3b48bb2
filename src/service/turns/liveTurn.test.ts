// How often a turn is written: at once for one who reads along, in few batches for one who waits for the whole.
import { describe, expect, it } from 'vitest'
import { aQuestion, collect, fakeClock, never } from '../../../test/fakes/service-parts.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { createBeat } from './beat.ts'
import { createLiveTurn } from './liveTurn.ts'
import type { TurnLog } from './turnLog.ts'
import { createMemoryTurnLog } from './turnLog.memory.ts'

async function turn(isWhole: boolean) {
  const memory = createMemoryTurnLog()
  const batches: (readonly TurnEvent[])[] = []
  const log: TurnLog = {
    ...memory,
    append: (turnId, events) => {
      batches.push(events)
      return memory.append(turnId, events)
    }
  }
  const question = aQuestion()
  const record = { turnId: question.turnId, userId: 'anna', messageId: 'm', question, createdAt: 1 }
  await log.open(record)
  return { batches, live: createLiveTurn(record, { log, clock: fakeClock(), past: [], isWhole, beat: createBeat(() => 16) }) }
}

/** The text of each piece, the type of what is none. */
const textsOf = (batch: readonly TurnEvent[]): readonly string[] => batch.map((event) => (event.type === 'delta' ? event.text : event.type))

const tick = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

describe('a live turn', () => {
  it('is written at once for one who reads along, and then a few times a frame', async () => {
    const { live, batches } = await turn(false)
    live.emit({ type: 'delta', text: 'a' })
    await live.settled()
    expect(batches.map((batch) => batch.length)).toEqual([1])
    live.emit({ type: 'delta', text: 'b' })
    // Long enough for a write that does not wait, and no time at all.
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
    live.emit({ type: 'delta', text: 'c' })
    await live.settled()
    expect(batches.map(textsOf)).toEqual([['a'], ['bc']])
  })

  it('joins pieces that wait together, in order with what is not text, and none to a long one', async () => {
    const { live, batches } = await turn(true)
    const long = 'x'.repeat(10_000)
    for (const text of ['a', 'b', long, 'c', 'd']) live.emit({ type: 'delta', text })
    live.emit({ type: 'citation', n: 1, title: 'T', source: 'S' })
    live.emit({ type: 'delta', text: 'e' })
    live.emit({ type: 'done', messageId: 'm', finish: 'stop' })
    await live.settled()
    expect(batches.map((batch) => batch.map(({ seq }) => seq))).toEqual([[1, 2, 3, 4, 5]])
    expect(batches.map(textsOf)).toEqual([[`ab${long}`, 'cd', 'citation', 'e', 'done']])
  })

  it('is written together for one who waits for the whole', async () => {
    const { live, batches } = await turn(true)
    const heard = collect(live.events({ signal: never }))
    for (const text of ['a', 'b', 'c']) {
      live.emit({ type: 'delta', text })
      await tick()
    }
    live.emit({ type: 'done', messageId: 'm', finish: 'stop' })
    expect((await heard).map(({ seq }) => seq)).toEqual([1, 2])
    expect(batches.map(textsOf)).toEqual([['abc', 'done']])
  })

  it('is begun at once; what leads to the first text comes with it, and the text does not wait', async () => {
    const { live, batches } = await turn(false)
    live.emit({ type: 'accepted', messageId: 'm' })
    await live.settled()
    live.emit({ type: 'status', stage: 'Looking' })
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
    expect(batches.map((batch) => batch.length)).toEqual([1])
    live.emit({ type: 'delta', text: 'a' })
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
    expect(batches.map((batch) => batch.length)).toEqual([1, 2])
  })

  it('is written after a moment when the whole takes its time', async () => {
    const { live, batches } = await turn(true)
    live.emit({ type: 'delta', text: 'a' })
    await live.settled()
    expect(batches).toHaveLength(1)
    live.emit({ type: 'done', messageId: 'm', finish: 'stop' })
    await live.settled()
    expect(batches).toHaveLength(2)
  })
})
