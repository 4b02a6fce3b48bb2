// The files of the history and how they are moved: always whole sets, always durably, never deleted unless they are copies.
import { closeSync, copyFileSync, existsSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { storageFailure } from './failures.ts'

export const DATABASE_FILE = 'history.db'
const SUSPECT_FILE = 'history.suspect'
const COPY_SUFFIX = '.migrating'
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
  /** A copy to be migrated. The database must be closed: reading a file lets go of its locks. */
  copy(): string
  /** Puts the migrated copy in the database's place in one step and keeps the old one. */
  swapIn(copy: string, oldVersion: number): void
  /** Removes copies: one that a crash left half-made, and old formats kept since the start before. */
  removeCopies(which: 'unfinished' | 'kept'): void
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

export function historyFiles(dataDir: string): HistoryFiles {
  const database = join(dataDir, DATABASE_FILE)
  const suspect = join(dataDir, SUSPECT_FILE)
  return {
    dataDir,
    database,
    size: () => sizeOf(database),
    sizeWithLog: () => sizeOf(database) + sizeOf(`${database}-wal`),
    setAside(at) {
      let name = `history-set-aside-${stampOf(at)}.db`
      for (let n = 2; existsSync(join(dataDir, name)); n++) name = `history-set-aside-${stampOf(at)}-${n}.db`
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
      try {
        linkSync(database, kept)
      } catch {
        // A file system without hard links: a copy does the same, only slower.
        copyFileSync(database, kept)
        syncFile(kept)
      }
      renameSync(copy, database)
      syncFolder(dataDir)
    },
    removeCopies(which) {
      for (const name of readdirSync(dataDir)) {
        const base = COMPANIONS.reduce<string>((rest, suffix) => (rest.endsWith(suffix) ? rest.slice(0, -suffix.length) : rest), name)
        if (which === 'unfinished' ? base === DATABASE_FILE + COPY_SUFFIX : KEPT.test(base)) rmSync(join(dataDir, name), { force: true })
      }
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
