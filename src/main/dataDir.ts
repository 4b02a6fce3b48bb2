// The folder of all data, made before anything is put into it.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CopilotError } from '../shared/errors.ts'

/**
 * Makes the folder, readable by this account only, where it is not there yet.
 * @throws CopilotError `unavailable`, in one sentence that says what to do.
 */
export function ensureDataDir(dir: string): void {
  try {
    make(dir)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw new CopilotError('unavailable', `Aside can’t keep its data in ${dir}${why}. Set ASIDE_DATA_DIR to a folder that you may write to.`, {
      cause: error
    })
  }
}

/** Step by step: mkdir's own `recursive` never ends on file systems that refuse without saying why. */
function make(dir: string): void {
  const there = statSync(dir, { throwIfNoEntry: false })
  if (there?.isDirectory()) return
  if (there !== undefined) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
  if (dirname(dir) !== dir) make(dirname(dir))
  mkdirSync(dir, { mode: 0o700 })
}
