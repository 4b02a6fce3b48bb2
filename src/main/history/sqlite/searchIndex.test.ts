import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answered, newQuestion, newSession, START, turnIdOf } from '../../../../test/fakes/historySamples.ts'
import { anyText } from '../../../../test/fakes/historyText.ts'
import { openReadingStore, openStore } from '../history.sqlite.ts'
import { analyse, words } from '../search/words.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore } from '../store.ts'
import { openConnection } from './connection.ts'
import { roleToken, rowOf, sessionToken } from './searchIndex.ts'

const key = new Uint8Array(32).fill(7)
const clock = { now: () => START }

let dataDir: string
let store: HistoryStore
let reader: HistoryStore
function open(): void {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-index-'))
  store = openStore({ dataDir, key, clock }).store
  reader = openReadingStore({ dataDir, key, clock })
}
function close(): void {
  reader.close()
  store.close()
  rmSync(dataDir, { recursive: true })
}
beforeEach(open)
afterEach(close)

interface Row {
  readonly position: number
  readonly session: number
  readonly role: string
  readonly text: string
  readonly indexed_length: number
}

/** What the index holds, word by word, and what it should hold by the messages that are there. */
function indexAndRows(): { readonly held: string[]; readonly due: string[] } {
  const db = openConnection(join(dataDir, 'history.db'), key, { readonly: true })
  try {
    const rows = db.prepare<[], Row>('SELECT position, session, role, text, indexed_length FROM messages WHERE indexed_length > 0').all()
    const due = rows.flatMap(({ position, session, role, text, indexed_length: length }) => {
      const { tokens, compounds } = analyse(text.slice(0, length))
      const behind = [...compounds].flatMap((compound) => ['·', compound])
      return [...tokens, sessionToken(session), roleToken(role), ...behind].map((term, offset) => `${rowOf(position)} ${offset} ${term}`)
    })
    if (db.prepare('SELECT 1 FROM shards').get() === undefined) return { held: [], due: due.toSorted() }
    db.exec('CREATE VIRTUAL TABLE temp.held USING fts5vocab(main, search_words_0, instance)')
    const held = db.prepare<[], string>("SELECT doc || ' ' || offset || ' ' || term FROM temp.held").pluck().all()
    return { held: held.toSorted(), due: due.toSorted() }
  } finally {
    db.close()
  }
}

function found(text: string): string[] {
  return runSteps(reader.search({ text, limit: 100 })).hits.map((hit) => hit.messageId)
}

const text = fc.oneof(
  anyText(30),
  fc
    .array(fc.constantFrom('cloud', 'costs', 'e-mail', "don't", 'Größe', '予算', 'the', '1,200'), { minLength: 1, maxLength: 5 })
    .map((list) => list.join(' '))
)
type Step = { readonly kind: 'ask' | 'edit' | 'answer' | 'remove' | 'rename'; readonly pick: number; readonly text: string }
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('ask', 'ask', 'ask', 'edit', 'answer', 'remove', 'rename'),
  pick: fc.nat(1_000),
  text: text.filter((one) => one.trim() !== '' && one.isWellFormed())
})

describe('the search index', () => {
  it(
    'holds exactly the words of the messages that are there, whatever was done to them; and so does what a reader remembers',
    { timeout: 60_000 },
    () => {
      let n = 0
      fc.assert(
        fc
          .property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
            const texts = new Map<string, string>()
            const unanswered: number[] = []
            const session = `s${++n}`
            store.createSession(newSession(session))
            for (const { kind, pick, text: next } of steps) {
              const chosen = unanswered[pick % Math.max(1, unanswered.length)]
              if (kind === 'ask') {
                const turn = ++n
                store.accept({ question: newQuestion(turn, next, { sessionId: session }), messageId: `q${turn}`, at: START + turn })
                texts.set(`q${turn}`, next)
                unanswered.push(turn)
              } else if (kind === 'rename') {
                store.updateSession(session, { details: { title: `Renamed ${n}` } }, START)
              } else if (kind === 'remove' && pick % 4 === 0) {
                store.removeSession(session)
                store.createSession(newSession(session))
                texts.clear()
                unanswered.length = 0
              } else if (chosen !== undefined && kind === 'edit') {
                const turn = ++n
                store.editQuestion(`q${chosen}`, { text: next, turnId: turnIdOf(turn), at: START })
                texts.set(`q${chosen}`, next)
                // Asked by another turn from now on: it is only looked at.
                unanswered.splice(unanswered.indexOf(chosen), 1)
              } else if (chosen !== undefined && kind === 'answer') {
                store.saveEvents(turnIdOf(chosen), answered(chosen, next))
                texts.set(`a${chosen}`, next)
                unanswered.splice(unanswered.indexOf(chosen), 1)
              }
              const [id, last] = [...texts].at(-1) ?? []
              if (id === undefined || last === undefined) continue
              const list = words(last)
              // As it is written: one character that is folded to several would be several words when those are typed.
              if (list.length > 0 && words(last.slice(list.start(0), list.end(0))).length > 0)
                expect(found(`${last.slice(list.start(0), list.end(0))} `)).toContain(id)
            }
            for (const [id, kept] of texts) {
              const list = words(kept)
              for (let at = 0; at < list.length; at++) {
                // A lone accent of kana counts as a word in a text, but can't be typed as one.
                if (words(kept.slice(list.start(at), list.end(at))).length === 0) continue
                const { hits } = runSteps(reader.search({ text: `"${kept.slice(list.start(at), list.end(at))}" `, sessionId: session, limit: 100 }))
                expect(hits.map((hit) => hit.messageId)).toContain(id)
              }
            }
            const { held, due } = indexAndRows()
            expect(held).toEqual(due)
            store.removeSession(session)
            expect(found('cloud ')).toEqual([])
          })
          // Nothing is left to the next one, so that a counterexample tells the whole story.
          .afterEach(() => {
            for (const { id } of store.listSessions({ limit: 10 })) store.removeSession(id)
          }),
        { numRuns: 40 }
      )
    }
  )

  it('shows a session by its new name at once', () => {
    store.createSession(newSession('s1', { title: 'Before' }))
    store.accept({ question: newQuestion(1, 'a needle'), messageId: 'q1', at: START })
    expect(runSteps(reader.search({ text: 'needle', limit: 5 })).hits[0]?.sessionTitle).toBe('Before')
    store.updateSession('s1', { details: { title: 'After' } }, START)
    expect(runSteps(reader.search({ text: 'needle', limit: 5 })).hits[0]?.sessionTitle).toBe('After')
  })

  it('finds what was asked in a session after the reader learned where that session is', () => {
    for (const id of ['s1', 's2']) store.createSession(newSession(id))
    store.accept({ question: newQuestion(1, 'needle one'), messageId: 'q1', at: START })
    store.accept({ question: newQuestion(2, 'needle two', { sessionId: 's2' }), messageId: 'q2', at: START })
    const inFirst = (): string[] => runSteps(reader.search({ text: 'needle', sessionId: 's1', limit: 5 })).hits.map((hit) => hit.messageId)
    expect(inFirst()).toEqual(['q1'])
    // The answer takes the place kept for it, in front of the other session's question.
    store.saveEvents(turnIdOf(1), answered(1, 'a needle as the answer'))
    expect(inFirst().toSorted()).toEqual(['a1', 'q1'])
    store.accept({ question: newQuestion(3, 'needle three'), messageId: 'q3', at: START })
    expect(inFirst().toSorted()).toEqual(['a1', 'q1', 'q3'])
  })
})
