// Builds a new database of what a damaged one still gives, and of the journal and the latest copy in
// the data folder for what it does not.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../shared/kit/clock.ts'
import { CopilotError } from '../../../shared/errors.ts'
import { extract } from './backups.ts'
import { openConnection, type Connection } from './connection.ts'
import { storageFailure } from './failures.ts'
import { historyFiles, stampOf, type HistoryFiles } from './files.ts'
import { readJournal, type JournalEntry } from './journal.ts'
import { runMigrations } from './migrate.ts'
import type { Migration } from './migrations/migration.ts'
import { EVERYTHING, readableCount, readableFew, readableRows, type Gap, type Row } from './salvageRows.ts'

export interface SalvageOptions {
  readonly dataDir: string
  readonly keys: readonly Uint8Array[]
  readonly clock: Clock
  readonly migrations: readonly Migration[]
}

export interface Salvaged {
  /** The new database; null when nothing was readable. */
  readonly copy: string | null
  readonly messages: number
  /** As far as it is known how many there were. */
  readonly expected: number
  /** Of `messages`, how many came from the journal or the latest copy. */
  readonly fromCopy: number
}

const NUMBERED = [
  { table: 'sessions', key: 'number' },
  { table: 'turns', key: 'number' },
  { table: 'messages', key: 'position' },
  { table: 'outbox', key: 'turn' },
  { table: 'ledger', key: 'number' }
] as const
const SMALL = ['facts', 'drafts', 'retention', 'hidden_sessions', 'hidden_ledger'] as const
export const SNAPSHOT_FOLDER = 'snapshots'
const BACKUP = /\.aside-backup$/

/** The damaged file is only read. @throws CopilotError or an error of the disk when there is no room for the new one. */
export function salvage(options: SalvageOptions): Salvaged {
  const files = historyFiles(options.dataDir)
  const copy = files.draft('recovering')
  const source = openDamaged(files, options.keys)
  const backup = openLatestCopy(files, options)
  const journal = readJournal(options.dataDir, options.keys)
  try {
    if (source === null && backup === null && journal.length === 0) return { copy: null, messages: 0, expected: 0, fromCopy: 0 }
    for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true })
    const target = openConnection(copy, firstOf(options.keys))
    try {
      runMigrations(target, options.migrations)
      target.pragma('foreign_keys = OFF')
      const counts = target.transaction(() => fill({ target, source, backup: backup?.db ?? null, journal, now: options.clock.now() })).immediate()
      target.pragma('wal_checkpoint(TRUNCATE)')
      return { copy: counts.messages === 0 && source === null ? null : copy, ...counts }
    } finally {
      target.close()
    }
  } finally {
    source?.close()
    backup?.close()
  }
}

interface Filling {
  readonly target: Connection
  readonly source: Connection | null
  readonly backup: Connection | null
  /** Oldest first. */
  readonly journal: readonly JournalEntry[]
  readonly now: number
}

function fill({ target, source, backup, journal, now }: Filling): Omit<Salvaged, 'copy'> {
  const fromBackup = new Map<string, number[]>()
  for (const place of NUMBERED) {
    const gaps: Gap[] = []
    const put = inserter(target, place.table)
    if (source === null) gaps.push(EVERYTHING)
    else for (const row of readableRows(source, place, (gap) => gaps.push(gap))) put(row)
    const added: number[] = []
    const isMissing = (row: Row): boolean => gaps.some(({ from, to }) => Number(row[place.key]) >= from && Number(row[place.key]) <= to)
    const add = (row: Row): void => {
      if (isMissing(row) && put(row)) added.push(Number(row[place.key]))
    }
    if (gaps.length > 0) {
      // The newest state of each row first: the first one that is there stays.
      for (const entry of journal.toReversed()) for (const { table, row } of entry) if (table === place.table) add(row)
      if (backup !== null) for (const row of readableRows(backup, place, () => undefined)) add(row)
    }
    fromBackup.set(place.table, added)
  }
  for (const table of SMALL) {
    const put = inserter(target, table)
    for (const row of source === null ? [] : readableFew(source, table)) put(row)
    if (source === null && backup !== null) for (const row of readableFew(backup, table)) put(row)
  }
  repair(target, now)
  askAgain(target, [...(fromBackup.get('outbox') ?? []), ...(fromBackup.get('turns') ?? [])], now)
  const messages = readableCount(target, 'SELECT count(*) FROM messages') ?? 0
  const listed = readableCount(target, 'SELECT coalesce(sum(message_count), 0) FROM sessions') ?? 0
  const counted = source === null ? null : readableCount(source, 'SELECT count(*) FROM messages')
  target.exec('UPDATE sessions SET message_count = (SELECT count(*) FROM messages WHERE session = sessions.number)')
  return { messages, expected: Math.max(messages, listed, counted ?? 0), fromCopy: fromBackup.get('messages')?.length ?? 0 }
}

