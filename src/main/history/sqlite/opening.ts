// Opens the history's database for writing, whatever state it is in: wrong key, damage, an older format, a full disk.
import { mkdirSync } from 'node:fs'
import { CopilotError } from '../../../shared/errors.ts'
import type { Clock } from '../../../shared/kit/clock.ts'
import { createBallast, type Ballast } from './ballast.ts'
import { openConnection, type Connection } from './connection.ts'
import { asStorageError, storageFailure } from './failures.ts'
import { historyFiles, type HistoryFiles } from './files.ts'
import { takeLock } from './lock.ts'
import { firstProblem, migrateCopy, readEveryPage, runMigrations, versionOf } from './migrate.ts'
import { migrations as released } from './migrations/index.ts'
import type { Migration } from './migrations/migration.ts'
import { salvage } from './salvage.ts'
import { mendLog } from './walMend.ts'

export interface OpenOptions {
  readonly dataDir: string
  /** 32 bytes. */
  readonly key: Uint8Array
  /** To be tried when that one does not fit: a change of keys may have been cut short. */
  readonly otherKeys?: readonly Uint8Array[]
  readonly clock: Clock
  /** A whole, verified database that shall take the place of the present one before it is opened. */
  readonly replacement?: Replacement
  /** Other steps than the released ones, for tests of the mechanism. */
  readonly migrations?: readonly Migration[]
}

export interface Replacement {
  readonly copy: string
  /** True: the present one is kept under another name. */
  readonly keep: boolean
}

export interface OpenedDatabase {
  /** Of those that were given, the one that fits. */
  readonly key: Uint8Array
  readonly db: Connection
  readonly files: HistoryFiles
  readonly ballast: Ballast
  /** For people; null when all was well. */
  readonly incident: string | null
  /** A crash, or damage: what was noted beside the database may have more than the database. */
  readonly afterCrash: boolean
  /** Closes the database and lets another process have it. */
  close(): void
}

/** Up to this size every page is read at each start (about 25 ms); a larger one is checked after damage was met. */
const ALWAYS_READ_BYTES = 32 * 1_048_576

/** @throws CopilotError `unavailable` (no room, no rights), `conflict` (another process has it, or a newer Aside made it). */
export function openDatabase(options: OpenOptions): OpenedDatabase {
  const { dataDir } = options
  let { replacement } = options
  const replaceOnce = (): void => {
    if (replacement === undefined) return
    historyFiles(dataDir).replaceWith(replacement.copy, replacement.keep ? options.clock.now() : null)
    replacement = undefined
  }
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const ballast = createBallast(dataDir)
    const lock = withRoom(ballast.release, () => takeLock(dataDir))
    try {
      const files = historyFiles(dataDir)
      const afterCrash = files.readLog() !== null
      const { db, key, incident } = withRoom(ballast.release, () => {
        files.finishReplacement()
        replaceOnce()
        // Before the database is opened at all: closing it again would throw away what stands behind the damage.
        const mended = mendLogOf(files, options.clock.now())
        return openOrReplace(files, { ...options, key: fittingKey(files, options) }, mended)
      })
      ballast.restore()
      const close = (): void => {
        db.close()
        lock.release()
      }
      return { db, files, ballast, key, incident, afterCrash: afterCrash || incident !== null, close }
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw asStorageError(error, dataDir)
  }
}

/** Once more when there was no room and some could be made. */
export function withRoom<T>(makeRoom: () => void, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (storageFailure(error) !== 'full') throw error
    makeRoom()
    return action()
  }
}

/** The first one when none fits: that is for the one who opens to tell. */
function fittingKey(files: HistoryFiles, { key, otherKeys = [] }: OpenOptions): Uint8Array {
  if (otherKeys.length === 0 || files.size() === 0) return key
  return [key, ...otherKeys].find((candidate) => opens(files.database, candidate)) ?? key
}

function opens(file: string, key: Uint8Array): boolean {
  try {
    openConnection(file, key, { fileMustExist: true }).close()
    return true
  } catch (error) {
    if (storageFailure(error) !== 'damaged') throw error
    return false
  }
}

interface Opening {
  readonly db: Connection
  readonly key: Uint8Array
  readonly incident: string | null
}

function openOrReplace(files: HistoryFiles, options: OpenOptions, mended: string | null): Opening {
  const { key } = options
  files.removeCopies('unfinished')
  try {
    return { db: openWhole(files, options), key, incident: mended }
  } catch (error) {
    if (storageFailure(error) !== 'damaged') throw error
    const incident = recover(files, options)
    return { db: openWhole(files, options), key, incident: [mended, incident].filter((text) => text !== null).join(' ') }
  }
}

/** What a crash left of the log, before SQLite reads it: it would end at the first bit that has flipped. */
function mendLogOf(files: HistoryFiles, now: number): string | null {
  const log = files.readLog()
  const mended = log === null ? null : mendLog(log)
  if (mended === null) return null
  const name = files.replaceLog(mended.bytes, now)
  // The cipher finds what is not as it was written; the look at every page makes sure that it is found now.
  if (mended.damaged > 0) files.markSuspect()
  return (
    `The log of the history was damaged; ${mended.corrected} of its parts were mended, ${mended.damaged} could not be. ` +
    `What stands behind them was kept. The damaged log is kept, unchanged, as ${name} in ${files.dataDir}.`
  )
}

/** Puts what can be read in the place of the damaged database, which is kept. */
function recover(files: HistoryFiles, options: OpenOptions): string {
  const { dataDir, clock, key, otherKeys = [] } = options
  const { copy, messages, expected, fromCopy } = salvage({ dataDir, clock, keys: [key, ...otherKeys], migrations: options.migrations ?? released })
  if (copy === null) {
    const name = files.setAside(clock.now())
    files.clearSuspect()
    return (
      `The history could not be read: it is damaged, or was written with another key. ` +
      `It is kept, unchanged, as ${name} in ${dataDir}; Aside started with an empty history.`
    )
  }
  const name = files.replaceWith(copy, clock.now())
  files.clearSuspect()
  const [all, got] = [expected, messages].map((n) => n.toLocaleString('en'))
  return (
    `A part of the history was damaged. ${got} of ${all} messages were recovered${fromCopy > 0 ? `, ${fromCopy.toLocaleString('en')} of them from the copies beside it` : ''}. ` +
    `The damaged file is kept as ${name} in ${dataDir}.`
  )
}

class DamageFound extends Error {
  readonly code = 'SQLITE_CORRUPT'
}

function openWhole(files: HistoryFiles, options: OpenOptions): Connection {
  const steps = options.migrations ?? released
  const newest = steps.at(-1)?.version ?? 0
  let db = openConnection(files.database, options.key)
  try {
    const version = versionOf(db)
    if (version > newest) {
      throw new CopilotError(
        'conflict',
        `The history in ${files.dataDir} was written by a newer version of Aside. Update Aside; nothing was changed.`
      )
    }
    if (files.isSuspect()) {
      const problem = firstProblem(db)
      if (problem !== null) throw new DamageFound(problem)
      files.clearSuspect()
    } else if (files.size() <= ALWAYS_READ_BYTES) {
      readEveryPage(db)
    }
    if (version === newest) files.removeCopies('kept')
    else if (version === 0) runMigrations(db, steps)
    else db = migrated(db, files, options, steps)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function migrated(db: Connection, files: HistoryFiles, options: OpenOptions, steps: readonly Migration[]): Connection {
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  migrateCopy({ files, key: options.key, migrations: steps })
  return openConnection(files.database, options.key)
}
