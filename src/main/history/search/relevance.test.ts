// How often the search puts the best message first, on a set of labelled searches in many languages. Read the set before
// changing a weight: test/fixtures/search-relevance.json.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answered, newQuestion, newSession, START } from '../../../../test/fakes/historySamples.ts'
import { createCorpus } from '../../../../bench/corpus.ts'
import { openStore } from '../history.sqlite.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore } from '../store.ts'

interface Labelled {
  readonly messages: readonly { readonly id: string; readonly daysAgo: number; readonly role: 'user' | 'assistant'; readonly text: string }[]
  /** `best`: any of these may be first. */
  readonly queries: readonly { readonly typed: string; readonly best: readonly string[] }[]
}

const labelled = JSON.parse(readFileSync(new URL('../../../../test/fixtures/search-relevance.json', import.meta.url), 'utf8')) as Labelled
const DAY_MS = 86_400_000
const OTHER_MESSAGES = 400

let dataDir: string
let store: HistoryStore
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-relevance-'))
  let now = START
  store = openStore({ dataDir, key: new Uint8Array(32).fill(7), clock: { now: () => now } }).store
  store.createSession(newSession('s1'))
  const corpus = createCorpus()
  const others = Array.from({ length: OTHER_MESSAGES }, (_, n) => ({ id: `other${n}`, daysAgo: n, role: 'user' as const, text: corpus.message() }))
  // As they were said: the oldest first.
  const inOrder = [...labelled.messages, ...others].toSorted((a, b) => b.daysAgo - a.daysAgo)
  for (const [n, message] of inOrder.entries()) {
    now = START - message.daysAgo * DAY_MS
    const asked = message.role === 'user'
    store.accept({ question: newQuestion(n, asked ? message.text : 'x'), messageId: asked ? message.id : `asked ${message.id}`, at: now })
    if (!asked) {
      const events = answered(n, message.text)
      store.saveEvents(
        events[0]?.turnId ?? '',
        events.map((event) => ({ ...event, ...('messageId' in event ? { messageId: message.id } : {}) }))
      )
    }
  }
  now = START
})
afterAll(() => {
  store.close()
  rmSync(dataDir, { recursive: true })
})

/** At which place the best one stands, from 1; 0 where it is not among the first 30. */
function placeOf(typed: string, best: readonly string[]): number {
  return runSteps(store.search({ text: typed, limit: 30 })).hits.findIndex((hit) => best.includes(hit.messageId)) + 1
}

describe('the labelled searches', () => {
  it('are many, and of many languages', () => {
    expect(labelled.queries.length).toBeGreaterThanOrEqual(60)
    const known = new Set(labelled.messages.map((message) => message.id))
    for (const { best } of labelled.queries) for (const id of best) expect(known).toContain(id)
  })

  it('find the best message first', () => {
    const places = labelled.queries.map(({ typed, best }) => ({ typed, place: placeOf(typed, best) }))
    const share = (most: number): number => places.filter(({ place }) => place > 0 && place <= most).length / places.length
    const behind = places.filter(({ place }) => place !== 1).map(({ typed, place }) => `${typed}: ${place}`)
    expect({ first: share(1) >= 0.97, firstThree: share(3), behind }).toEqual({
      first: true,
      firstThree: 1,
      behind: []
    })
  })

  it('find the one in which the words belong together behind a hundred newer ones in which they do not', () => {
    for (let n = 0; n < 100; n++) {
      const text = `The gateway was moved, ${'and that was a long story to tell, '.repeat(3)} so NAT came up once more in week ${n}`
      store.accept({ question: newQuestion(5_000 + n, text), messageId: `loose${n}`, at: START })
    }
    expect(placeOf('nat gateway hour', ['nat-cost'])).toBe(1)
    expect(placeOf('nat gateway', ['nat-cost', 'nat-q', 'vpc-endpoint'])).toBe(1)
    expect(placeOf('the nat gateway ', ['vpc-endpoint'])).toBe(1)
  })
})
