import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answered, handClock, newQuestion, newSession, START, turnIdOf, type HandClock } from '../../../test/fakes/historySamples.ts'
import type { Vault } from '../auth/vault.ts'
import { createCustody, type Custody } from './custody.ts'
import type { History } from './history.ts'
import { createHistoryRuntime } from './history.worker.ts'
import { KEY_FILE } from './key.ts'
import { SNAPSHOT_FOLDER } from './sqlite/salvage.ts'

// Threads are started here; a busy machine takes its time over that.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const DAY = 86_400_000
const never = new AbortController().signal
const run = { signal: never, progress: () => undefined }
const vault: Vault = { kind: 'file', seal: (secret) => Promise.resolve(secret), open: (sealed) => Promise.resolve(sealed) }

interface Opened {
  readonly history: History
  readonly care: Custody
  readonly incident: string | null
  readonly waits: number[]
}

let dataDir: string
let elsewhere: string
let clock: HandClock
let running: History[]
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-custody-'))
  elsewhere = mkdtempSync(join(tmpdir(), 'aside-elsewhere-'))
  clock = handClock()
  running = []
})
afterEach(async () => {
  for (const history of running) await history.close()
  rmSync(dataDir, { recursive: true })
  rmSync(elsewhere, { recursive: true })
})

async function open(dir = dataDir): Promise<Opened> {
  const runtime = createHistoryRuntime({ dataDir: dir, clock })
  const waits: number[] = []
  const wait = (ms: number): Promise<void> => {
    waits.push(ms)
    return Promise.resolve()
  }
  const care = createCustody({ dataDir: dir, vault, clock, runtime, random: randomBytes, wait, scryptCost: 1_024 })
  running.push(runtime.history)
  return { history: runtime.history, care, incident: await care.open(), waits }
}
async function fill(history: History, from: number, to: number): Promise<void> {
  if ((await history.session('s1')) === null) await history.createSession(newSession('s1'))
  for (let n = from; n <= to; n++)
    await history.accept({ question: newQuestion(n, `question ${n} of mandrake`), messageId: `q${n}`, at: clock.now() })
}
async function texts(history: History): Promise<string[]> {
  return (await history.page({ sessionId: 's1', limit: 500 })).messages.map((message) => message.text)
}
const backupFile = (): string => join(elsewhere, 'mine.aside-backup')
const setAside = (): string[] => readdirSync(dataDir).filter((name) => name.startsWith('history-set-aside'))

