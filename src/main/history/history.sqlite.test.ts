import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answered, handClock, newQuestion, newSession, START, turnIdOf } from '../../../test/fakes/historySamples.ts'
import { openReadingStore, openStore } from './history.sqlite.ts'
import { openConnection } from './sqlite/connection.ts'
import { firstProblem } from './sqlite/migrate.ts'
import { runSteps } from './steps.ts'
import type { StoreOpened } from './store.ts'

vi.setConfig({ testTimeout: 30_000 })

const key = new Uint8Array(32).fill(7)
const otherKey = new Uint8Array(32).fill(8)
const SECRET = 'Quetzalcoatl'
const SET_ASIDE = /^history-set-aside-2026-01-15T09-00-00-000Z(?:-\d)?\.db$/

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-store-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

function open(dir = dataDir, withKey = key): StoreOpened {
  return openStore({ dataDir: dir, key: withKey, clock: handClock() })
}

/** A history with enough in it that every kind of page is there. */
function filled(dir = dataDir, questions = 40): StoreOpened {
  const opened = open(dir)
  const { store } = opened
  store.createSession(newSession('s1', { title: `${SECRET} title`, clientName: `${SECRET} client`, notes: `${SECRET} notes`.repeat(100) }))
  for (let n = 1; n <= questions; n++) {
    store.accept({
      question: newQuestion(n, `${SECRET} question ${n} ${'about migration '.repeat(20)}`, { context: { c: SECRET } }),
      messageId: `q${n}`,
      at: START
    })
    store.saveEvents(turnIdOf(n), answered(n, `${SECRET} answer ${n} ${'with figures '.repeat(40)}`))
  }
  return opened
}

function textsOf({ store }: StoreOpened): string[] {
  return store.page({ sessionId: 's1', limit: 500 }).messages.map((message) => message.text)
}

function damaged(at: number, bit: number): void {
  const file = join(dataDir, 'history.db')
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  writeFileSync(file, bytes)
}

const files = (): string[] => readdirSync(dataDir)

describe('the encrypted file', () => {
  it('holds no readable text, nor do its log or anything beside it, while open and after', () => {
    const { store } = filled()
    runSteps(store.search({ text: SECRET, limit: 50 }))
    const readable = (): string[] =>
      files().filter((name) => {
        const bytes = readFileSync(join(dataDir, name))
        return bytes.includes(SECRET) || bytes.includes(SECRET.toLowerCase()) || bytes.includes('SQLite format 3')
      })
    expect(files()).toContain('history.db-wal')
    expect(readable()).toEqual([])
    store.close()
    expect(files()).not.toContain('history.db-wal')
    expect(readable()).toEqual([])
  })

  it('is readable for its owner only, with all that is beside it', () => {
    const { store } = filled(dataDir, 1)
    const modes = files().map((name) => `${name} ${(statSync(join(dataDir, name)).mode & 0o777).toString(8)}`)
    store.close()
    expect(process.platform === 'win32' ? [] : modes.filter((mode) => !mode.endsWith(' 600'))).toEqual([])
  })

  it('keeps everything from one start to the next', () => {
    const first = filled()
    const before = textsOf(first)
    first.store.close()
    const second = open()
    expect(second.incident).toBeNull()
    expect(textsOf(second)).toEqual(before)
    expect(runSteps(second.store.search({ text: 'question 17 ', limit: 5 })).hits.map((hit) => hit.messageId)).toEqual(['q17'])
    second.store.close()
  })

  it('finds after a start what an unfinished answer had said, and finds it once when it goes on', () => {
    const first = open()
    first.store.createSession(newSession('s1'))
    first.store.accept({ question: newQuestion(1, 'Question'), messageId: 'q1', at: START })
    const events = answered(1, 'obsidian mirror')
    first.store.saveEvents(turnIdOf(1), events.slice(0, 2))
    first.store.close()
    const second = open()
    const find = (text: string): string[] => runSteps(second.store.search({ text, limit: 5 })).hits.map((hit) => hit.messageId)
    expect(find('obsidian')).toEqual(['a1'])
    second.store.saveEvents(turnIdOf(1), events)
    expect(find('obsidian')).toEqual(['a1'])
    second.store.removeSession('s1')
    expect(find('obsidian')).toEqual([])
    second.store.close()
  })
})

