// A file that only takes up room: given back when the disk is full, so that the database can still be opened and a
// question still be saved.
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { storageFailure } from './failures.ts'

export const BALLAST_FILE = 'history.ballast'
/** Room for the write-ahead log and its shared memory to grow by some hundred messages. */
export const BALLAST_BYTES = 1_048_576
/** Only with this much free beyond it is the ballast made again. */
const SPARE_BYTES = 16 * BALLAST_BYTES

export interface Ballast {
  /** Gives its room back. */
  readonly release: () => void
  /** Makes it where it is missing and there is room. Trouble with it is no trouble of the history's. */
  restore(): void
}

export function createBallast(dataDir: string): Ballast {
  const file = join(dataDir, BALLAST_FILE)
  const size = (): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  return {
    release() {
      rmSync(file, { force: true })
    },
    restore() {
      if (size() === BALLAST_BYTES) return
      const disk = statfsSync(dataDir)
      if (disk.bavail * disk.bsize < SPARE_BYTES) return
      let descriptor: number | null = null
      try {
        descriptor = openSync(file, 'w', 0o600)
        // Random, so that a compressing file system sets aside the room as well.
        writeSync(descriptor, randomBytes(BALLAST_BYTES))
        fsyncSync(descriptor)
      } catch (error) {
        if (storageFailure(error) === null) throw error
        rmSync(file, { force: true })
      } finally {
        if (descriptor !== null) closeSync(descriptor)
      }
    }
  }
}
