// What makes commits survive a power cut without standing still for the disk: SQLite writes them to its write-ahead log and does not
// wait (synchronous=NORMAL), and this flushes that file on another thread. A commit counts only once its flush is over, so an
// acknowledged write is as safe as with synchronous=FULL (docs/adr/0046).
import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'
import type { Database } from './database.ts'

export interface Flush {
  /** Resolves when everything that was committed before the call is on the disk. Rejects with what the system says. */
  later(): Promise<void>
  /** The same, at once. */
  now(): void
  /**
   * After a flush that failed the system may have dropped what it could not write, and say nothing the next time: all of it goes to
   * the database itself, which is flushed anew. Throws when the disk refuses that too.
   */
  mend(): void
  /** Nothing can be flushed afterwards. */
  close(): void
}

/** The caller closes it before the database, which has the log open as long as it is. */
export function openFlush(database: Database): Flush {
  // A descriptor of its own; closing it lets go of no lock, for SQLite locks the database's file only.
  const log = openSync(`${database.name}-wal`, 'r+')
  let running = 0
  let closed = false
  const end = (): void => {
    if (closed && running === 0) closeSync(log)
  }
  return {
    later() {
      running += 1
      return new Promise<void>((resolve, reject) => {
        fdatasync(log, (error) => {
          running -= 1
          end()
          if (error === null) resolve()
          else reject(error)
        })
      })
    },
    now: () => fdatasyncSync(log),
    mend() {
      const [result] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
      if (result?.busy !== 0) throw Object.assign(new Error('the log could not be emptied'), { code: 'SQLITE_IOERR_FSYNC' })
    },
    close() {
      if (closed) return
      closed = true
      end()
    }
  }
}
