// The contracts of what must last, on each database, and what only several services on one database can get wrong.
import { describe, expect, it } from 'vitest'
import { openPostgresOutbox } from '../../src/service/actions/outbox.postgres.ts'
import { createPostgresWorklist } from '../../src/service/actions/worklist.postgres.ts'
import { createPostgresConversation } from '../../src/service/agent/conversation.postgres.ts'
import { runDueTasks } from '../../src/service/agent/dueTasks.ts'
import { createPostgresLedger } from '../../src/service/cost/ledger.postgres.ts'
import { createPostgresDecisions, createPostgresMessageModels } from '../../src/service/decisions/decisions.postgres.ts'
import { createPostgresExternalEvents } from '../../src/service/events/externalEvents.postgres.ts'
import { createPostgresDocuments } from '../../src/service/knowledge/documents.postgres.ts'
import { followKnowledge } from '../../src/service/knowledge/knowledge.postgres.ts'
import { createPostgresAccounts, createPostgresOverrides } from '../../src/service/limits/limits.postgres.ts'
import {
  createPostgresForgetting,
  createPostgresPersonalStores,
  impersonalTables,
  registeredTables
} from '../../src/service/person/person.postgres.ts'
import { createPostgresSchedule } from '../../src/service/schedule/schedule.postgres.ts'
import { createPostgresSessions } from '../../src/service/sessions/sessions.postgres.ts'
import { openEmbeddedStores } from '../../src/service/stores/embedded.sqlite.ts'
import type { Stores } from '../../src/service/stores/stores.ts'
import type { Postgres } from '../../src/service/store/postgres.ts'
import { anAction, anInput, anOutput } from '../fakes/action-target.ts'
import { fakeClock, never, tempFolder } from '../fakes/service-parts.ts'
import { usePostgres } from '../fakes/service-postgres.ts'
import { agentStoresContract, anEvent, aTask } from './agentStores.ts'
import { aModel, decisionsContract } from './decisions.ts'
import { aDocument, aReread, documentsContract } from './documents.ts'
import { personContract } from './person.ts'
import { anAnswer, aPending, aSession, sessionsContract } from './sessions.ts'

async function embedded(): Promise<Stores & AsyncDisposable & { readonly path: string }> {
  const folder = await tempFolder()
  const stores = await openEmbeddedStores({ dataDir: folder.path, clock: fakeClock(), newId: () => crypto.randomUUID(), openMeaning: () => null })
  return {
    ...stores,
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await stores.stop()
      await folder[Symbol.asyncDispose]()
    }
  }
}

describe('in SQLite:', () => {
  describe('chat sessions', () => {
    sessionsContract(embedded)
  })
  agentStoresContract(embedded)
  describe('documents', () => {
    documentsContract(embedded)
  })
})

const parts = async (postgres: Postgres) => ({
  sessions: createPostgresSessions(postgres),
  conversation: createPostgresConversation(postgres),
  events: createPostgresExternalEvents(postgres),
  schedule: createPostgresSchedule(postgres),
  worklist: createPostgresWorklist(postgres),
  outbox: await openPostgresOutbox(postgres),
  accounts: createPostgresAccounts(postgres),
  overrides: createPostgresOverrides(postgres),
  models: createPostgresMessageModels(postgres),
  decisions: createPostgresDecisions(postgres),
  ledger: createPostgresLedger(postgres),
  documents: createPostgresDocuments(postgres),
  personal: [{ name: 'turns', read: async () => [], erase: async () => 0 }, ...createPostgresPersonalStores(postgres, () => crypto.randomUUID())],
  forgetting: createPostgresForgetting(postgres)
})

const PUBLIC_TABLES = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"