describe('a passphrase', () => {
  it('locks the next start: every call is refused until it is given, then all is there', async () => {
    const first = await open()
    await fill(first.history, 1, 3)
    await first.care.setPassphrase({ current: null, next: 'correct horse' }, never)
    expect(first.care.keyStorage()).toBe('passphrase')
    expect(await texts(first.history)).toHaveLength(3)
    await first.history.close()

    const second = await open()
    expect([second.care.locked(), second.incident]).toEqual([true, null])
    await expect(second.history.listSessions({ limit: 5 })).rejects.toMatchObject({ code: 'unavailable', message: 'Unlock the history first.' })
    const replaced: unknown[] = []
    second.care.onReplaced((what) => replaced.push(what))
    for (let n = 0; n < 3; n++) await expect(second.care.unlock('wrong', never)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(second.waits).toEqual([250, 500])
    await second.care.unlock('correct horse', never)
    expect(replaced).toEqual([{ incident: null }])
    expect(await texts(second.history)).toHaveLength(3)
    expect(setAside()).toEqual([])
  })

  it('is only changed by who knows it', async () => {
    const { care, history } = await open()
    await fill(history, 1, 1)
    await care.setPassphrase({ current: null, next: 'one' }, never)
    await expect(care.setPassphrase({ current: null, next: null }, never)).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(care.setPassphrase({ current: 'two', next: null }, never)).rejects.toMatchObject({ code: 'unauthenticated' })
    await care.setPassphrase({ current: 'one', next: null }, never)
    expect(care.keyStorage()).toBe('file')
    await history.close()
    expect((await open()).care.locked()).toBe(false)
  })
})

describe('a new key', () => {
  it('encrypts everything anew while calls wait, opens the next start, and older backups still open', async () => {
    const { care, history } = await open()
    await fill(history, 1, 20)
    await care.backup(backupFile(), null, run)
    const keyBefore = readFileSync(join(dataDir, KEY_FILE), 'utf8')
    const [, during] = await Promise.all([care.rekey(run), fill(history, 21, 25).then(() => texts(history))])
    expect(during).toHaveLength(25)
    expect(readFileSync(join(dataDir, KEY_FILE), 'utf8')).not.toBe(keyBefore)
    await history.close()

    const again = await open()
    expect(again.incident).toBeNull()
    expect(await texts(again.history)).toHaveLength(25)
    expect(await again.care.restore(backupFile(), null, run)).toEqual({ sessions: 1, messages: 20 })
    // The old key alone opens nothing any more.
    await again.history.close()
    rmSync(join(dataDir, `${KEY_FILE}.copy`))
    writeFileSync(join(dataDir, KEY_FILE), keyBefore)
    expect((await open()).incident).toContain('another key')
  })
})

describe('a backup', () => {
  it('holds everything while questions go on being asked, and comes back with the present set aside', async () => {
    const { care, history } = await open()
    await fill(history, 1, 30)
    await history.saveEvents(turnIdOf(1), answered(1, 'answered before'))
    await history.saveEvents(turnIdOf(2), answered(2, 'begun').slice(0, 2))
    const [size] = await Promise.all([care.backup(backupFile(), 'tell nobody', run), fill(history, 31, 60)])
    expect(size).toBe(statSync(backupFile()).size)
    expect(readdirSync(elsewhere)).toEqual(['mine.aside-backup'])
    expect((await history.status()).lastBackupAt).toBe(START)
    const bytes = readFileSync(backupFile())
    expect(bytes.includes('mandrake') || bytes.includes('SQLite format')).toBe(false)
    await fill(history, 61, 62)

    const counts = await care.restore(backupFile(), 'tell nobody', run)
    expect(counts.messages).toBeGreaterThanOrEqual(32)
    expect(await texts(history)).toHaveLength(counts.messages)
    expect(setAside()).toHaveLength(1)
    // What waited then asks first; what was being answered goes on.
    const rows = await history.outbox()
    expect((await history.message('q3'))?.delivery).toMatchObject({ state: 'waiting', needsConfirmation: true })
    expect((await history.message('q2'))?.delivery).toMatchObject({ needsConfirmation: false })
    expect(rows.find((row) => row.messageId === 'q2')).toMatchObject({ lastSeq: 2 })
    expect((await history.message('q1'))?.delivery).toMatchObject({ state: 'settled' })
  })

  it('opens on another machine with its passphrase, and without one only here', async () => {
    const { care, history } = await open()
    await fill(history, 1, 5)
    await care.backup(backupFile(), 'tell nobody', run)
    const here = join(elsewhere, 'here.aside-backup')
    await care.backup(here, null, run)
    const other = join(elsewhere, 'other')
    const stranger = await open(other)
    await expect(stranger.care.restore(backupFile(), null, run)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('Enter the passphrase')
    })
    await expect(stranger.care.restore(backupFile(), 'guess', run)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('Nothing was changed')
    })
    await expect(stranger.care.restore(here, null, run)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('restore it where it was made')
    })
    expect(await stranger.history.listSessions({ limit: 5 })).toEqual([])
    await stranger.care.restore(backupFile(), 'tell nobody', run)
    expect(await texts(stranger.history)).toHaveLength(5)
    await stranger.history.close()
    expect(await texts((await open(other)).history)).toHaveLength(5)
  })

  it('leaves an older one where it is when it is stopped or can’t be written', async () => {
    const { care, history } = await open()
    await fill(history, 1, 5)
    writeFileSync(backupFile(), 'older')
    const stopped = AbortSignal.abort()
    await expect(care.backup(backupFile(), null, { ...run, signal: stopped })).rejects.toMatchObject({ code: 'cancelled' })
    await expect(care.backup(join(backupFile(), 'x', 'y'), null, run)).rejects.toMatchObject({ code: 'unavailable' })
    expect(readFileSync(backupFile(), 'utf8')).toBe('older')
    expect(readdirSync(elsewhere)).toEqual(['mine.aside-backup'])
  })
})

describe('what is due', () => {
  const snapshots = (): string[] => readdirSync(join(dataDir, SNAPSHOT_FOLDER))

  it('is a copy a day, the last three of which are kept, and none for nothing', async () => {
    const { care, history } = await open()
    await care.tend(never)
    await fill(history, 1, 2)
    for (let day = 0; day < 5; day++) {
      clock.set(START + day * DAY)
      await care.tend(never)
      await care.tend(never)
    }
    expect(snapshots()).toEqual([3, 4, 5].map((n) => expect.stringContaining(`snapshot-2026-01-${14 + n}`)))
    expect((await history.status()).lastCheckAt).toBe(START + 4 * DAY)
    await care.restore(join(dataDir, SNAPSHOT_FOLDER, snapshots()[0]!), null, run)
    expect(await texts(history)).toHaveLength(2)
  })

  it('is what a rule of retention says, and the copies that still hold it make way', async () => {
    const { care, history } = await open()
    await fill(history, 1, 2)
    await care.tend(never)
    await history.setRetention('Acme', 10)
    clock.set(START + 11 * DAY)
    await history.createSession(newSession('s2', { clientName: 'Globex', createdAt: clock.now(), lastActivityAt: clock.now() }))
    expect(await care.tend(never)).toEqual([expect.stringContaining('2 messages and 1 session were removed')])
    expect(snapshots()).toEqual([expect.stringContaining('2026-01-26')])
  })
})
