// Makes the data folder, for its owner only.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { faultCode } from './faults.ts'

/**
 * Makes `path` and what is missing above it (0700). Not by `recursive`: that never returns on file systems that answer
 * ENOENT to every mkdir, such as /proc. Throws Node's own error.
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was quicker.
    if (faultCode(error) === 'EEXIST' && isFolder(path)) return
    throw faultCode(error) === 'ENOENT' ? Object.assign(error as Error, { code: 'EACCES' }) : error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