describe('in PostgreSQL:', () => {
  const { shared } = usePostgres()
  const open = async () => {
    const database = await shared()
    const { postgres } = database
    const everything = async (): Promise<string> => {
      const tables = await postgres.rows<{ name: string }>(PUBLIC_TABLES)
      return JSON.stringify(await Promise.all(tables.map(({ name }) => postgres.rows(`SELECT * FROM ${name}`))))
    }
    return { ...(await parts(postgres)), everything, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
  }
  describe('chat sessions', () => {
    sessionsContract(open)
  })
  agentStoresContract(open)
  describe('decisions', () => {
    decisionsContract(open)
  })

  describe('documents', () => {
    documentsContract(open)
  })
  describe('a person’s data', () => {
    personContract(open)

    it('is registered for every table, so that none is forgotten', async () => {
      await using database = await shared()
      const tables = (await database.postgres.rows<{ name: string }>(PUBLIC_TABLES)).map(({ name }) => name)
      const known = new Set([...registeredTables(), ...Object.keys(impersonalTables)])
      expect(tables.filter((name) => !known.has(name))).toEqual([])
      expect([...known].filter((name) => !tables.includes(name))).toEqual([])
    })
  })

  /** Two services on one database. */
  const two = async () => {
    const database = await shared()
    const both = [await parts(database.postgres), await parts(await database.join('two'))] as const
    return { database, one: both[0], other: both[1], both, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
  }
  const key = { userId: 'anna', kind: 'consultant', sessionId: 's1' } as const

  describe('two services', () => {
    it('keep one message of an id, and answer it once', async () => {
      await using house = await two()
      await house.one.sessions.create(aSession())
      const kept = await Promise.all(
        Array.from({ length: 20 }, (_, n) => house.both[n % 2 === 0 ? 0 : 1].sessions.keep(aPending('m1', { content: `${n}` })))
      )
      expect(new Set(kept.map(({ content }) => content)).size).toBe(1)
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) => house.both[n % 2 === 0 ? 0 : 1].sessions.answer(anAnswer('m1', { messageId: `a${n}` })))
      )
      expect(answers.filter(Boolean)).toHaveLength(1)
      expect(await house.one.sessions.history(key, { limit: 99 })).toHaveLength(2)
    })

    it('ask a message once, the one that keeps it, and take it over when that has died, not before', async () => {
      await using house = await two()
      await house.one.sessions.create(aSession())
      for (const id of ['m1', 'm2']) await house.one.sessions.keep(aPending(id))
      const claim = (messageId: string) => house.other.sessions.claim({ ...key, messageId })
      expect([await claim('m1'), await claim('m2')]).toEqual(['wait', 'wait'])
      expect(await house.other.sessions.orphans()).toEqual([])
      expect(await house.one.sessions.claim({ ...key, messageId: 'm1' })).toBe('mine')
      await house.database.silence('one')
      expect((await house.other.sessions.orphans()).map(({ messageId }) => messageId)).toEqual(['m1', 'm2'])
      expect([await claim('m2'), await claim('m1')]).toEqual(['wait', 'mine'])
      // It was only slow, and finds that another has it now.
      await house.database.postgres.probe()
      expect(await house.one.sessions.claim({ ...key, messageId: 'm1' })).toBe('wait')
      expect(await house.other.sessions.answer(anAnswer('m1'))).toBe(true)
      expect(await house.one.sessions.answer(anAnswer('m1', { messageId: 'too late' }))).toBe(false)
      expect(await house.one.sessions.claim({ ...key, messageId: 'm1' })).toBe('over')
    })

    it('give up what they hold when they are told to stop', async () => {
      await using house = await two()
      const third = await house.database.join('three')
      const { sessions, worklist } = await parts(third)
      await sessions.create(aSession())
      await sessions.keep(aPending('m1'))
      await worklist.accept(anInput(), 5)
      expect(await worklist.waiting(9, 9)).toHaveLength(1)
      expect([await house.one.worklist.waiting(9, 9), await house.one.sessions.orphans()]).toEqual([[], []])
      await third.stop()
      expect(await house.one.worklist.waiting(9, 9)).toHaveLength(1)
      expect(await house.one.sessions.claim({ ...key, messageId: 'm1' })).toBe('mine')
    })

    it('decide an input once, however they race, and lease each action to one of them', async () => {
      await using house = await two()
      const ids = Array.from({ length: 30 }, (_, n) => `i${n}`)
      for (const id of ids) await house.one.worklist.accept(anInput({ id }), 5)
      const given = await Promise.all([0, 1, 0, 1].map((n) => house.both[n === 0 ? 0 : 1].worklist.waiting(9, 10)))
      const [ofOne, ofOther] = [0, 1].map(
        (n) => new Set(given.filter((_, index) => index % 2 === n).flatMap((items) => items.map(({ input }) => input.id)))
      )
      expect([...(ofOne ?? [])].filter((id) => ofOther?.has(id))).toEqual([])
      const decided = await Promise.all(
        ids.flatMap((id) =>
          house.both.map(({ worklist }) => worklist.decided(anOutput({ inputId: id, actions: [anAction({ id: `a of ${id}` })] }), 7))
        )
      )
      expect(decided.filter(Boolean)).toHaveLength(30)
      const leased = await Promise.all(
        Array.from({ length: 8 }, (_, n) => house.both[n % 2 === 0 ? 0 : 1].outbox.lease(100, { leaseMs: 1_000, limit: 7 }))
      )
      const taken = leased.flat().map(({ action }) => action.id)
      expect(taken).toHaveLength(30)
      expect(new Set(taken).size).toBe(30)
    })

    it('lease again what a dead one had leased, and what this one had before it died', async () => {
      await using house = await two()
      await house.one.worklist.accept(anInput(), 5)
      await house.one.worklist.decided(anOutput({ actions: [anAction()] }), 7)
      const lease = { leaseMs: 1_000_000, limit: 9 }
      expect(await house.one.outbox.lease(100, lease)).toHaveLength(1)
      expect(await house.other.outbox.lease(100, lease)).toHaveLength(0)
      await house.database.silence('one')
      expect(await house.other.outbox.lease(100, lease)).toMatchObject([{ attempts: 2 }])
      await openPostgresOutbox(house.database.postgres)
      expect(await house.one.outbox.lease(100, lease)).toEqual([])
      const reborn = await openPostgresOutbox(await house.database.join('two'))
      expect(await reborn.lease(100, lease)).toMatchObject([{ attempts: 3 }])
    })

    it('make one input of a due task and of an event', async () => {
      await using house = await two()
      await house.one.schedule.add(aTask())
      await Promise.all(
        Array.from({ length: 6 }, (_, n) => runDueTasks(house.both[n % 2 === 0 ? 0 : 1].schedule, house.both[n % 2 === 0 ? 0 : 1].worklist, 1_200))
      )
      expect(await house.other.schedule.inspect('t1')).toMatchObject({ runs: 1 })
      expect(await house.database.postgres.rows('SELECT input_id FROM agent_input')).toEqual([{ input_id: 'schedule:t1:1000' }])
      const received = await Promise.all(
        Array.from({ length: 10 }, (_, n) => house.both[n % 2 === 0 ? 0 : 1].events.receive(anEvent('1', { eventId: `e${n}` })))
      )
      expect(received.filter(({ isNew }) => isNew)).toHaveLength(1)
      expect(new Set(received.map(({ eventId }) => eventId)).size).toBe(1)
    })

    it('find what either has read, each in an index of its own that follows, and no longer what was removed', async () => {
      await using house = await two()
      const own = await embedded()
      const hashes = async () => new Map((await own.documents.list('north')).map(({ id, hash }) => [id, hash]))
      const faults: unknown[] = []
      let changes = 0
      const following = followKnowledge({
        postgres: house.database.postgres,
        own: { ...own, hashes, onChanged: () => (changes += 1) },
        clock: fakeClock(),
        onFault: (error) => faults.push(error)
      })
      const scope = { organisation: 'north', client: 'Northwind' }
      const find = async () => (await following.find({ text: 'zeppelin hangar', scope }, never)).passages.map(({ text }) => text)
      await house.one.documents.expect(aDocument('a'))
      await house.one.documents.replace('a', aReread(2, 'The zeppelin hangar'), never)
      await following.follow()
      expect((await find()).toSorted()).toEqual(['The zeppelin hangar 0 \u0000', 'The zeppelin hangar 1 \u0000'])
      // Two read the same file at the same moment: one whole reading stays.
      await Promise.all(house.both.map(({ documents }, n) => documents.replace('a', aReread(30 + n, `A zeppelin hangar by ${n}`), never)))
      await following.follow()
      const found = await house.other.documents.get('a')
      expect((await find()).every((text) => text.startsWith(`A zeppelin hangar by ${(found?.passages ?? 0) - 30}`))).toBe(true)
      await house.other.documents.remove('a')
      await house.other.documents.expect(aDocument('b', { name: 'a.md' }))
      await house.other.documents.replace('b', aReread(1, 'The last zeppelin hangar'), never)
      await following.follow()
      expect(await find()).toEqual(['The last zeppelin hangar 0 \u0000'])
      expect(faults).toEqual([])
      expect(changes).toBeGreaterThanOrEqual(3)
      await following.stop()
      await own[Symbol.asyncDispose]()
    })

    it('keep one version of a message model, and count every use', async () => {
      await using house = await two()
      const put = await Promise.allSettled([0, 1].map((n) => house.both[n === 0 ? 0 : 1].models.put(aModel({ template: `${n}` }))))
      expect(put.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      await Promise.all(Array.from({ length: 20 }, (_, n) => house.both[n % 2 === 0 ? 0 : 1].models.used('invoice.remind', 1, n)))
      expect(await house.one.models.get('invoice.remind', 1)).toMatchObject({ usageCount: 20, lastUsed: 19 })
    })
  })
})
