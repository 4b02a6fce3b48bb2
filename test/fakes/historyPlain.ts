// The pages of an encrypted history as they would lie on a disk without encryption, free ones and all: to look for words
// that shall not be there.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openConnection } from '../../src/main/history/sqlite/connection.ts'

/** Every byte of a database with its log, decrypted on a copy. The database must not be written meanwhile. */
export function plainBytes(file: string, key: Uint8Array): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'aside-plain-'))
  try {
    const copy = join(dir, 'copy.db')
    for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) cpSync(file + suffix, copy + suffix)
    const db = openConnection(copy, key)
    try {
      // The log as well, page by page: what it holds ends in the file.
      db.pragma('wal_checkpoint(TRUNCATE)')
      db.pragma('journal_mode = DELETE')
      db.pragma('secure_delete = OFF')
      db.rekey(Buffer.alloc(0))
    } finally {
      db.close()
    }
    const bytes = readFileSync(copy)
    if (bytes.subarray(0, 15).toString('latin1') !== 'SQLite format 3') throw new Error('The copy is not plain')
    return bytes
  } finally {
    rmSync(dir, { recursive: true })
  }
}
