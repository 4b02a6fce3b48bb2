// Makes and reads backups: the database copied while it is in use, verified, and put into one file; and back again. Runs in
// a thread of its own, step by step, since each step takes as long as the disk does.
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Counts } from '../../../shared/domain.ts'
import { CopilotError } from '../../../shared/errors.ts'
import { CUT_SHORT, DAMAGED, encodeHead, headLength, newDataKey, openHead, PREFIX_LENGTH, type OpenedHead } from '../backup.ts'
import { openConnection, reencrypt, type Connection } from './connection.ts'
import { asStorageError, storageFailure } from './failures.ts'
import { historyFiles, syncFolder } from './files.ts'
import { firstProblem, versionOf } from './migrate.ts'
import { migrations } from './migrations/index.ts'

export interface BackupTask {
  readonly dataDir: string
  /** The present one first. */
  readonly keys: readonly Uint8Array[]
  readonly file: string
  readonly passphrase: string | null
  readonly now: number
  progress(done: number, total: number): void
}

const PIECE = 1_048_576

/** @returns the file's size, bytes @throws CopilotError `unavailable`; an older file of this name stays as it was then. */
export function makeBackup(task: BackupTask): number {
  const { dataDir, keys, file } = task
  const key = presentOf(keys)
  const copy = historyFiles(dataDir).draft('copying')
  const partial = `${file}.partial`
  try {
    removeCopy(copy)
    const counts = copyDatabase(dataDir, key, copy)
    const dataKey = newDataKey()
    reencrypt(copy, key, dataKey)
    const format = verify(copy, dataKey, counts)
    const sha256 = hashOf(copy, 0)
    const head = encodeHead({
      createdAt: task.now,
      format,
      counts: counts.found,
      payload: sha256,
      dataKey,
      passphrase: task.passphrase,
      historyKey: key
    })
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const size = writeWhole({ partial, head, copy, total: sha256.bytes, progress: task.progress })
    // What is on the disk is what was verified.
    if (hashOf(partial, head.byteLength).sha256 !== sha256.sha256) {
      throw new CopilotError(
        'unavailable',
        'The backup could not be written: what was read back is not what was written. The disk may be failing; choose another.'
      )
    }
    renameSync(partial, file)
    syncFolder(dirname(file))
    return size
  } catch (error) {
    throw asBackupError(error, file)
  } finally {
    removeCopy(copy)
    if (existsSync(partial)) rmSync(partial)
  }
}

export interface Prepared {
  /** The database, verified, encrypted with the present key, ready to be put in its place. */
  readonly copy: string
  readonly counts: Counts
}

/** Nothing of the present history is touched. @throws CopilotError in words for people: nothing was changed. */
export function prepareRestore(task: BackupTask): Prepared {
  const { dataDir, keys, file, now } = task
  const copy = historyFiles(dataDir).draft('restoring')
  try {
    const { header, dataKey } = extract(task, copy)
    const counts = { found: header.counts, least: header.counts, most: header.counts }
    verify(copy, dataKey, counts)
    const db = openConnection(copy, dataKey, { fileMustExist: true })
    try {
      askBeforeSending(db, now)
    } finally {
      db.close()
    }
    reencrypt(copy, dataKey, presentOf(keys))
    return { copy, counts: header.counts }
  } catch (error) {
    removeCopy(copy)
    throw storageFailure(error) === 'damaged' ? new CopilotError('invalid_request', DAMAGED, { cause: error }) : asBackupError(error, file)
  }
}

/** The database of a backup, as a file that opens with the key that is returned. */
export function extract({ file, passphrase, keys, progress }: BackupTask, copy: string): OpenedHead {
  removeCopy(copy)
  const source = openSync(file, 'r')
  try {
    const size = fstatSync(source).size
    const head = Buffer.alloc(headLength(readAt(source, 0, PREFIX_LENGTH)))
    const opened = openHead(head.subarray(0, readSync(source, head, 0, head.byteLength, 0)), passphrase, keys)
    const { bytes, sha256 } = opened.header.payload
    if (size < head.byteLength + bytes) throw new CopilotError('invalid_request', CUT_SHORT)
    if (size > head.byteLength + bytes) throw new CopilotError('invalid_request', DAMAGED)
    const newest = migrations.at(-1)?.version ?? 0
    if (opened.header.format > newest) {
      throw new CopilotError('conflict', 'This backup was made by a newer version of Aside. Nothing was changed; update Aside, then restore it.')
    }
    const target = openSync(copy, 'wx', 0o600)
    try {
      if (copyPieces({ source, from: head.byteLength, target, progress, total: bytes }) !== sha256) throw new CopilotError('invalid_request', DAMAGED)
      fsyncSync(target)
    } finally {
      closeSync(target)
    }
    return opened
  } finally {
    closeSync(source)
  }
}

