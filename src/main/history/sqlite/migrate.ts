// Brings a database to the newest format: a fresh one in place, an existing one on a verified copy that is swapped in.
import { CopilotError } from '../../../shared/errors.ts'
import { runSteps, stepTimer, type Steps } from '../steps.ts'
import { openConnection, type Connection } from './connection.ts'
import type { HistoryFiles } from './files.ts'
import type { Migration } from './migrations/migration.ts'

export function versionOf(db: Connection): number {
  return db.pragma('user_version', { simple: true }) as number
}

/** The first problem that SQLite and the cipher find, or null. Reads every page. */
export function firstProblem(db: Connection): string | null {
  const found = db.pragma('quick_check(1)', { simple: true }) as string
  return found === 'ok' ? null : found
}

/** Reads every page that is in use, and so has the cipher check that each is what was written. @throws SqliteError `SQLITE_CORRUPT` */
export function readEveryPage(db: Connection): void {
  runSteps(readPages(db))
}

/** The same in steps, on a connection of its own: one that is in the middle of a query can do nothing else. */
export function* pageWalk(open: () => Connection): Steps<null> {
  const db = open()
  try {
    yield* readPages(db)
    return null
  } finally {
    db.close()
  }
}

/** Rows whose contents are read at a time. */
const BATCH = 500

function* readPages(db: Connection): Steps<void> {
  const timeIsUp = stepTimer()
  for (const _page of db.prepare('SELECT pageno FROM dbstat').iterate()) if (timeIsUp()) yield
  // dbstat does not read the last page of a long text: the texts themselves have to be.
  const tables = db.prepare<unknown[], { name: string; sql: string }>(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
  )
  for (const { name, sql } of tables.all()) {
    const columns = db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(name) as string[]
    const contents = columns.map((column) => `max("${column}")`).join(', ')
    if (/WITHOUT ROWID/i.test(sql)) {
      db.prepare(`SELECT ${contents} FROM "${name}"`).get()
      continue
    }
    const batch = db.prepare<unknown[], number | null>(
      `SELECT last FROM (SELECT max(rowid) AS last, ${contents} FROM (SELECT rowid, * FROM "${name}" WHERE rowid > ? ORDER BY rowid LIMIT ${BATCH}))`
    )
    for (let last: number | null = Number.MIN_SAFE_INTEGER; last !== null;) {
      last = batch.pluck().get(last) ?? null
      if (timeIsUp()) yield
    }
  }
}

/** All steps above the database's version, in one transaction. */
export function runMigrations(db: Connection, migrations: readonly Migration[]): void {
  const from = versionOf(db)
  db.transaction(() => {
    for (const migration of migrations) {
      if (migration.version <= from) continue
      migration.up(db)
      db.pragma(`user_version = ${migration.version}`)
    }
  }).immediate()
}

export interface MigrateOptions {
  readonly files: HistoryFiles
  readonly key: Uint8Array
  readonly migrations: readonly Migration[]
}

/**
 * The database must be closed, its log checkpointed. Throws with the old database untouched and in its place; a crash at
 * any point leaves either the old or the new one there, whole.
 */
export function migrateCopy({ files, key, migrations }: MigrateOptions): void {
  const copy = files.copy()
  const db = openConnection(copy, key, { fileMustExist: true })
  let version: number
  try {
    version = versionOf(db)
    verify(firstProblem(db) === null, 'the copy could not be verified')
    const free = new Set(migrations.filter((step) => step.version > version).flatMap((step) => step.changesCountOf ?? []))
    const before = rowCounts(db)
    runMigrations(db, migrations)
    const after = rowCounts(db)
    for (const [table, rows] of before) verify(free.has(table) || after.get(table) === rows, `rows of ${table} went missing`)
    verify(firstProblem(db) === null, 'the new format could not be verified')
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
  files.swapIn(copy, version)
}

function rowCounts(db: Connection): Map<string, number> {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND sql NOT LIKE 'CREATE VIRTUAL%'")
  return new Map(
    (tables.pluck().all() as string[])
      // The index's own tables change with its format; the messages they are made from are counted.
      .filter((name) => !name.startsWith('search_'))
      .map((name) => [name, db.prepare(`SELECT count(*) FROM "${name}"`).pluck().get() as number])
  )
}

function verify(holds: boolean, what: string): void {
  if (!holds) {
    throw new CopilotError(
      'unavailable',
      `The history could not be brought to the new format (${what}). It was left as it was: go back to the version of Aside you had, and report this.`
    )
  }
}
