// What goes wrong below the store (disk, permissions, another process), said in one sentence with what to do.
import { CopilotError } from '../../shared/errors.ts'

/** The `code` that Node and SQLite put on their errors. */
export function faultCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** True when the file itself is not what it should be: damaged, or encrypted with another key. */
export function isDamage(error: unknown): boolean {
  const code = faultCode(error)
  return code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')
}

/** Translates a failed read or write at `path`; what is not about the disk or the file is a bug and stays as it is. */
export function toStoreFault(error: unknown, path: string): unknown {
  if (error instanceof CopilotError) return error
  const code = faultCode(error)
  const sentence = sentenceFor(code, path)
  return sentence === null ? error : new CopilotError('unavailable', sentence, { cause: error, details: { reason: code } })
}

function sentenceFor(code: string, path: string): string | null {
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return `The disk that holds ${path} is full or failing (${code}). What was saved is kept; free some space and try again.`
  }
  if (code === 'SQLITE_BUSY' || code.startsWith('SQLITE_LOCKED')) {
    return `Another Aside service already uses ${path}. Stop it, or set ASIDE_DATA_DIR to another folder.`
  }
  if (
    ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code) ||
    code.startsWith('SQLITE_CANTOPEN') ||
    code.startsWith('SQLITE_READONLY')
  ) {
    return `Aside can't write to ${path} (${code}). Give this user write access to it, or set ASIDE_DATA_DIR to another folder.`
  }
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')) {
    return `The service's store ${path} is damaged (${code}). Restart the service: it keeps the damaged file aside and opens a fresh one.`
  }
  return null
}