describe('a history that cannot be read', () => {
  it('is set aside with its log when the key is another, untouched, and opens again with its own', () => {
    const crashed = mkdtempSync(join(tmpdir(), 'aside-crashed-'))
    const writing = filled(crashed, 5)
    const before = textsOf(writing)
    // What a crash leaves: the log has not been written into the database.
    cpSync(crashed, dataDir, { recursive: true })
    writing.store.close()
    rmSync(crashed, { recursive: true })
    const log = readFileSync(join(dataDir, 'history.db-wal'))
    expect(log.byteLength).toBeGreaterThan(0)

    const replaced = open(dataDir, otherKey)
    expect(replaced.store.listSessions({ limit: 5 })).toEqual([])
    replaced.store.close()
    const name = files().find((file) => SET_ASIDE.test(file)) ?? ''
    expect(replaced.incident).toContain(name)
    expect(readFileSync(join(dataDir, `${name}-wal`)).equals(log)).toBe(true)

    for (const suffix of ['', '-wal', '-shm']) renameSync(join(dataDir, name + suffix), join(dataDir, `history.db${suffix}`))
    const again = open()
    expect([again.incident, textsOf(again)]).toEqual([null, before])
    again.store.close()
  })

  it('is set aside when a single bit has flipped, or the bit carries nothing', () => {
    const writing = filled(dataDir, 12)
    const before = textsOf(writing)
    writing.store.close()
    const whole = readFileSync(join(dataDir, 'history.db'))
    let found = 0
    const places = Array.from({ length: 40 }, (_, n) => Math.floor(((n + 0.37) * whole.byteLength) / 40))
    for (const [n, place] of [0, 20, 30, ...places].entries()) {
      writeFileSync(join(dataDir, 'history.db'), whole)
      damaged(place, n % 8)
      const opened = open()
      // Either it is reported, or nothing was lost.
      expect(opened.incident === null ? textsOf(opened) : before).toEqual(before)
      found += opened.incident === null ? 0 : 1
      opened.store.close()
    }
    // The first 16 bytes are a salt that a raw key does not use, and free pages hold nothing; all others are authenticated.
    expect(found).toBeGreaterThanOrEqual(38)
    expect(readdirSync(dataDir).filter((file) => SET_ASIDE.test(file) || /-\d+\.db$/.test(file))).toHaveLength(found)
  })

  it.each([100, 4_096, 20_000, -4_096])('is set aside when it was cut to %i bytes, and made anew of the journal', (length) => {
    filled(dataDir, 12).store.close()
    const file = join(dataDir, 'history.db')
    const whole = readFileSync(file)
    truncateSync(file, length > 0 ? length : whole.byteLength + length)
    const opened = open()
    expect(opened.incident).toMatch(/24 of 24 messages were recovered.*history-set-aside-\S+\.db/)
    expect(textsOf(opened)).toHaveLength(24)
    opened.store.close()
  })

  it('tells so when damage is met while running, and is set aside at the next start', () => {
    filled(dataDir, 12).store.close()
    const reader = openReadingStore({ dataDir, key, clock: handClock() })
    const size = readFileSync(join(dataDir, 'history.db')).byteLength
    for (let at = 8_192; at < size; at += 4_096) damaged(at + 100, 1)
    expect(() => reader.page({ sessionId: 's1', limit: 500 })).toThrow(
      expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('damaged') })
    )
    reader.close()
    expect(readdirSync(dataDir)).toContain('history.suspect')
    const opened = open()
    expect(opened.incident).not.toBeNull()
    opened.store.close()
    expect(readdirSync(dataDir)).not.toContain('history.suspect')
  })
})

describe('a history that cannot be opened now', () => {
  it('is refused to a second one, in one sentence', () => {
    const { store } = open()
    expect(() => open()).toThrow(expect.objectContaining({ code: 'conflict', message: expect.stringContaining('Another Aside') }))
    store.close()
    open().store.close()
  })

  it('is left alone when a newer version of Aside wrote it', () => {
    filled(dataDir, 1).store.close()
    const db = openConnection(join(dataDir, 'history.db'), key)
    db.pragma('user_version = 99')
    db.close()
    expect(() => open()).toThrow(expect.objectContaining({ code: 'conflict', message: expect.stringContaining('newer version') }))
    expect(readdirSync(dataDir).filter((file) => SET_ASIDE.test(file))).toEqual([])
  })

  it('says what to do when the folder cannot be written', () => {
    writeFileSync(join(dataDir, 'file'), '')
    expect(() => open(join(dataDir, 'file', 'data'))).toThrow(
      expect.objectContaining({ code: 'unavailable', message: expect.stringContaining("can't write") })
    )
  })
})

describe('a reading store', () => {
  it('sees what was written beside it and refuses to write', () => {
    const { store } = open()
    const reader = openReadingStore({ dataDir, key, clock: handClock() })
    store.createSession(newSession('s1'))
    expect(reader.session('s1')).toEqual(newSession('s1'))
    expect(() => reader.removeSession('s1')).toThrow(expect.objectContaining({ code: 'internal' }))
    reader.close()
    store.close()
  })
})

describe('a process that is killed while it accepts questions', () => {
  it('has kept each that it acknowledged, whole', async () => {
    const victim = fileURLToPath(new URL('../../../test/fakes/historyVictim.ts', import.meta.url))
    const child = spawn(process.execPath, [victim, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    const acknowledged: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') continue
      acknowledged.push(line)
      if (acknowledged.length === 57) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
    const { store, incident } = open()
    expect(incident).toBeNull()
    expect(acknowledged.length).toBeGreaterThanOrEqual(57)
    const kept = store.outbox()
    expect(kept.map((row) => row.turnId)).toEqual(expect.arrayContaining(acknowledged))
    // Message, turn and row were one transaction: none is there without the others.
    expect(store.session('s1')?.messageCount).toBe(kept.length)
    for (const row of kept) expect(store.question(row.turnId)?.text).toBe(store.message(row.messageId)?.text)
    store.close()
    const db = openConnection(join(dataDir, 'history.db'), key)
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(firstProblem(db)).toBeNull()
    db.close()
  })
})
