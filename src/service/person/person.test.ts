// What is kept of somebody comes out whole, and is gone after erasure: from the rows, and from the bytes of the files.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { aDecision } from '../../../test/contracts/decisions.ts'
import { anAction, anInput, anOutput } from '../../../test/fakes/action-target.ts'
import { aQuestion, fakeClock, keptLog, never, tempFolder } from '../../../test/fakes/service-parts.ts'
import type { Agent } from '../agent/agent.ts'
import { createSqliteConversation } from '../agent/conversation.sqlite.ts'
import type { AuditEvent } from '../audit/audit.ts'
import { openStore } from '../store/store.ts'
import { createBroker } from '../turns/broker.ts'
import { createSqliteWorklist } from '../actions/worklist.sqlite.ts'
import { createSqliteDecisions } from '../decisions/decisions.sqlite.ts'
import { createSqliteTurnLog } from '../turns/turnLog.sqlite.ts'
import { createPerson } from './person.ts'
import { compactStore, createSqlitePersonalStores, impersonalTables, registeredTables } from './person.sqlite.ts'
import { createRetention } from './retention.ts'
import { createSqliteForgetting } from './retention.sqlite.ts'

const anna = { userId: 'anna', role: 'user', expiresAt: null }
const bob = { userId: 'bob', role: 'user', expiresAt: null }

async function setUp() {
  const folder = await tempFolder()
  const clock = fakeClock()
  const store = await openStore({ dataDir: folder.path, clock })
  const conversation = createSqliteConversation(store)
  const agent: Agent = {
    receive: ({ userId, turnId, question }) =>
      conversation.save({ userId, sessionId: question.sessionId, turnId, role: 'user', text: question.text, createdAt: 1 }),
    async answer(turn, { signal, emit }) {
      emit({ type: 'delta', text: `Said to ${turn.userId}.` })
      if (!turn.question.text.includes('forever')) return 'stop'
      try {
        return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      } finally {
        // As the real one does: what was read is written down, a while after it was stopped.
        await new Promise((resolve) => setTimeout(resolve, 20))
        const { userId, turnId, question } = turn
        await conversation.save({ userId, sessionId: question.sessionId, turnId, role: 'assistant', text: 'A late word.', createdAt: 2 })
      }
    }
  }
  const broker = createBroker({ log: createSqliteTurnLog(store), agent, clock, newId: () => crypto.randomUUID(), logger: keptLog() })
  const audited: AuditEvent[] = []
  const person = createPerson({
    stores: createSqlitePersonalStores(store, () => crypto.randomUUID()),
    audit: { record: async (event) => void audited.push(event) },
    stopTurns: (userId) => broker.endAllOf(userId),
    compact: () => compactStore(store)
  })
  const ask = async (caller: typeof anna, text: string): Promise<string> => {
    let said = ''
    for await (const event of broker.ask(caller, aQuestion({ text }), { signal: never })) if (event.type === 'delta') said += event.text
    return said
  }
  const lines = async (userId: string): Promise<Record<string, unknown>[]> => {
    const all: Record<string, unknown>[] = []
    for await (const line of person.export(userId, userId)) all.push(JSON.parse(line) as Record<string, unknown>)
    return all
  }
  return {
    person, broker, store, ask, lines, audited, folder,
    async [Symbol.asyncDispose]() {
      await broker.stop(0)
      store.stop()
      await folder[Symbol.asyncDispose]()
    }
  } // prettier-ignore
}

