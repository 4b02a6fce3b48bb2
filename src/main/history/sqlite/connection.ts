// One encrypted connection to the history's database. Everything that must be set before the first page is read is set here.
import Database from 'better-sqlite3'
import { makePrivateFile } from './files.ts'

/** better-sqlite3 with ciphers: its types are those of better-sqlite3, plus the key. */
export type Connection = Database.Database & { key(key: Buffer): number; rekey(key: Buffer): number }

export interface ConnectionOptions {
  readonly readonly?: boolean
  readonly fileMustExist?: boolean
  /** Of a page cache that is only useful while nothing else writes: every commit of another connection empties it. */
  readonly cacheKiB?: number
}

export const KEY_LENGTH = 32

/** "raw:" and 32 bytes: used as they are, without a key derivation that would only cost time at every start. */
function rawKey(key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('raw:'), key])
}

/** Encrypts a copy of a database, every page of it, with another key. It is in nobody's use: a crash leaves it worthless. */
export function reencrypt(file: string, key: Uint8Array, next: Uint8Array): void {
  const db = openConnection(file, key, { fileMustExist: true })
  try {
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.pragma('journal_mode = DELETE')
    db.pragma('journal_mode = OFF')
    db.rekey(rawKey(next))
  } finally {
    db.close()
  }
}

/** @throws SqliteError `SQLITE_NOTADB` when the key is not this database's or its first page is damaged. */
export function openConnection(file: string, key: Uint8Array, options: ConnectionOptions = {}): Connection {
  if (key.byteLength !== KEY_LENGTH) throw new RangeError(`The history's key has ${KEY_LENGTH} bytes, this one has ${key.byteLength}`)
  const { readonly = false, fileMustExist = false, cacheKiB = 16_000 } = options
  // SQLite would make it readable for everybody; its log and shared memory take the rights of the database.
  if (!readonly && !fileMustExist) makePrivateFile(file)
  const db = new Database(file, { readonly, fileMustExist, timeout: 5_000 }) as Connection
  try {
    db.pragma("cipher = 'aegis'")
    db.key(rawKey(key))
    // Temporary files would hold readable text beside an encrypted database.
    db.pragma('temp_store = MEMORY')
    db.pragma(`cache_size = -${cacheKiB}`)
    db.pragma('foreign_keys = ON')
    db.pragma('trusted_schema = OFF')
    // The first page that is read: a wrong key ends here.
    db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
    if (!readonly) {
      db.pragma('journal_mode = WAL')
      // FULL lost no acknowledged commit in 200 simulated power losses; NORMAL, the build's default for WAL, did.
      db.pragma('synchronous = FULL')
      // Upkeep moves the log into the database between the writes; this is for when it can't keep up.
      db.pragma('wal_autocheckpoint = 4000')
      // A log that once grew large is cut back.
      db.pragma('journal_size_limit = 16777216')
      // Deleted text is overwritten, so that a purge removes it from the file.
      db.pragma('secure_delete = ON')
    }
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Prepared once per connection and text. */
export interface Statements {
  <Row = unknown>(sql: string): Database.Statement<unknown[], Row>
}

export function statementsOf(db: Connection): Statements {
  const prepared = new Map<string, Database.Statement>()
  return <Row>(sql: string) => {
    let statement = prepared.get(sql)
    if (statement === undefined) {
      statement = db.prepare(sql)
      prepared.set(sql, statement)
    }
    return statement as Database.Statement<unknown[], Row>
  }
}
