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
import { compactStore, createSqlitePersonalStores, unfinishedTurnsOf } from './person.sqlite.ts'

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
      if (turn.question.text.includes('forever'))
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      return 'stop'
    }
  }
  const broker = createBroker({ log: createSqliteTurnLog(store), agent, clock, newId: () => crypto.randomUUID(), logger: keptLog() })
  const audited: AuditEvent[] = []
  const person = createPerson({
    stores: createSqlitePersonalStores(store),
    audit: { record: async (event) => void audited.push(event) },
    stopTurns: async (userId) => {
      for (const turnId of unfinishedTurnsOf(store, userId)) await broker.cancel({ userId, role: 'user', expiresAt: null }, turnId)
    },
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
    expect(head).toEqual({ format: 'aside-person', version: 1, userId: 'anna', stores: ['turns', 'messages', 'inputs', 'decisions', 'tasks'] })
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
    expect(await house.person.erase('anna', 'admin')).toEqual({ turns: 2, messages: 2, inputs: 0, decisions: 0, tasks: 0 })
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