describe('person', () => {
  it('takes out everything of one person and nothing of another', async () => {
    await using house = await setUp()
    await house.ask(anna, 'What does Contoso pay?')
    await house.ask(bob, 'What does Fabrikam pay?')
    const [head, ...rest] = await house.lines('anna')
    expect(head).toEqual({
      format: 'aside-person',
      version: 1,
      userId: 'anna',
      stores: [
        'turns',
        'messages',
        'chatMessages',
        'chatSessions',
        'costs',
        'account',
        'overrides',
        'inputs',
        'reviews',
        'decisions',
        'tasks',
        'documents'
      ]
    })
    expect(rest).toMatchObject([
      { store: 'turns', value: { question: { text: 'What does Contoso pay?' } } },
      { store: 'messages', value: { role: 'user', text: 'What does Contoso pay?' } }
    ])
    expect(JSON.stringify(rest)).toContain('Said to anna.')
    expect(JSON.stringify(rest)).not.toContain('Fabrikam')
  })

  it('erases everything, also what is being answered, and leaves others alone', async () => {
    await using house = await setUp()
    await house.ask(anna, 'What does Contoso pay?')
    await house.ask(bob, 'What does Fabrikam pay?')
    const endless = house.ask(anna, 'Talk forever')
    await expect.poll(() => house.broker.liveTurns).toBe(1)
    expect(await house.person.erase('anna', 'admin')).toMatchObject({ turns: 2, messages: 3 })
    await expect(endless).resolves.toBe('Said to anna.')
    expect(await house.lines('anna')).toHaveLength(1)
    expect(await house.lines('bob')).toHaveLength(3)
    expect(house.audited[0]).toMatchObject({ actor: 'admin', action: 'person.erased', subject: expect.stringMatching(/^sha256:[0-9a-f]{32}$/) })
    expect(JSON.stringify(house.audited[0])).not.toContain('anna')
  })

  it('leaves no word in any page, also not in free ones', async () => {
    await using house = await setUp()
    for (let index = 0; index < 50; index += 1) await house.ask(anna, `What does Contoso-${index} pay? ${'x'.repeat(2_000)}`)
    const holds = (): boolean => {
      house.store.database.pragma('wal_checkpoint(TRUNCATE)')
      // Every page decrypted, the free ones too.
      return house.store.database.serialize().includes('Contoso-')
    }
    expect(holds()).toBe(true)
    await house.person.erase('anna', 'anna')
    expect(holds()).toBe(false)
    expect((await readFile(join(house.folder.path, 'service.sqlite-wal'))).length).toBe(0)
  })

  it('takes out and erases what the agent was told and decided for a person, with its search index', async () => {
    await using house = await setUp()
    const list = createSqliteWorklist(house.store)
    const content = { text: 'Contosozilla is overdue', data: {}, metadata: {} }
    for (const userId of ['anna', 'bob']) {
      await list.accept(anInput({ id: userId, userId, content: userId === 'anna' ? content : { ...content, text: 'Another' } }), 1)
      await list.decided(anOutput({ id: `${userId}:out`, inputId: userId, actions: [anAction({ id: `${userId}:a` })] }), 2)
    }
    await createSqliteDecisions(house.store).put(aDecision({ summary: 'Contosozilla is overdue' }))
    const [, ...rest] = await house.lines('anna')
    expect(rest).toMatchObject([
      { store: 'inputs', value: { input: { content }, output: { inputId: 'anna' }, actions: [{ id: 'anna:a' }] } },
      { store: 'decisions', value: { record: { decisionCode: 'invoice.remind' } } }
    ])
    expect(await house.person.erase('anna', 'anna')).toMatchObject({ inputs: 1, decisions: 1 })
    expect(house.store.database.serialize().toString('latin1').toLowerCase()).not.toContain('contosozilla')
    expect(house.store.database.prepare('SELECT action_id FROM agent_action').pluck().all()).toEqual(['bob:a'])
  })
})