/** Takes the columns that both formats have; false when there is such a row already. */
function inserter(target: Connection, table: string): (row: Row) => boolean {
  const columns = new Set(target.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[])
  const statements = new Map<string, ReturnType<Connection['prepare']>>()
  return (row) => {
    const names = Object.keys(row).filter((name) => columns.has(name))
    const shape = names.join(',')
    let statement = statements.get(shape)
    if (statement === undefined) {
      statement = target.prepare(`INSERT OR IGNORE INTO ${table} (${shape}) VALUES (${names.map(() => '?').join(', ')})`)
      statements.set(shape, statement)
    }
    return statement.run(names.map((name) => row[name])).changes > 0
  }
}

/** Rows refer to each other; those whose other end is gone get one that says so, or let go. */
function repair(db: Connection, now: number): void {
  const orphaned = db.prepare('SELECT 1 FROM messages WHERE session NOT IN (SELECT number FROM sessions) LIMIT 1').get() !== undefined
  if (orphaned) {
    const { lastInsertRowid } = db
      .prepare(
        `INSERT INTO sessions (number, id, title, client_name, meeting_type, project_context, service_types, cloud_providers, custom_fields, notes,
           status, pinned, created_at, updated_at, last_activity_at)
         VALUES ((SELECT max(n) + 1 FROM (SELECT max(number) AS n FROM sessions UNION ALL SELECT max(session) FROM messages UNION ALL SELECT 0)),
           ?, 'Recovered messages', '', '', '', '[]', '[]', '{}', '', 'active', 0, ?, ?, ?)`
      )
      .run(`recovered-${stampOf(now)}`, now, now, now)
    for (const table of ['turns', 'messages']) {
      db.prepare(`UPDATE ${table} SET session = ? WHERE session NOT IN (SELECT number FROM sessions)`).run(lastInsertRowid)
    }
  }
  db.exec(`
    UPDATE messages SET turn = NULL WHERE turn IS NOT NULL AND turn NOT IN (SELECT number FROM turns);
    DELETE FROM turns WHERE session NOT IN (SELECT number FROM sessions);
    DELETE FROM outbox WHERE turn NOT IN (SELECT number FROM turns);
    UPDATE turns SET answer = NULL WHERE answer IS NOT NULL AND answer NOT IN (SELECT position FROM messages);
    -- A question whose row of the outbox is lost: one that was answered is settled, any other waits, and asks first.
    INSERT INTO outbox (turn, state, accepted_at)
      SELECT t.number, iif(t.state IN ('done', 'cancelled'), 'settled', iif(t.state = 'failed', 'failed', 'waiting')), 0
      FROM turns t JOIN messages m ON m.position = t.question AND m.turn = t.number
      WHERE t.number NOT IN (SELECT turn FROM outbox);
    UPDATE messages SET indexed_length = 0;
    DELETE FROM shards;
    INSERT INTO spans (number, from_at, to_at) SELECT position / 1024, min(created_at), max(created_at) FROM messages GROUP BY position / 1024;
    INSERT INTO facts (name, value) VALUES ('index_from', '0') ON CONFLICT (name) DO UPDATE SET value = '0';
  `)
}

/** What came from an older copy may have been sent since: the person is asked. */
function askAgain(db: Connection, turns: readonly number[], now: number): void {
  const ask = db.prepare(
    `UPDATE outbox SET state = 'waiting', confirmed_at = NULL, next_attempt_at = NULL, attempts = 0, accepted_at = min(accepted_at, ?)
     WHERE turn = ? AND state IN ('waiting', 'sending')`
  )
  for (const turn of turns) ask.run(now - 3_600_001, turn)
}

function openDamaged(files: HistoryFiles, keys: readonly Uint8Array[]): Connection | null {
  if (files.size() === 0) return null
  return opened(files.database, keys)
}

function opened(file: string, keys: readonly Uint8Array[]): Connection | null {
  for (const key of keys) {
    try {
      return openConnection(file, key, { readonly: true, fileMustExist: true })
    } catch (error) {
      if (storageFailure(error) !== 'damaged') throw error
    }
  }
  return null
}

/** The newest automatic copy that opens. */
function openLatestCopy(files: HistoryFiles, { dataDir, keys, clock }: SalvageOptions): { readonly db: Connection; close(): void } | null {
  const folder = join(dataDir, SNAPSHOT_FOLDER)
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => BACKUP.test(name)) : []
  for (const name of names.sort().toReversed()) {
    const copy = files.draft('copying')
    const remove = (): void => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true })
    }
    try {
      const { dataKey } = extract({ dataDir, keys, file: join(folder, name), passphrase: null, now: clock.now(), progress: () => undefined }, copy)
      const db = openConnection(copy, dataKey, { readonly: true, fileMustExist: true })
      return {
        db,
        close() {
          db.close()
          remove()
        }
      }
    } catch (error) {
      remove()
      // A copy that is no good either: the one before may be.
      if (!(error instanceof CopilotError) && storageFailure(error) !== 'damaged') throw error
    }
  }
  return null
}

function firstOf(keys: readonly Uint8Array[]): Uint8Array {
  const [key] = keys
  if (key === undefined) throw new Error('A history without a key')
  return key
}
