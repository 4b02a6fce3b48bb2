import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answered, newQuestion, newSession, START, turnIdOf } from '../../../../test/fakes/historySamples.ts'
import { openStore } from '../history.sqlite.ts'
import { runSteps } from '../steps.ts'
import type { HistoryStore, StoreOpened } from '../store.ts'
import { makeBackup } from './backups.ts'

// Opens and fills databases many times; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 30_000 })

const key = new Uint8Array(32).fill(7)
const PAGE = 4_096
let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-salvage-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const file = (name = 'history.db'): string => join(dataDir, name)
const open = (): StoreOpened => openStore({ dataDir, key, clock: { now: () => START } })
function fill(store: HistoryStore, from: number, to: number): void {
  if (store.session('s1') === null) store.createSession(newSession('s1'))
  for (let n = from; n <= to; n++) {
    store.accept({ question: newQuestion(n, `question ${n} ${'about many things '.repeat(n % 20 === 0 ? 600 : 12)}`), messageId: `q${n}`, at: START })
    if (n % 4 !== 0) store.saveEvents(turnIdOf(n), answered(n, `answer ${n} ${'with figures '.repeat(30)}`))
  }
}
const idsOf = (store: HistoryStore): string[] =>
  store
    .page({ sessionId: 's1', limit: 500 })
    .messages.map(({ id }) => id)
    .sort()
function spoil(page: number, name = 'history.db'): void {
  const bytes = readFileSync(file(name))
  bytes[(page - 1) * PAGE + 1_000] = bytes[(page - 1) * PAGE + 1_000]! ^ 4
  writeFileSync(file(name), bytes)
}
const pages = (): number => readFileSync(file()).byteLength / PAGE
const withoutJournal = (): void => rmSync(file('history.journal'), { force: true })

describe('a damaged history', () => {
  it('loses nothing while the journal or a copy has what a page no longer gives, whichever page it is', () => {
    const first = open()
    fill(first.store, 1, 60)
    const before = idsOf(first.store)
    const waiting = first.store.outbox().map(({ turnId }) => turnId)
    first.store.close()
    const whole = readFileSync(file())
    for (let page = 1; page <= pages(); page += Math.max(1, Math.floor(pages() / 14))) {
      writeFileSync(file(), whole)
      spoil(page)
      const again = open()
      expect(again.incident === null || /were recovered/.test(again.incident), `page ${page}: ${again.incident}`).toBe(true)
      expect(idsOf(again.store), `page ${page}`).toEqual(before)
      expect(
        again.store.outbox().map(({ turnId }) => turnId),
        `page ${page}`
      ).toEqual(waiting)
      for (let n = 0; n < 1e4 && again.store.tend(); n++);
      expect(runSteps(again.store.search({ text: 'question 59 ', limit: 5 })).hits).toHaveLength(1)
      again.store.close()
      expect(open().store.close()).toBeUndefined()
    }
  })

  it('takes from the latest copy what is older than the journal', () => {
    const first = open()
    fill(first.store, 1, 40)
    mkdirSync(file('snapshots'))
    makeBackup({ dataDir, keys: [key], file: file('snapshots/snapshot-1.aside-backup'), passphrase: null, now: START, progress: () => undefined })
    first.store.copyBegins()
    first.store.copyMade()
    fill(first.store, 41, 50)
    const before = idsOf(first.store)
    first.store.close()
    // Not even its first page can be read.
    spoil(1)
    const again = open()
    expect(again.incident).toMatch(/^A part of the history was damaged\. 88 of 88 messages were recovered, 88 of them from the copies/)
    expect(idsOf(again.store)).toEqual(before)
    // What the copy had waiting asks first.
    expect(again.store.message('q4')?.delivery).toMatchObject({ state: 'waiting', needsConfirmation: true })
    again.store.close()
  })

  it('counts what is lost, keeps the damaged file, and keeps all the rest, when there is no second copy', () => {
    const first = open()
    fill(first.store, 1, 60)
    const before = idsOf(first.store)
    first.store.close()
    const whole = readFileSync(file())
    let lost = 0
    for (let page = 5; page <= pages(); page += Math.max(1, Math.floor(pages() / 12))) {
      withoutJournal()
      writeFileSync(file(), whole)
      spoil(page)
      const again = open()
      const after = again.store.status().messages
      const told = /([\d,]+) of ([\d,]+) messages were recovered/.exec(again.incident ?? '')
      if (again.incident !== null) expect(told?.slice(1).map(Number), again.incident).toEqual([after, before.length])
      expect(after).toBeGreaterThan(before.length * 0.7)
      lost += before.length - after
      again.store.close()
      expect(readdirSync(dataDir).filter((name) => /^history-set-aside.*\.db$/.test(name)).length).toBeGreaterThan(0)
    }
    expect(lost).toBeGreaterThan(0)
  })
})
