// The turn log's contract on every adapter, and what only a durable one promises.
import { describe, expect, it } from 'vitest'
import { createMemoryTurnLog } from '../../src/service/turns/turnLog.memory.ts'
import { createSqliteTurnLog } from '../../src/service/turns/turnLog.sqlite.ts'
import { numbered } from '../fakes/arbitraries.ts'
import { aQuestion, tempStore } from '../fakes/service-parts.ts'
import { turnLogContract } from './turn-log.ts'

describe('turn log in memory', () => {
  turnLogContract(async () => ({ log: createMemoryTurnLog(), [Symbol.asyncDispose]: () => Promise.resolve() }))
})

describe('turn log in SQLite', () => {
  turnLogContract(async () => {
    const temp = await tempStore()
    return { log: createSqliteTurnLog(temp.store), [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
  })

  it('still has everything after the store was closed and opened again', async () => {
    await using temp = await tempStore()
    const question = aQuestion()
    const events = numbered(question.turnId, [
      { type: 'accepted', messageId: 'm' },
      { type: 'delta', text: 'half an ans' }
    ])
    const log = createSqliteTurnLog(temp.store)
    await log.open({ turnId: question.turnId, userId: 'anna', messageId: 'm', question, createdAt: 5 })
    await log.append(question.turnId, events)
    const again = createSqliteTurnLog(await temp.reopen())
    expect(await again.read(question.turnId, 0)).toEqual(events)
    expect(await again.unfinished()).toMatchObject([{ turnId: question.turnId, lastSeq: 2, hasText: true, ended: false }])
  })
})
