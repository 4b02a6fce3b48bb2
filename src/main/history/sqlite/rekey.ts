// A copy of the whole history under another key, to be put in its place. The database must be closed; runs in a thread of its own.
import { rmSync } from 'node:fs'
import { CopilotError } from '../../../shared/errors.ts'
import { countsOf } from './backups.ts'
import { openConnection, reencrypt } from './connection.ts'
import { asStorageError } from './failures.ts'
import { historyFiles } from './files.ts'
import { readEveryPage, versionOf } from './migrate.ts'

export interface RekeyTask {
  readonly dataDir: string
  readonly key: Uint8Array
  readonly next: Uint8Array
  readonly progress: (done: number, total: number) => void
}

/** @returns the copy's file @throws CopilotError `unavailable`: nothing was changed. */
export function prepareRekey({ dataDir, key, next, progress }: RekeyTask): string {
  const files = historyFiles(dataDir)
  const copy = files.draft('rekeying')
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(copy + suffix, { force: true })
    const db = openConnection(files.database, key, { fileMustExist: true })
    const before = { ...countsOf(db), version: versionOf(db) }
    // Free pages stay behind, and with them whatever the old key had ever encrypted there.
    db.prepare('VACUUM INTO ?').run(copy)
    db.close()
    progress(1, 3)
    reencrypt(copy, key, next)
    progress(2, 3)
    const copied = openConnection(copy, next, { readonly: true, fileMustExist: true })
    readEveryPage(copied)
    const after = { ...countsOf(copied), version: versionOf(copied) }
    copied.close()
    if (JSON.stringify(after) !== JSON.stringify(before)) {
      throw new CopilotError('unavailable', 'The history could not be encrypted anew: rows went missing on the way. It was left as it was.')
    }
    progress(3, 3)
    return copy
  } catch (error) {
    rmSync(copy, { force: true })
    throw asStorageError(error, dataDir)
  }
}