/** Room for a second and third copy of the database, and some more. */
export function hasRoomForCopy(dataDir: string): boolean {
  const disk = statfsSync(dataDir)
  return disk.bavail * disk.bsize > 2 * historyFiles(dataDir).sizeWithLog() + 64 * PIECE
}

interface Bounds {
  readonly found: Counts
  readonly least: Counts
  readonly most: Counts
}

/** Writes go on meanwhile, so what was there before and after bounds what the copy must hold. */
function copyDatabase(dataDir: string, key: Uint8Array, copy: string): Bounds {
  const db = openConnection(historyFiles(dataDir).database, key, { readonly: true, fileMustExist: true })
  try {
    const before = countsOf(db)
    db.prepare('VACUUM INTO ?').run(copy)
    const after = countsOf(db)
    const copied = openConnection(copy, key, { readonly: true, fileMustExist: true })
    try {
      return { found: countsOf(copied), least: bound(Math.min, before, after), most: bound(Math.max, before, after) }
    } finally {
      copied.close()
    }
  } finally {
    db.close()
  }
}

/** @returns the version of its format @throws CopilotError when it is not whole or not all is there */
function verify(file: string, key: Uint8Array, { least, most }: Bounds): number {
  const db = openConnection(file, key, { readonly: true, fileMustExist: true })
  try {
    const counts = countsOf(db)
    const isAll =
      counts.messages >= least.messages && counts.messages <= most.messages && counts.sessions >= least.sessions && counts.sessions <= most.sessions
    const problem = isAll ? firstProblem(db) : 'rows are missing'
    if (problem !== null) throw new CopilotError('unavailable', `The copy of the history could not be verified (${problem}). Nothing was changed.`)
    return versionOf(db)
  } finally {
    db.close()
  }
}

/** Questions that waited when the copy was made: they were sent since, or are no longer wanted. The person is asked. */
function askBeforeSending(db: Connection, now: number): void {
  const anHourAgo = now - 3_600_001
  db.prepare(
    `UPDATE outbox SET state = 'waiting', attempts = 0, next_attempt_at = NULL, confirmed_at = NULL, accepted_at = min(accepted_at, ?)
     WHERE state IN ('waiting', 'sending') AND turn IN (SELECT number FROM turns WHERE last_seq = 0)`
  ).run(anHourAgo)
}

export function countsOf(db: Connection): Counts {
  const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number
  return { sessions: count('sessions'), messages: count('messages') }
}

function bound(pick: (a: number, b: number) => number, a: Counts, b: Counts): Counts {
  return { sessions: pick(a.sessions, b.sessions), messages: pick(a.messages, b.messages) }
}

interface Writing {
  readonly partial: string
  readonly head: Buffer
  readonly copy: string
  readonly total: number
  progress(done: number, total: number): void
}

function writeWhole({ partial, head, copy, total, progress }: Writing): number {
  rmSync(partial, { force: true })
  const target = openSync(partial, 'wx', 0o600)
  const source = openSync(copy, 'r')
  try {
    writeAll(target, head)
    copyPieces({ source, from: 0, target, progress, total })
    fsyncSync(target)
    return fstatSync(target).size
  } finally {
    closeSync(source)
    closeSync(target)
  }
}

interface Copying {
  readonly source: number
  readonly from: number
  readonly target: number | null
  readonly total: number
  progress(done: number, total: number): void
}

/** @returns SHA-256 of what was read, hex */
function copyPieces({ source, from, target, total, progress }: Copying): string {
  const hash = createHash('sha256')
  const piece = Buffer.alloc(PIECE)
  for (let done = 0; ;) {
    const read = readSync(source, piece, 0, PIECE, from + done)
    if (read === 0) return hash.digest('hex')
    hash.update(piece.subarray(0, read))
    if (target !== null) writeAll(target, piece.subarray(0, read))
    done += read
    progress(done, total)
  }
}

function hashOf(file: string, from: number): { readonly bytes: number; readonly sha256: string } {
  const source = openSync(file, 'r')
  try {
    return { bytes: fstatSync(source).size - from, sha256: copyPieces({ source, from, target: null, total: 0, progress: () => undefined }) }
  } finally {
    closeSync(source)
  }
}

/** A disk that is nearly full takes a part of a write. */
function writeAll(target: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.byteLength;) done += writeSync(target, bytes, done)
}

function readAt(source: number, at: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(source, bytes, 0, length, at))
}

function removeCopy(copy: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) if (existsSync(copy + suffix)) rmSync(copy + suffix, { force: true })
}

function presentOf(keys: readonly Uint8Array[]): Uint8Array {
  const [key] = keys
  if (key === undefined) throw new Error('A history without a key')
  return key
}

function asBackupError(error: unknown, file: string): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return new CopilotError('not_found', `There is no file ${file} any more, or no folder for it. Nothing was changed; choose another.`, {
      cause: error
    })
  }
  return asStorageError(error, dirname(file))
}
