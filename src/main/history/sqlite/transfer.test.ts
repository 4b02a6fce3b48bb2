// Any history, taken out and brought into another, is the same history: the second export has the bytes of the first.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { arbitraryTurn } from '../../../../test/fakes/arbitraries.ts'
import { answered, handClock, newQuestion, newSession, START, turnIdOf } from '../../../../test/fakes/historySamples.ts'
import { importLines, exportLines, recordsOf } from '../../../../test/fakes/historyTransfer.ts'
import type { Session } from '../../../shared/domain.ts'
import { quickActions, type TurnEvent } from '../../../shared/turn.ts'
import type { BulkHistory } from '../bulk.ts'
import { openStore } from '../history.sqlite.ts'
import { packRecords } from '../records.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore } from '../store.ts'

let folder = ''
let stores: HistoryStore[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aside-roundtrip-'))
})
afterEach(() => {
  closeAll()
  rmSync(folder, { recursive: true })
})
function closeAll(): void {
  for (const store of stores) store.close()
  stores = []
}

let opened = 0
const clock = handClock()
function open(name = `store${(opened += 1)}`): HistoryStore {
  const { store } = openStore({ dataDir: join(folder, name), key: new Uint8Array(32).fill(9), clock })
  stores.push(store)
  return store
}
/** The port over a store in this thread. */
function portOf(store: HistoryStore): BulkHistory {
  return {
    exportPage: async (request) => store.exportPage(request),
    exportSize: async (scope) => store.exportSize(scope),
    knownSessions: async (ids) => store.knownSessions(ids),
    beginImport: async () => runSteps(store.beginImport()),
    importRecords: async (records) => runSteps(store.importRecords(records)),
    finishImport: async () => store.finishImport(),
    dropImport: async () => runSteps(store.dropImport()),
    indexImported: async () => runSteps(store.indexImported())
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('\ud800', 'a\u0000b', '\u202egnp.exe', '"}],', '\u2028\u2029', '\ufeff', '__proto__', '<script>', '👩‍👩‍👧‍👦', '\r\n', 'ﷺ', 'e\u0301')
)
const title = text.map((one) => one.slice(0, 100).toWellFormed())
const at = fc.integer({ min: 0, max: 253_402_300_799_999 })
const key = fc.string({ minLength: 1, maxLength: 9 }).filter((name) => name !== '__proto__')
const session = fc.record({
  title,
  clientName: title,
  notes: title,
  projectContext: title,
  serviceTypes: fc.array(title, { maxLength: 3 }),
  cloudProviders: fc.array(title, { maxLength: 2 }),
  customFields: fc.dictionary(key, title, { maxKeys: 3, noNullPrototype: true }),
  pinned: fc.boolean(),
  status: fc.constantFrom('active' as const, 'archived' as const),
  createdAt: at,
  updatedAt: at,
  lastActivityAt: at,
  expiresAt: fc.option(at)
})
/** What happens to a question: how much of its turn arrives, and whether it is given up or asked in other words. */
const question = fc.record({
  text: text.filter((one) => one !== ''),
  in: fc.nat(2),
  at,
  quickAction: fc.option(fc.constantFrom(...quickActions), { nil: undefined }),
  context: fc.dictionary(key, title, { maxKeys: 2, noNullPrototype: true }),
  arrives: fc.nat(40),
  end: fc.constantFrom('nothing', 'cancel', 'fail', 'edit')
})
type Asked = typeof question extends fc.Arbitrary<infer T> ? T : never

function tell(store: HistoryStore, n: number, asked: Asked, events: readonly TurnEvent[], sessions: number): void {
  const turnId = turnIdOf(n)
  const { quickAction, context, at: acceptedAt } = asked
  store.accept({
    question: { ...newQuestion(n, asked.text, { sessionId: `s${asked.in % sessions}`, context }), ...(quickAction ? { quickAction } : {}) },
    messageId: `q${n}`,
    at: acceptedAt
  })
  // Each answer has a name of its own, as services give them.
  const named = events
    .slice(0, asked.arrives)
    .map((event) => (event.type === 'accepted' || event.type === 'done' ? { ...event, messageId: `a${n}` } : event))
  if (named.length > 0) store.saveEvents(turnId, named)
  const state = store.outboxRow(turnId)?.state
  if (state === 'settled' || asked.end === 'nothing') return
  if (asked.end === 'cancel') store.changeOutbox(turnId, { state: 'cancelled' })
  else store.changeOutbox(turnId, { state: 'failed', error: { details: { b: '2', a: '1' }, code: 'refused', message: asked.text } })
  if (asked.end === 'edit') store.editQuestion(`q${n}`, { text: `${asked.text}?`, turnId: turnIdOf(1_000 + n), at: acceptedAt })
}

/** What a person sees of a session, but for what an export ends: what waited, and what was being answered. */
function seen(store: HistoryStore, sessionId: string): unknown {
  const { messages } = store.page({ sessionId, limit: 500 })
  return {
    session: store.session(sessionId),
    messages: messages.map(({ position: _position, delivery, answer, ...rest }) => ({
      ...rest,
      delivery: delivery && { ...delivery, state: delivery.state === 'waiting' ? 'cancelled' : delivery.state, needsConfirmation: false },
      answer: answer && { ...answer, state: answer.state === 'answering' ? 'cancelled' : answer.state }
    }))
  }
}

it('makes the same bytes again, for any sessions, questions, answers and ends', { timeout: 60_000 }, async () => {
  const asked = fc.array(
    question.chain((one) => arbitraryTurn('x').map((events) => ({ ...one, events }))),
    { maxLength: 8 }
  )
  await fc.assert(
    fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 3 }), asked, async (sessions, questions) => {
      const [first, second] = [open(), open()]
      for (const [n, details] of sessions.entries()) first.createSession(newSession(`s${n}`, details as Partial<Session>))
      for (const [n, one] of questions.entries())
        tell(
          first,
          n,
          one,
          one.events.map((event) => ({ ...event, turnId: turnIdOf(n) })),
          sessions.length
        )
      const lines = await exportLines(portOf(first))
      const counts = await importLines(portOf(second), lines, 3)
      expect(await exportLines(portOf(second))).toEqual(lines)
      expect(counts.sessions).toBe(sessions.length)
      for (const n of sessions.keys()) expect(seen(second, `s${n}`)).toEqual(seen(first, `s${n}`))
      expect(await importLines(portOf(second), lines)).toEqual({ sessions: 0, messages: 0 })
      expect(await exportLines(portOf(second))).toEqual(lines)
      closeAll()
    }),
    { numRuns: 25 }
  )
})

