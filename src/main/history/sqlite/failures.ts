// What SQLite and the file system say when they fail, told apart by what helps: room, rights, another program, damage.
import { CopilotError } from '../../../shared/errors.ts'

/** `full`: no room. `unwritable`: rights, a read-only or failing disk. `taken`: locked. `damaged`: not what was written, or another key. */
export type StorageFailure = 'full' | 'unwritable' | 'taken' | 'damaged'

const FILE_CODES: Readonly<Record<string, StorageFailure>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EACCES: 'unwritable',
  EPERM: 'unwritable',
  EROFS: 'unwritable',
  ENOTDIR: 'unwritable',
  EISDIR: 'unwritable',
  EIO: 'unwritable',
  EMFILE: 'unwritable',
  ENFILE: 'unwritable'
}

/** Null for anything that is no trouble of the storage: a bug, most likely. */
export function storageFailure(error: unknown): StorageFailure | null {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  // A database cannot be opened at 0 bytes free: the file of its shared memory can't grow.
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE') return 'full'
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) return 'damaged'
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) return 'taken'
  if (/^SQLITE_(?:READONLY|CANTOPEN|PERM|IOERR)/.test(code)) return 'unwritable'
  return FILE_CODES[code] ?? null
}

const SENTENCES: Readonly<Record<StorageFailure, (where: string) => string>> = {
  full: (where) =>
    `The disk is full, so this was not saved. Nothing that was saved before is lost. Free some space where ${where} is, then try again.`,
  unwritable: (where) =>
    `Aside can't write to ${where}, so this was not saved. Nothing that was saved before is lost. Check its permissions and the disk, then try again.`,
  taken: (where) => `Another program holds the history in ${where}, so this was not saved. Close it, then try again.`,
  damaged: (where) =>
    `A part of the history in ${where} is damaged and could not be read. Restart Aside: it keeps the damaged file, and recovers all that can be read.`
}

/** The same error for people, where it is trouble of the storage; anything else as it is. `where`: the folder of the data. */
export function asStorageError(error: unknown, where: string): unknown {
  const failure = storageFailure(error)
  return failure === null ? error : new CopilotError('unavailable', SENTENCES[failure](where), { cause: error, details: { storage: failure } })
}
