// Group commit: what is written within one tick becomes durable in one transaction, so that a piece of an answer does
// not cost a flush of its own to the disk.
import type { Database } from './database.ts'
import { toStoreFault } from './faults.ts'

export interface Writer {
  /**
   * Runs `write` in the next commit and resolves with its result once that is durable. When it throws, only it is
   * undone. It must only touch the database: it may run twice. Rejects with `CopilotError` when the disk refuses.
   */
  write<T>(write: () => T): Promise<T>
  /** Commits what waits; nothing can be written afterwards. */
  stop(): void
}

interface Job {
  run(): void
  /** Called after the commit, with what came out of the last run. */
  settle(): void
  reject(error: unknown): void
}

/** A commit quicker than this is followed by the next one a tick later. */
const QUICK_MS = 4
const LONGEST_PAUSE_MS = 50

/** On a slow disk commits take at most half of the process's time: each is followed by a pause as long as itself. */
export function pauseAfterCommit(tookMs: number): number {
  return tookMs <= QUICK_MS ? 0 : Math.min(LONGEST_PAUSE_MS, tookMs)
}

export interface WriterOptions {
  /** Ms, only differences count. */
  readonly monotonic?: () => number
  /** After each commit: how many writes it had and how long it took. Never throws. */
  readonly onCommit?: (writes: number, tookMs: number) => void
}

export function createWriter(database: Database, options: WriterOptions = {}): Writer {
  const monotonic = options.monotonic ?? (() => performance.now())
  let waiting: Job[] = []
  let scheduled: (() => void) | null = null
  let earliest = 0
  let stopped = false

  const transaction = database.transaction((jobs: readonly Job[]) => {
    for (const job of jobs) job.run()
  })

  const commit = (jobs: readonly Job[]): void => {
    try {
      transaction.immediate(jobs)
    } catch (error) {
      const only = jobs.length === 1 ? jobs[0] : undefined
      if (only !== undefined) return only.reject(toStoreFault(error, database.name))
      // One of them is at fault: each again by itself, so that it takes no other down.
      for (const job of jobs) commit([job])
      return
    }
    for (const job of jobs) job.settle()
  }

  const flush = (): void => {
    scheduled = null
    const jobs = waiting
    waiting = []
    const start = monotonic()
    commit(jobs)
    const end = monotonic()
    earliest = end + pauseAfterCommit(end - start)
    options.onCommit?.(jobs.length, end - start)
  }

  const schedule = (): void => {
    if (scheduled !== null) return
    const delay = earliest - monotonic()
    if (delay <= 0) {
      const handle = setImmediate(flush)
      scheduled = () => clearImmediate(handle)
    } else {
      const handle = setTimeout(flush, delay)
      scheduled = () => clearTimeout(handle)
    }
  }

  return {
    write<T>(write: () => T): Promise<T> {
      if (stopped) return Promise.reject(new Error('the store is closed'))
      return new Promise<T>((resolve, reject) => {
        let result: { value: T } | null = null
        waiting.push({
          run: () => {
            result = { value: write() }
          },
          settle: () => {
            if (result !== null) resolve(result.value)
          },
          reject
        })
        schedule()
      })
    },
    stop() {
      if (stopped) return
      stopped = true
      scheduled?.()
      if (waiting.length > 0) flush()
    }
  }
}
