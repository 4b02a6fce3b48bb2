// The end of a turn is one write where all is in one store: its cost, what was said, its last events, or none of them.
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { orchestra, scripted, stop, text, used } from '../../../test/fakes/service-orchestra.ts'
import { aQuestion, collect, fakeClock, keptLog, never, tempStore } from '../../../test/fakes/service-parts.ts'
import { createAgentGraph } from '../agent/graph.ts'
import { createSqliteConversation } from '../agent/conversation.sqlite.ts'
import { createSqliteLedger } from '../cost/ledger.sqlite.ts'
import { readPriceBook } from '../cost/priceBook.ts'
import { createSqliteKnowledge } from '../knowledge/knowledge.sqlite.ts'
import { createBond } from '../store/bond.ts'
import { createBroker } from './broker.ts'
import { createSqliteTurnLog } from './turnLog.sqlite.ts'

const anna = { userId: 'anna', role: 'user', expiresAt: null }
const good = [text('Good '), text('answer.'), used(10, 5), stop]
const unused = () => Promise.reject(new Error('no input came from elsewhere'))

async function setUp() {
  const temp = await tempStore()
  const { database, writer } = temp.store
  const clock = fakeClock()
  const log = createSqliteTurnLog(temp.store)
  const ledger = createSqliteLedger(temp.store)
  const { orchestrator } = orchestra({ providers: [scripted('a', [good, good])], ledger, clock })
  const agent = createAgentGraph({
    conversation: createSqliteConversation(temp.store),
    knowledge: createSqliteKnowledge(temp.store),
    priceBook: await readPriceBook('test/fixtures/pricing'),
    orchestrator,
    audit: { record: () => Promise.resolve() },
    clock,
    inputs: { collect: unused, decide: unused, commit: unused }
  })
  const broker = createBroker({ log, agent, clock, newId: uuidv7, logger: keptLog(), bonds: createBond })
  const books = database
    .prepare(
      `SELECT (SELECT count(*) FROM cost_attempt WHERE settled_at IS NOT NULL), (SELECT count(*) FROM message WHERE role = 'assistant'),
         (SELECT count(*) FROM turn WHERE ended_at IS NOT NULL)`
    )
    .raw()
  return {
    database,
    writer,
    log,
    /** Settled attempts, answers kept, turns ended. */
    books: () => books.get(),
    ask: (question: ReturnType<typeof aQuestion>) => collect(broker.ask(anna, question, { signal: never })),
    [Symbol.asyncDispose]: async () => {
      await broker.stop(1_000)
      await temp[Symbol.asyncDispose]()
    }
  }
}

describe('the end of a turn in one store', () => {
  it('is one commit of its cost, its message and its last events', async () => {
    await using house = await setUp()
    const commits = new Set<string>()
    house.writer.join({ begin: () => undefined, end: () => void commits.add(JSON.stringify(house.books())) })
    const events = await house.ask(aQuestion())
    expect(events.at(-1)).toMatchObject({ type: 'done', finish: 'stop' })
    expect(events.at(-2)).toMatchObject({ type: 'usage', inputTokens: 10, outputTokens: 5 })
    expect([...commits]).toEqual(['[0,0,0]', '[1,1,1]'])
  })

  it.each([
    ['its cost', 'BEFORE UPDATE ON cost_attempt'],
    ['what was said', "BEFORE INSERT ON message WHEN new.role = 'assistant'"],
    ['its last events', 'BEFORE INSERT ON turn_events WHEN new.events LIKE \'%"done"%\'']
  ])('does not come when %s can’t be written, and comes when it is asked for again', async (_what, when) => {
    await using house = await setUp()
    const question = aQuestion()
    house.database.exec(`CREATE TRIGGER refused ${when} BEGIN SELECT raise(ABORT, 'refused'); END`)
    await expect(house.ask(question)).rejects.toMatchObject({ code: 'internal' })
    expect(house.books()).toEqual([0, 0, 0])
    expect(await house.log.find(question.turnId)).toMatchObject({ ended: false })
    house.database.exec('DROP TRIGGER refused')
    const events = await house.ask(question)
    expect(events.at(-1)).toMatchObject({ type: 'done', finish: 'stop' })
    expect(events.map((event) => (event.type === 'delta' ? event.text : '')).join('')).toBe('Good answer.')
    expect(house.books()).toEqual([1, 1, 1])
  })
})
