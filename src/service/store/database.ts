// Opens the service's encrypted SQLite file, alone and up to date. A file that can't be read is kept aside, never deleted.
import { chmodSync, existsSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { CopilotError } from '../../shared/errors.ts'
import { isDamage, toStoreFault } from './faults.ts'
import { makeFolder } from './folder.ts'

export type Database = SqliteDatabase.Database

export interface OpenedDatabase {
  readonly database: Database
  /** What happened to a file that could not be opened, for the log; null: nothing. */
  readonly incident: string | null
}

export interface DatabaseOptions {
  readonly file: string
  /** 32 bytes in hex. */
  readonly key: string
  readonly migrations: readonly string[]
  /** Unix ms; names the file that is set aside. */
  readonly now: number
  /** Several processes may open it at once; else the first one has it alone. */
  readonly shared?: boolean
  /** Leaves a file that can't be read where it is, and throws: for those who only look. */
  readonly leaveDamage?: boolean
}

/** The caller closes it. Throws `CopilotError` with one sentence when the folder, the disk or another process is in the way. */
export function openDatabase(options: DatabaseOptions): OpenedDatabase {
  try {
    makeFolder(dirname(options.file))
    return { database: open(options), incident: null }
  } catch (error) {
    if (!isDamage(error) || options.leaveDamage === true) throw toStoreFault(error, options.file)
    const aside = setAside(options.file, options.now)
    const incident = `The service's store could not be read (damaged, or another key). It is kept as ${aside}; a fresh one was opened.`
    try {
      return { database: open(options), incident }
    } catch (again) {
      throw toStoreFault(again, options.file)
    }
  }
}

function open(options: DatabaseOptions): Database {
  const database = new SqliteDatabase(options.file, { timeout: 500 })
  try {
    // The write-ahead log takes its permissions from here.
    chmodSync(options.file, 0o600)
    // aegis checks every page, so damage is found instead of handed out as text.
    database.pragma("cipher = 'aegis'")
    database.pragma(`key = 'raw:${options.key}'`)
    // Alone: two services on one store would both revive the same turns. It also keeps the WAL index off the disk.
    if (options.shared !== true) database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('foreign_keys = ON')
    // Temporary files would hold plain text beside an encrypted database.
    database.pragma('temp_store = MEMORY')
    database.pragma('trusted_schema = OFF')
    // What is deleted is written over: an erasure that leaves the text in a free page is none.
    database.pragma('secure_delete = ON')
    const check = database.pragma('quick_check(1)', { simple: true })
    if (check !== 'ok') throw Object.assign(new Error(String(check)), { code: 'SQLITE_CORRUPT' })
    migrate(database, options)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function migrate(database: Database, options: DatabaseOptions): void {
  const done = Number(database.pragma('user_version', { simple: true }))
  if (done > options.migrations.length) {
    throw new CopilotError(
      'conflict',
      `The store ${options.file} was written by a newer version of Aside (step ${done}). Use that version, or set ASIDE_DATA_DIR to another folder.`
    )
  }
  if (options.shared === true && done === options.migrations.length) return
  // Takes the lock at once, also when there is nothing to do.
  database
    .transaction(() => {
      for (const [index, step] of options.migrations.entries()) {
        if (index < done) continue
        database.exec(step)
        database.pragma(`user_version = ${index + 1}`)
      }
    })
    .exclusive()
}

function setAside(file: string, now: number): string {
  const aside = `${file}.damaged-${new Date(now).toISOString().replace(/[:.]/g, '-')}`
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  }
  return aside
}