/** One row for every table that names users; each text holds the user's id where the schema has one. */
function fillEveryTable({ database }: Awaited<ReturnType<typeof openStore>>, userId: string): void {
  for (const sql of [
    `INSERT INTO turn (turn_id, user_id, session_id, message_id, question, created_at, ended_at) VALUES (@id, @userId, 's', 'm', '{"text":"q"}', 1, 2)`,
    `INSERT INTO turn_events VALUES (@id, 1, 1, '[{"type":"done"}]')`,
    `INSERT INTO message (user_id, session_id, turn_id, role, text, created_at) VALUES (@userId, 's', @id, 'user', 'q', 1)`,
    `INSERT INTO chat_session VALUES (@userId, 'consultant', @id, 'Northwind', '"c"', NULL, '{}', 1, 1)`,
    `INSERT INTO chat_message (user_id, kind, session_id, message_id, role, content, created_at, state, details)
      VALUES (@userId, 'consultant', @id, @id, 'user', 'q', 1, 'answered', '{}')`,
    `INSERT INTO cost_attempt (attempt_id, turn_id, user_id, organisation, client, provider, model, at, month, predicted_micros, predicted_input_tokens,
      settled_at, outcome, cost_micros) VALUES (@id, @id, @userId, 'org', '', 'p', 'm', 1, '2026-11', 5, 1, 2, 'answered', 17)`,
    `INSERT INTO cost_attempt (attempt_id, turn_id, user_id, organisation, client, provider, model, at, month, predicted_micros, predicted_input_tokens,
      settled_at, outcome, cost_micros) VALUES (@id || '-own', @id, @userId, 'user:' || @userId, '', 'p', 'm', 1, '2026-11', 5, 1, 2, 'answered', 4)`,
    `INSERT INTO cost_month VALUES ('user:' || @userId, '', '2026-11', 4, 0)`,
    `INSERT INTO account VALUES (@userId, 'org')`,
    `INSERT INTO limit_override VALUES (@id, 1, @userId, 'Board meeting')`,
    `INSERT INTO limit_override VALUES ('user:' || @userId, 1, 'boss', 'Board meeting')`,
    // Who names no organisation has documents of their own.
    `INSERT INTO knowledge_shelf (organisation, client) VALUES ('user:' || @userId, 'northwind')`,
    `INSERT INTO document (document_id, shelf_id, client_name, name, origin, size_bytes, modified_at, added_at, state, as_of)
      VALUES (@id, last_insert_rowid(), 'Northwind', 'a.md', 'upload', 1, 1, 1, 'ready', '2026-11-01')`,
    `INSERT INTO document_passage (document_id, ordinal, heading, body, place) VALUES (@id, 1, 'h', 'said in ' || @id, '')`,
    `INSERT INTO past_decision (id, business_id, user_id, decided_at, summary, record) VALUES (@id, 'b', @userId, 1, 's', '{}')`,
    `INSERT INTO agent_input (input_id, source, business_id, user_id, input, received_at, state) VALUES (@id, 'api', 'b', @userId, '{}', 1, 'settled')`,
    `INSERT INTO agent_input (input_id, source, business_id, input, received_at, state, reviewer) VALUES (@id || '-r', 'api', 'b', '{}', 1, 'approved', @userId)`,
    `INSERT INTO scheduled_task (task_id, business_id, user_id, task, state, created_at) VALUES (@id, 'b', @userId, '{}', 'active', 1)`
  ])
    database.prepare(sql).run({ userId, id: `id-of-${userId}` })
}

