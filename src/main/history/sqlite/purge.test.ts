import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { plainBytes } from '../../../../test/fakes/historyPlain.ts'
import { answered, newQuestion, newSession, START, turnIdOf } from '../../../../test/fakes/historySamples.ts'
import { openStore } from '../history.sqlite.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore } from '../store.ts'

// Decrypts the whole file several times; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 30_000 })

const key = new Uint8Array(32).fill(7)
let dataDir: string
let store: HistoryStore
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-purge-'))
  store = openStore({ dataDir, key, clock: { now: () => START } }).store
})
afterEach(() => {
  store.close()
  rmSync(dataDir, { recursive: true })
})

const file = (): string => join(dataDir, 'history.db')

/** How often words that begin so occur in the pages, in the letters of the text and of the index. */
function occurrences(word: string): number {
  const text = plainBytes(file(), key).toString('latin1').toLowerCase()
  return text.split(word.toLowerCase()).length - 1
}

/** Two clients in turns, so that each page holds some of both; long texts spill over to pages of their own. */
function fill(questions: number): void {
  for (const [id, clientName] of [
    ['s1', 'Acme'],
    ['s2', 'Globex']
  ] as const)
    store.createSession(newSession(id, { clientName, title: `Title${id}xyzzy` }))
  for (let n = 1; n <= questions; n++) {
    const mine = n % 2 === 0
    const word = mine ? 'Quetzal' : 'Humming'
    const long = n % 10 < 2 ? ' filler text'.repeat(800) : ''
    store.accept({
      question: newQuestion(n, `${word}${n} asks about ${word}bird${long} ${word}end`, {
        sessionId: mine ? 's1' : 's2',
        context: { note: `${word}context` }
      }),
      messageId: `q${n}`,
      at: START
    })
    store.saveEvents(turnIdOf(n), answered(n, `${word}answer ${n} with ${word}figures${long}`))
    if (n % 16 === 0) store.tend()
  }
  store.keepDraft('s1', { text: 'Quetzaldraft', turnId: null })
}

describe('a purge', () => {
  it('leaves no byte of the text in pages, free pages, log and index, and every other text as it was', () => {
    fill(300)
    expect(occurrences('quetzal')).toBeGreaterThan(500)
    const others = store.page({ sessionId: 's2', limit: 500 }).messages
    expect(runSteps(store.purge({ sessionId: 's1' }))).toEqual({ sessions: 1, messages: 300 })
    expect(statSync(`${file()}-wal`).size).toBe(0)
    expect(occurrences('quetzal')).toBe(0)
    expect(occurrences('titles1')).toBe(0)
    expect(occurrences('humming')).toBeGreaterThan(500)
    expect(store.page({ sessionId: 's2', limit: 500 }).messages).toEqual(others)
    expect(runSteps(store.search({ text: 'quetzal', limit: 5 })).hits).toEqual([])
    expect(runSteps(store.search({ text: 'humming7 ', limit: 5 })).hits).not.toEqual([])
    for (const name of readdirSync(dataDir)) expect(readFileSync(join(dataDir, name)).includes('Quetzal')).toBe(false)
  })

  it('removes in slices, and what a stop in the middle leaves is taken by the next', () => {
    fill(120)
    const steps = store.purge({ clientName: 'Acme' })
    expect(steps.next().done).toBe(false)
    steps.return({ sessions: 0, messages: 0 })
    const left = store.purgePreview({ clientName: 'Acme' }).messages
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(120)
    expect(runSteps(store.purge({ clientName: 'Acme' }))).toEqual({ sessions: 1, messages: left })
    expect(occurrences('quetzal')).toBe(0)
  })
})
