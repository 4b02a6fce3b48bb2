// One process at a time: an exclusive lock that the operating system lets go of by itself, however the process ends.
// It is SQLite's own file lock on an empty file, the one locking code here that is proven on every platform.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { CopilotError } from '../../../shared/errors.ts'
import { storageFailure } from './failures.ts'
import { makePrivateFile } from './files.ts'

export const LOCK_FILE = 'history.lock'

export interface DataLock {
  release(): void
}

/** @throws CopilotError `conflict` when another process has it. */
export function takeLock(dataDir: string): DataLock {
  const file = join(dataDir, LOCK_FILE)
  makePrivateFile(file)
  const db = new Database(file, { timeout: 0 })
  try {
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (storageFailure(error) !== 'taken') throw error
    throw new CopilotError('conflict', `Another Aside is using the history in ${dataDir}. Close it, or give this one another ASIDE_DATA_DIR.`, {
      cause: error
    })
  }
  return { release: () => void db.close() }
}
