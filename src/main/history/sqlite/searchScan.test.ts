import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newQuestion, newSession, START } from '../../../../test/fakes/historySamples.ts'
import { openStore } from '../history.sqlite.ts'
import { parseSearch } from '../search/query.ts'
import { matches } from '../search/rank.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore } from '../store.ts'

let dataDir: string
let store: HistoryStore
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-scan-'))
  store = openStore({ dataDir, key: new Uint8Array(32).fill(7), clock: { now: () => START } }).store
  store.createSession(newSession('s1'))
  store.createSession(newSession('s2', { clientName: 'Globex' }))
})
afterEach(() => {
  store.close()
  rmSync(dataDir, { recursive: true })
})

const word = fc.constantFrom(
  'the',
  'of',
  'and',
  'a',
  'cloud',
  'clouds',
  'cost',
  'costs',
  'policy',
  'policies',
  'gateway',
  'gate',
  'Größe',
  '予算',
  '東京',
  'c5.xlarge'
)
const phrase = fc.array(word, { minLength: 1, maxLength: 4 }).map((list) => list.join(' '))
const typed = fc
  .array(
    fc.oneof(
      word,
      phrase.map((text) => `"${text}"`),
      word.map((text) => text.slice(0, 3))
    ),
    { minLength: 1, maxLength: 4 }
  )
  .chain((parts) => fc.constantFrom('', ' ').map((end) => parts.join(' ') + end))

describe('a search', () => {
  it('finds exactly the messages that a look at every text finds', { timeout: 60_000 }, () => {
    let n = 0
    fc.assert(
      fc.property(
        fc.array(phrase, { minLength: 1, maxLength: 8 }),
        fc.array(typed, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        (texts, queries, other) => {
          for (const text of texts) {
            n += 1
            const sessionId = n % 3 === 0 ? 's2' : 's1'
            store.accept({ question: newQuestion(n, text, { sessionId }), messageId: `q${n}`, at: START + n })
          }
          const kept = Array.from({ length: n }, (_, index) => store.message(`q${index + 1}`)).filter((message) => message !== null)
          for (const text of queries) {
            const clauses = parseSearch(text)
            const scope = other ? { clientName: 'Globex' } : {}
            const expected = kept
              .filter((message) => matches(message.text, clauses) && (!other || message.sessionId === 's2'))
              .map((message) => message.id)
            const newest = expected.toReversed().slice(0, 200)
            const { hits } = runSteps(store.search({ text, limit: 100, ...scope }))
            // Ranked within the 200 newest matches: with fewer, the sets are the same.
            const found = hits.map((hit) => hit.messageId)
            expect(newest).toEqual(expect.arrayContaining(found))
            expect(found).toHaveLength(Math.min(100, newest.length))
          }
        }
      ),
      { numRuns: 80 }
    )
  })

  it('lets others in while it looks far, and can be given up in between', () => {
    for (let n = 1; n <= 800; n++) {
      store.accept({ question: newQuestion(n, `${'the cost of the cloud '.repeat(200)} ${n}`), messageId: `q${n}`, at: START + n })
    }
    // Every message holds all its pairs, none the phrase: every text has to be looked at.
    const steps = store.search({ text: '"the cost of the cost" ', limit: 10 })
    let pauses = 0
    for (let step = steps.next(); step.done !== true; step = steps.next()) pauses += 1
    expect(pauses).toBeGreaterThan(0)

    const abandoned = store.search({ text: '"the cost of the cost" ', limit: 10 })
    expect(abandoned.next().done).toBe(false)
    abandoned.return({ hits: [], more: false, tookMs: 0 })
    // The connection is free again: no read was left open.
    store.accept({ question: newQuestion(801, 'afterwards'), messageId: 'q801', at: START })
    expect(runSteps(store.search({ text: 'afterwards', limit: 5 })).hits).toHaveLength(1)
  })
})
