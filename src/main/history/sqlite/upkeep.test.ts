import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newQuestion, newSession, START } from '../../../../test/fakes/historySamples.ts'
import { openStore } from '../history.sqlite.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore } from '../store.ts'
import { createBallast } from './ballast.ts'
import { openConnection, statementsOf } from './connection.ts'
import { createUpkeep } from './upkeep.ts'

const key = new Uint8Array(32).fill(7)
let dataDir: string
let store: HistoryStore
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-upkeep-'))
  store = openStore({ dataDir, key, clock: { now: () => START } }).store
  store.createSession(newSession('s1'))
})
afterEach(() => {
  store.close()
  rmSync(dataDir, { recursive: true })
})

/** Segments of the index of words: each commit adds one, and every query reads them all. */
function segments(): number {
  const db = openConnection(join(dataDir, 'history.db'), key, { readonly: true })
  const count = db.prepare('SELECT count(DISTINCT segid) FROM search_words_0_idx').pluck().get() as number
  db.close()
  return count
}

describe('upkeep', () => {
  it('keeps the index in few segments, in slices between the writes, and loses nothing of it', () => {
    for (let n = 1; n <= 14; n++) store.accept({ question: newQuestion(n, `serendipity ${n}`), messageId: `q${n}`, at: START })
    expect(segments()).toBe(14)
    while (store.tend());
    expect(segments()).toBeLessThan(4)
    expect(runSteps(store.search({ text: 'serendipity ', limit: 30 })).hits).toHaveLength(14)
    expect(store.tend()).toBe(false)
  })

  it('forgets a table whose making was rolled back', () => {
    const db = openConnection(join(dataDir, 'history.db'), key)
    const upkeep = createUpkeep(db, statementsOf(db), createBallast(dataDir))
    upkeep.grown('search_words_9')
    expect(() => upkeep.tend()).toThrow('no such table')
    upkeep.rolledBack()
    expect(upkeep.tend()).toBe(false)
    db.close()
  })
})
