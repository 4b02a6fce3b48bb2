// The search benchmark itself: that its history is the product's own, that it runs to its end, and that it can fail.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildHistory, clientOf, PER_SESSION, sessionIdOf, timeOf } from '../../bench/historyBuild.ts'
import { openStore } from '../../src/main/history/history.sqlite.ts'
import { openConnection } from '../../src/main/history/sqlite/connection.ts'
import { newSession } from '../fakes/historySamples.ts'

const key = new Uint8Array(32).fill(9)
/** Two whole sessions. */
const MESSAGES = 2 * PER_SESSION
const texts = Array.from({ length: MESSAGES }, (_, index) => `Message ${index}: what the Größe of e-mail costs in 予算, ${index % 7} of 1,200`)

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aside-bench-test-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Everything a search can see: rows, and the index word by word. */
function contentOf(dataDir: string): Record<string, unknown> {
  const db = openConnection(join(dataDir, 'history.db'), key, { readonly: true })
  try {
    const held = (table: string, kind: string): unknown[] => {
      db.exec(`CREATE VIRTUAL TABLE temp.held_${table} USING fts5vocab(main, search_${table}_0, ${kind})`)
      return db.prepare(`SELECT * FROM temp.held_${table}`).raw().all()
    }
    return {
      messages: db.prepare('SELECT position, session, role, created_at, quick_action, indexed_length, text FROM messages ORDER BY position').all(),
      turns: db.prepare('SELECT number, session, question, answer, context, state, finish FROM turns ORDER BY number').all(),
      outbox: db.prepare('SELECT turn, state, attempts, accepted_at FROM outbox ORDER BY turn').all(),
      sessions: db.prepare('SELECT number, id, client_name, message_count FROM sessions ORDER BY number').all(),
      shards: db.prepare('SELECT * FROM shards').all(),
      spans: db.prepare('SELECT * FROM spans').all(),
      words: held('words', 'instance'),
      pairs: held('pairs', 'row')
    }
  } finally {
    db.close()
  }
}

/** The same messages, asked and answered as the product does it. */
function useProduct(dataDir: string): void {
  let now = 0
  const { store } = openStore({ dataDir, key, clock: { now: () => now } })
  for (let position = 1; position <= MESSAGES; position += 2) {
    const session = Math.floor(position / PER_SESSION) + 1
    const [asked, answered] = [timeOf(position, MESSAGES), timeOf(position + 1, MESSAGES)]
    now = asked
    if (position % PER_SESSION === 1) store.createSession(newSession(sessionIdOf(session), { clientName: clientOf(session) }))
    const turnId = `turn-${(position + 1) / 2}`
    const question = { turnId, sessionId: sessionIdOf(session), text: texts[position - 1] ?? '', context: {} }
    store.accept({ question, messageId: `message-${position}`, at: asked })
    now = answered
    store.saveEvents(turnId, [
      { turnId, seq: 1, at: answered, type: 'accepted', messageId: `message-${position + 1}` },
      { turnId, seq: 2, at: answered, type: 'delta', text: texts[position] ?? '' },
      { turnId, seq: 3, at: answered, type: 'done', messageId: `message-${position + 1}`, finish: 'stop' }
    ])
  }
  store.close()
}

describe('the history that is built for the benchmark', () => {
  it('is what the product makes of the same messages', () => {
    const [built, used] = [mkdtempSync(join(root, 'built-')), mkdtempSync(join(root, 'used-'))]
    let next = 0
    buildHistory({ dataDir: built, key, messages: MESSAGES, corpus: { message: () => texts[next++] ?? '' } })
    useProduct(used)
    const [ours, theirs] = [contentOf(built), contentOf(used)]
    for (const part of Object.keys(ours)) expect({ [part]: ours[part] }).toEqual({ [part]: theirs[part] })
  })
})

describe('the search benchmark', () => {
  const run = async (...flags: readonly string[]): Promise<{ code: number; last: Record<string, unknown> | null }> => {
    const began = promisify(execFile)('node', ['bench/search.ts', ...flags], { timeout: 100_000, maxBuffer: 10_000_000 })
    const { code, stdout } = await began.then(
      ({ stdout: out }) => ({ code: 0, stdout: out }),
      (error: { code?: number; stdout?: string }) => ({ code: error.code ?? 1, stdout: error.stdout ?? '' })
    )
    const line = stdout.trimEnd().split('\n').at(-1) ?? ''
    return { code, last: line === '' ? null : (JSON.parse(line) as Record<string, unknown>) }
  }

  it('runs to its end and says so; the bars are not met by a history this small', { timeout: 120_000 }, async () => {
    const flags = ['--messages', '2000', '--peers', '600', '--queries', '1']
    const strict = await run(...flags)
    expect(strict).toMatchObject({ code: 1, last: { ok: false, smoke: false, bars: { timesMiniSearchP99: false } } })
    const smoke = await run(...flags, '--smoke')
    expect(smoke).toMatchObject({ code: 0, last: { ok: true, smoke: true, ours: { messages: 2_000 }, oursAtPeersSize: { messages: 600 } } })
    const ours = smoke.last?.['ours'] as { readonly byKind: object } | undefined
    expect(Object.keys(ours?.byKind ?? {})).toHaveLength(26)
  })

  it('refuses a number that is none', async () => {
    expect(await run('--messages', 'many')).toMatchObject({ code: 1, last: null })
  })
})