it('keeps the positions of live questions and imported ones apart', () => {
  const store = open()
  store.createSession(newSession('s1'))
  const [session] = recordsOf([JSON.stringify({ ...sessionRecord('x1') })])
  runSteps(store.beginImport())
  store.accept({ question: newQuestion(1, 'Live'), messageId: 'q1', at: START })
  runSteps(store.importRecords(packRecords([...(session ? [session] : []), imported('i1', 'user'), imported('i2', 'user')])))
  store.accept({ question: newQuestion(2, 'Live too'), messageId: 'q2', at: START })
  runSteps(store.importRecords(packRecords([imported('i3', 'assistant')])))
  store.saveEvents(turnIdOf(1), answered(1, 'Answer one'))
  store.saveEvents(turnIdOf(2), answered(2, 'Answer two'))
  expect(store.finishImport()).toEqual({ sessions: 1, messages: 3 })
  const ids = (sessionId: string): string =>
    store
      .page({ sessionId, limit: 10 })
      .messages.map(({ id }) => id)
      .join(' ')
  expect([ids('s1'), ids('x1')]).toEqual(['q1 a1 q2 a2', 'i1 i2 i3'])
})

it('gives a message or turn whose id another session has a name of its own, the same each time', async () => {
  const [first, second] = [open(), open()]
  const lines = ['s1', 's2'].flatMap((id) => [
    JSON.stringify(sessionRecord(id)),
    JSON.stringify({ ...imported('same', 'user'), createdAt: '2026-01-15T09:00:00.000Z' })
  ])
  expect(await importLines(portOf(first), lines)).toEqual({ sessions: 2, messages: 2 })
  await importLines(portOf(second), lines)
  const messages = recordsOf(await exportLines(portOf(first))).flatMap((record) => (record.kind === 'message' ? [record.id] : []))
  expect(new Set(messages).size).toBe(2)
  expect(await exportLines(portOf(second))).toEqual(await exportLines(portOf(first)))
})

it('goes on at the next start with what was left to remove and to index', async () => {
  const store = open('again')
  await importLines(portOf(store), [
    JSON.stringify(sessionRecord('kept')),
    JSON.stringify({ ...imported('k1', 'user'), createdAt: '2026-01-15T09:00:00.000Z' })
  ])
  runSteps(store.beginImport())
  runSteps(
    store.importRecords(
      packRecords(recordsOf([JSON.stringify(sessionRecord('gone'))]).concat(Array.from({ length: 500 }, (_, n) => imported(`g${n}`, 'user'))))
    )
  )
  closeAll()
  const after = open('again')
  while (after.tend());
  expect(after.message('g1')).toBeNull()
  expect(after.message('k1')?.text).toBe('Text of k1')
  expect(after.exportSize({})).toBe(1)
})

function sessionRecord(id: string): object {
  const { messageCount: _count, ...own } = newSession(id)
  const time = new Date(START).toISOString()
  return { kind: 'session', ...own, createdAt: time, updatedAt: time, lastActivityAt: time }
}
function imported(id: string, role: 'user' | 'assistant') {
  return { kind: 'message' as const, id, turnId: null, role, createdAt: START, quickAction: null, delivery: null, text: `Text of ${id}` }
}
