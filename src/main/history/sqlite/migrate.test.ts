import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newQuestion, newSession, START } from '../../../../test/fakes/historySamples.ts'
import { openStore } from '../history.sqlite.ts'
import { versionOf } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import { openDatabase, type OpenedDatabase } from './opening.ts'

const key = new Uint8Array(32).fill(7)
const clock = { now: () => START }
const newest = migrations.at(-1)?.version ?? 0

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-migrate-'))
  const { store } = openStore({ dataDir, key, clock })
  store.createSession(newSession('s1'))
  for (let n = 1; n <= 5; n++) store.accept({ question: newQuestion(n, `question ${n}`), messageId: `q${n}`, at: START })
  store.close()
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const next = (up: Migration['up'], changesCountOf?: readonly string[]): readonly Migration[] => [
  ...migrations,
  { version: newest + 1, name: 'next', up, ...(changesCountOf === undefined ? {} : { changesCountOf }) }
]
const addColumn: Migration['up'] = (db) => void db.exec("ALTER TABLE messages ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")

const loses: Migration['up'] = (db) => void db.exec("DELETE FROM messages WHERE id = 'q3'")

function open(steps?: readonly Migration[]): OpenedDatabase {
  return openDatabase({ dataDir, key, clock, ...(steps === undefined ? {} : { migrations: steps }) })
}
function questions({ db }: OpenedDatabase): unknown {
  return db.prepare('SELECT count(*) FROM messages').pluck().get()
}
const kept = (): string => join(dataDir, `history.db.before-${newest}`)

describe('a database of an older format', () => {
  it('is brought to the newest on a copy, and the old one is kept until the next start', () => {
    const steps = next(addColumn)
    const migrated = open(steps)
    expect(migrated.incident).toBeNull()
    expect(versionOf(migrated.db)).toBe(newest + 1)
    expect(migrated.db.prepare('SELECT DISTINCT colour FROM messages').pluck().all()).toEqual(['blue'])
    expect(questions(migrated)).toBe(5)
    migrated.close()
    expect(existsSync(kept())).toBe(true)

    open(steps).close()
    expect(readdirSync(dataDir).toSorted()).toEqual(['history.ballast', 'history.db', 'history.journal', 'history.lock'])
  })

  it('stays as it is when a step fails, and opens again with the version that made it', () => {
    const before = readFileSync(join(dataDir, 'history.db'))
    const steps = next((db) => {
      addColumn(db)
      throw new Error('A bug in the step')
    })
    expect(() => open(steps)).toThrow('A bug in the step')
    expect(readFileSync(join(dataDir, 'history.db')).equals(before)).toBe(true)
    const opened = open()
    expect([opened.incident, versionOf(opened.db), questions(opened)]).toEqual([null, newest, 5])
    opened.close()
  })

  it('stays as it is when a step loses rows it does not own up to', () => {
    expect(() => open(next(loses))).toThrow(expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('rows of messages') }))
    const opened = open(next(loses, ['messages']))
    expect(questions(opened)).toBe(4)
    opened.close()
  })

  it('is not confused by what an interrupted migration left', () => {
    writeFileSync(join(dataDir, 'history.db.migrating'), 'half a copy')
    writeFileSync(join(dataDir, 'history.db.migrating-wal'), 'half a log')
    const opened = open(next(addColumn))
    expect(questions(opened)).toBe(5)
    opened.close()
    expect(readdirSync(dataDir).filter((name) => name.includes('migrating'))).toEqual([])
  })
})
