// The files of the history and how they are moved: always whole sets, always durably, never deleted unless they are copies.
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { storageFailure } from './failures.ts'

export const DATABASE_FILE = 'history.db'
const SUSPECT_FILE = 'history.suspect'
const COPY_SUFFIX = '.migrating'
/** Copies under way: whatever a crash leaves of them is worth nothing. */
const UNFINISHED = [COPY_SUFFIX, '.copying', '.restoring', '.rekeying', '.recovering'] as const
/** Whole, durable, and decided on: it takes the database's place now, or at the next start. */
const NEXT_SUFFIX = '.next'
const KEPT = /^history\.db\.before-\d+$/
/** SQLite's companions of a database file; they belong to it and move with it. */
const COMPANIONS = ['-wal', '-shm'] as const

export interface HistoryFiles {
  readonly dataDir: string
  readonly database: string
  size(): number
  /** With its log. */
  sizeWithLog(): number
  /** Renames the database with its companions; the answer is the file's new name. */
  setAside(at: number): string
  /** Where such a copy of the database is made. Removed at the next start unless it has become the database. */
  draft(kind: 'copying' | 'restoring' | 'rekeying' | 'recovering'): string
  /**
   * Puts another database in the place of this one, which must be closed; a crash at any point leaves the old or the new one,
   * whole. With `keepAt` the old one is kept, with its log: the answer is its name.
   */
  replaceWith(copy: string, keepAt: number | null): string | null
  /** Ends a replacement that was decided on before a crash. */
  finishReplacement(): void
  /** A copy to be migrated. The database must be closed: reading a file lets go of its locks. */
  copy(): string
  /** Puts the migrated copy in the database's place in one step and keeps the old one. */
  swapIn(copy: string, oldVersion: number): void
  /** Removes copies: one that a crash left half-made, and old formats kept since the start before. */
  removeCopies(which: 'unfinished' | 'kept'): void
  /** The write-ahead log that a crash left; null without one. */
  readLog(): Uint8Array | null
  /** Puts a mended log in its place, and keeps the old one: the answer is its name. */
  replaceLog(bytes: Uint8Array, at: number): string
  /** Damage was met while running: the next start looks at every page. */
  markSuspect(): void
  isSuspect(): boolean
  clearSuspect(): void
}

/** Makes renames and new names in a folder durable. Windows can't open folders, and needs no such call. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  syncFile(folder)
}

export function syncFile(file: string): void {
  const descriptor = openSync(file, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * An empty file that only its owner may read, unless there is one: a file that may be in use is not even opened, since
 * closing it again would let go of every lock that this process has on it.
 */
export function makePrivateFile(file: string): void {
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
}

/** A time as a part of a file name that every file system takes: `2026-01-31T09-30-15-250Z`. */
export function stampOf(at: number): string {
  return new Date(at).toISOString().replace(/[:.]/g, '-')
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

function freeName(dataDir: string, at: number): string {
  let name = `history-set-aside-${stampOf(at)}.db`
  for (let n = 2; existsSync(join(dataDir, name)) || existsSync(join(dataDir, `${name}-wal`)); n++) name = `history-set-aside-${stampOf(at)}-${n}.db`
  return name
}

/** The same file under a second name. */
function keepUnder(file: string, name: string): void {
  try {
    linkSync(file, name)
  } catch (error) {
    if (storageFailure(error) === 'full') throw error
    // A file system without hard links: a copy does the same, only slower.
    copyFileSync(file, name)
    syncFile(name)
  }
}

export function historyFiles(dataDir: string): HistoryFiles {
  const database = join(dataDir, DATABASE_FILE)
  const suspect = join(dataDir, SUSPECT_FILE)

  function finish(): void {
    const next = database + NEXT_SUFFIX
    if (!existsSync(next)) return
    // The old one's log must not meet the new database: SQLite would write the pages of one into the other.
    for (const suffix of COMPANIONS) rmSync(database + suffix, { force: true })
    syncFolder(dataDir)
    renameSync(next, database)
    syncFolder(dataDir)
  }

  return {
    dataDir,
    database,
    size: () => sizeOf(database),
    sizeWithLog: () => sizeOf(database) + sizeOf(`${database}-wal`),
    draft: (kind) => `${database}.${kind}`,
    replaceWith(copy, keepAt) {
      const name = keepAt === null ? null : freeName(dataDir, keepAt)
      if (name !== null) {
        for (const suffix of ['-wal', ''] as const) if (existsSync(database + suffix)) keepUnder(database + suffix, join(dataDir, name + suffix))
        syncFolder(dataDir)
      }
      for (const suffix of COMPANIONS) rmSync(copy + suffix, { force: true })
      syncFile(copy)
      // From here on it is decided: what follows is done at the next start if it is not done now.
      renameSync(copy, database + NEXT_SUFFIX)
      syncFolder(dataDir)
      finish()
      return name
    },
    finishReplacement: finish,
    setAside(at) {
      const name = freeName(dataDir, at)
      // The log before the database: should this be cut short, the next start finds the pair incomplete, not a fresh
      // database beside a stranger's log.
      for (const suffix of [...COMPANIONS, '']) if (existsSync(database + suffix)) renameSync(database + suffix, join(dataDir, name + suffix))
      syncFolder(dataDir)
      return name
    },
    copy() {
      const copy = database + COPY_SUFFIX
      copyFileSync(database, copy)
      return copy
    },
    swapIn(copy, oldVersion) {
      syncFile(copy)
      const kept = `${database}.before-${oldVersion}`
      rmSync(kept, { force: true })
      keepUnder(database, kept)
      renameSync(copy, database)
      syncFolder(dataDir)
    },
    removeCopies(which) {
      for (const name of readdirSync(dataDir)) {
        const base = COMPANIONS.reduce<string>((rest, suffix) => (rest.endsWith(suffix) ? rest.slice(0, -suffix.length) : rest), name)
        if (which === 'unfinished' ? UNFINISHED.some((suffix) => base === DATABASE_FILE + suffix) : KEPT.test(base))
          rmSync(join(dataDir, name), { force: true })
      }
    },
    readLog: () => (sizeOf(`${database}-wal`) === 0 ? null : readFileSync(`${database}-wal`)),
    replaceLog(bytes, at) {
      const [log, name, mended] = [`${database}-wal`, `${freeName(dataDir, at)}-wal`, `${database}-wal.mended`]
      writeFileSync(mended, bytes, { mode: 0o600 })
      syncFile(mended)
      keepUnder(log, join(dataDir, name))
      renameSync(mended, log)
      // What stands in the shared memory about the old log.
      rmSync(`${database}-shm`, { force: true })
      syncFolder(dataDir)
      return name
    },
    markSuspect() {
      try {
        writeFileSync(suspect, '')
      } catch (error) {
        // The damage itself is being reported; only the look at every page is put off.
        if (storageFailure(error) === null) throw error
      }
    },
    isSuspect: () => existsSync(suspect),
    clearSuspect: () => rmSync(suspect, { force: true })
  }
}