describe('the schema', () => {
  it('has no table that nobody has thought of', async () => {
    await using house = await setUp()
    const tables = house.store.database
      .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'`)
      .pluck()
      .all()
      // What a full-text index keeps its words in.
      .filter((name) => !/^(?:passage|decision)_index_/.test(name))
    expect(tables.length).toBeGreaterThan(10)
    const known = new Set([...registeredTables(), ...Object.keys(impersonalTables)])
    expect(tables.filter((name) => !known.has(name))).toEqual([])
    // And no column of a table that is said to keep nothing of users looks like one that does.
    const columns = (table: string): string[] =>
      house.store.database.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table)
    const suspicious = Object.keys(impersonalTables).flatMap((table) =>
      columns(table)
        .filter((column) => /user|owner|person|actor|author|granted|caller|asked_by/.test(column))
        .map((column) => `${table}.${column}`)
    )
    expect(suspicious).toEqual([])
  })

  it('holds nobody in any column of any table after their erasure, and others as they were', async () => {
    await using house = await setUp()
    fillEveryTable(house.store, 'user-anna')
    fillEveryTable(house.store, 'user-bob')
    const { database } = house.store
    const tables = [...registeredTables()]
    const rowsWith = (name: string): string[] =>
      tables.filter((table) => JSON.stringify(database.prepare(`SELECT * FROM ${table}`).all()).includes(name))
    expect(rowsWith('user-anna').toSorted()).toEqual(tables.toSorted())
    await house.person.erase('user-anna', 'admin')
    // What is left of anna are the made-up ids of this test, in rows that are kept without her.
    const left = tables.flatMap((table) => database.prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`).all()).flatMap(Object.values)
    expect(left.filter((value) => value === 'user-anna' || value === 'user:user-anna')).toEqual([])
    expect(rowsWith('user-bob').toSorted()).toEqual(tables.toSorted())
    expect(await house.lines('user-anna')).toHaveLength(1)
  })

  it('keeps the books exact and without the name when somebody is erased', async () => {
    await using house = await setUp()
    fillEveryTable(house.store, 'user-anna')
    await house.person.erase('user-anna', 'admin')
    const { database } = house.store
    const rows = database.prepare<[], { user_id: string; cost_micros: number }>('SELECT user_id, organisation, cost_micros FROM cost_attempt').all()
    const nobody: unknown = expect.stringMatching(/^erased:/)
    expect(rows).toEqual([
      { user_id: nobody, organisation: 'org', cost_micros: 17 },
      { user_id: nobody, organisation: nobody, cost_micros: 4 }
    ])
    // The sums of who was an organisation of their own are those of their attempts.
    expect(database.prepare('SELECT organisation, spent_micros FROM cost_month').all()).toEqual([
      { organisation: (rows[1] as { organisation?: string } | undefined)?.organisation, spent_micros: 4 }
    ])
  })
})

describe('retention', () => {
  const DAY = 86_400_000

  it('forgets what is older than its days, tells the audit log how much, and leaves what waits for an answer', async () => {
    await using house = await setUp()
    fillEveryTable(house.store, 'old')
    const { database } = house.store
    database.exec(`INSERT INTO external_event VALUES ('crm', 'a', 'e1', 't', 'b', 1, 2), ('crm', 'b', 'e2', 't', 'b', 1, NULL)`)
    fillEveryTable(house.store, 'waiting')
    database.exec(`UPDATE scheduled_task SET state = 'finished', last_at = 1 WHERE user_id = 'old'`)
    database.exec(
      `UPDATE chat_message SET state = 'pending' WHERE user_id = 'waiting'; UPDATE message SET created_at = ${29 * DAY} WHERE user_id = 'waiting'`
    )
    const clock = fakeClock(30 * DAY + 2)
    const audit = { record: async (event: AuditEvent) => void house.audited.push(event) }
    const retention = createRetention({ store: createSqliteForgetting(house.store), audit, clock, days: 30 })
    expect(await retention.prune()).toEqual({ messages: 1, chatSessions: 1, externalEvents: 1, inputs: 4, decisions: 2, tasks: 1 })
    expect(database.prepare('SELECT user_id FROM chat_session').pluck().all()).toEqual(['waiting'])
    expect(database.prepare('SELECT event_id FROM external_event').pluck().all()).toEqual(['e2'])
    expect(database.prepare('SELECT user_id FROM scheduled_task').pluck().all()).toEqual(['waiting'])
    expect(database.prepare('SELECT count(*) FROM cost_attempt').pluck().get()).toBe(4)
    expect(house.audited).toEqual([
      {
        actor: 'service',
        action: 'retention.pruned',
        subject: '30 days',
        details: { messages: 1, chatSessions: 1, externalEvents: 1, inputs: 4, decisions: 2, tasks: 1 }
      }
    ])
    expect(await retention.prune()).toEqual({ messages: 0, chatSessions: 0, externalEvents: 0, inputs: 0, decisions: 0, tasks: 0 })
    expect(house.audited).toHaveLength(1)
  })

  it('forgets what the agent was told with its actions, and decisions with their words; never what is not done with', async () => {
    await using house = await setUp()
    const { database } = house.store
    const list = createSqliteWorklist(house.store)
    const accept = (id: string) => list.accept(anInput({ id, userId: 'anna' }), 1)
    for (const id of ['settled', 'untold', 'busy', 'waiting', 'held']) await accept(id)
    for (const id of ['settled', 'untold', 'busy', 'held']) {
      await list.decided(anOutput({ id: `${id}:out`, inputId: id, requiresHumanReview: id === 'held', actions: [anAction({ id: `${id}:a` })] }), 2)
      if (id !== 'untold') await list.told(id, 3)
    }
    database.exec("UPDATE agent_action SET state = 'done' WHERE input_id <> 'busy' AND state = 'ready'")
    await createSqliteDecisions(house.store).put(aDecision({ summary: 'Contosozilla is overdue', decidedAt: 1 }))
    const audit = { record: () => Promise.resolve() }
    const forgotten: number[] = []
    const elsewhere = { decisions: (before: number) => Promise.resolve(forgotten.push(before)) }
    const retention = createRetention({ store: createSqliteForgetting(house.store), audit, clock: fakeClock(31 * DAY), days: 30, elsewhere })
    expect(await retention.prune()).toMatchObject({ inputs: 1, decisions: 2 })
    expect(forgotten).toEqual([DAY])
    expect(database.prepare('SELECT input_id FROM agent_input ORDER BY input_id').pluck().all()).toEqual(['busy', 'held', 'untold', 'waiting'])
    expect(database.prepare('SELECT count(*) FROM agent_action').pluck().get()).toBe(3)
    expect(database.prepare("SELECT count(*) FROM decision_index WHERE decision_index MATCH 'contosozilla'").pluck().get()).toBe(0)
  })

  it('keeps everything when it is told to', async () => {
    await using house = await setUp()
    fillEveryTable(house.store, 'old')
    const audit = { record: () => Promise.reject(new Error('not to be called')) }
    const retention = createRetention({ store: createSqliteForgetting(house.store), audit, clock: fakeClock(900 * DAY), days: 0 })
    expect(await retention.prune()).toEqual({})
    expect(house.store.database.prepare('SELECT count(*) FROM message').pluck().get()).toBe(1)
  })
})
