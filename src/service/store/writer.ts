// Group commit: what is written within one tick, or while the disk is busy with the last commit, becomes durable together, so that
// a piece of an answer does not cost a flush of its own.
import type { Bond } from './bond.ts'
import type { Database } from './database.ts'
import { toStoreFault } from './faults.ts'
import type { Flush } from './flush.ts'

export interface Writer {
  /**
   * Runs `write` in the next commit and resolves with its result once that is durable. When it throws, only it is
   * undone. It must only touch the database: it may run twice. Rejects with `CopilotError` when the disk refuses.
   *
   * With a bond it is undone with the others of the bond that are in the same commit, and not made at all after one of them has
   * failed; what was in an earlier commit stays. So what must not be without another is written after it, or in the same tick.
   */
  write<T>(write: () => T, bond?: Bond): Promise<T>
  /** From now on this is part of every commit. */
  join(part: CommitPart): void
  /** Resolves when all that can be read now is durable: for those who show what they have read. */
  settled(): Promise<void>
  /** Commits what waits; nothing can be written afterwards. */
  stop(): void
}

/** What is done once for all writes of a commit. Both are synchronous, within the transaction, and may run again for the same writes. */
export interface CommitPart {
  /** Before the first write: what an undone transaction left in memory is forgotten. */
  begin(): void
  /** After the last one. When it throws, they are undone. */
  end(): void
}

interface Job {
  readonly bond: Bond | undefined
  run(): void
  /** Called after the commit, with what came out of the last run. */
  settle(): void
  reject(error: unknown): void
}

/** A commit quicker than this is followed by the next one a tick later. */
const QUICK_MS = 4
const LONGEST_PAUSE_MS = 50

/** With a flush beside the event loop: from one commit to the next, so that those of many turns become one. */
const LEAST_PACE_MS = 2
const LONGEST_PACE_MS = 16
/** Of the event loop's time, what commits may take. Of what it would idle away beyond half, they may have all: nobody waits for a pace then. */
const COMMIT_SHARE = 1 / 8
const IDLE_KEPT = 1 / 2

/** On a slow disk commits take at most half of the process's time: each is followed by a pause as long as itself. */
export function pauseAfterCommit(tookMs: number): number {
  return tookMs <= QUICK_MS ? 0 : Math.min(LONGEST_PAUSE_MS, tookMs)
}

/**
 * From the beginning of a commit that held the event loop for so long to the next one: under load fewer and larger ones. `idle`: the
 * share of the time lately in which the event loop had nothing to do.
 */
export function paceAfterCommit(heldMs: number, idle: number): number {
  const share = COMMIT_SHARE + Math.max(0, idle - IDLE_KEPT)
  return Math.min(LONGEST_PACE_MS, Math.max(LEAST_PACE_MS, heldMs / share))
}

/** Each call: the share of idle time since the one before. */
function watchIdleness(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return 1 - utilization
  }
}

export interface WriterOptions {
  /** Ms, only differences count. */
  readonly monotonic?: () => number
  /** After each commit: how many writes it had and how long it took until it was durable. Never throws. */
  readonly onCommit?: (writes: number, tookMs: number) => void
  /** Makes commits durable; absent: the database does it by itself, within the commit. */
  readonly flush?: Flush
}

export function createWriter(database: Database, options: WriterOptions = {}): Writer {
  const { flush } = options
  const monotonic = options.monotonic ?? (() => performance.now())
  const idleness = watchIdleness()
  let waiting: Job[] = []
  let scheduled: (() => void) | null = null
  let earliest = 0
  let stopped = false
  /** What is committed and on its way to the disk. */
  let flushing: { readonly jobs: readonly Job[]; readonly ended: Promise<void> } | null = null
  /** A flush has failed, and what it was to bring to the disk may not be there. */
  let isTorn = false
  const parts: CommitPart[] = []

  const transaction = database.transaction((jobs: readonly Job[]) => {
    for (const part of parts) part.begin()
    for (const job of jobs) job.run()
    for (const part of parts) part.end()
  })

  /** Those that are committed; the others are rejected. */
  const commit = (jobs: readonly Job[]): readonly Job[] => {
    try {
      transaction.immediate(jobs)
      return jobs
    } catch (error) {
      const units = unitsOf(jobs)
      // One of them is at fault: each again by itself, so that it takes no other down.
      if (units.length > 1) return units.flatMap(commit)
      refuse(jobs, error)
      return []
    }
  }

  const refuse = (jobs: readonly Job[], error: unknown): void => {
    const fault = toStoreFault(error, database.name)
    for (const job of jobs) {
      job.bond?.fail(fault)
      job.reject(fault)
    }
  }

  /** False: another write of its bond has failed, and it is told so. */
  const isToBeMade = ({ bond, reject }: Job): boolean => {
    if (bond === undefined || bond.failure === null) return true
    reject(bond.failure.error)
    return false
  }

  /** False: what a failed flush left behind is still not safe, and the jobs are told so. */
  const mended = (jobs: readonly Job[]): boolean => {
    try {
      if (isTorn) flush?.mend()
      isTorn = false
      return true
    } catch (error) {
      refuse(jobs, error)
      return false
    }
  }

  const settle = (jobs: readonly Job[]): void => {
    for (const job of jobs) job.settle()
  }

  const flushed = async (way: Flush, jobs: readonly Job[]): Promise<void> => {
    try {
      await way.later()
    } catch {
      // Not lost yet: see `mend`.
      isTorn = true
    }
    // Stopped meanwhile: they were settled then.
    if (flushing?.jobs !== jobs) return
    flushing = null
    if (mended(jobs)) settle(jobs)
  }

  const flushAtOnce = (way: Flush, jobs: readonly Job[]): void => {
    try {
      way.now()
    } catch {
      isTorn = true
    }
    if (mended(jobs)) settle(jobs)
  }

  const go = (): void => {
    scheduled = null
    const jobs = waiting.filter(isToBeMade)
    waiting = []
    if (jobs.length === 0 || !mended(jobs)) return
    const start = monotonic()
    const committed = commit(jobs)
    const heldMs = monotonic() - start
    const end = (): void => {
      const tookMs = monotonic() - start
      earliest = flush === undefined ? start + tookMs + pauseAfterCommit(tookMs) : start + paceAfterCommit(heldMs, idleness())
      options.onCommit?.(jobs.length, tookMs)
      if (waiting.length > 0) schedule()
    }
    if (flush === undefined) {
      settle(committed)
      return end()
    }
    if (committed.length === 0) return end()
    if (stopped) {
      flushAtOnce(flush, committed)
      return end()
    }
    const ended = flushed(flush, committed).then(end)
    // Before the first wait: `flushed` has not gone on yet.
    flushing = { jobs: committed, ended }
  }

  const schedule = (): void => {
    // While the disk is busy the next commit grows.
    if (scheduled !== null || flushing !== null) return
    const delay = earliest - monotonic()
    if (delay <= 0) {
      const handle = setImmediate(go)
      scheduled = () => clearImmediate(handle)
    } else {
      const handle = setTimeout(go, delay)
      scheduled = () => clearTimeout(handle)
    }
  }

  return {
    write<T>(write: () => T, bond?: Bond): Promise<T> {
      if (stopped) return Promise.reject(new Error('the store is closed'))
      return new Promise<T>((resolve, reject) => {
        let result: { value: T } | null = null
        waiting.push({
          bond,
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
    join: (part) => void parts.push(part),
    settled: async () => {
      await flushing?.ended
      if (isTorn) throw toStoreFault(Object.assign(new Error('not on the disk'), { code: 'SQLITE_IOERR_FSYNC' }), database.name)
    },
    stop() {
      if (stopped) return
      stopped = true
      scheduled?.()
      const under = flushing
      flushing = null
      if (under !== null && flush !== undefined) flushAtOnce(flush, under.jobs)
      if (waiting.length > 0) go()
    }
  }
}

/** What stands or falls together; a write without a bond by itself. In order, by the last of each: the end of a turn after its events. */
function unitsOf(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const bonded = new Map<Bond, Job[]>()
  const units: Job[][] = []
  for (const job of jobs.toReversed()) {
    const known = job.bond === undefined ? undefined : bonded.get(job.bond)
    if (known !== undefined) {
      known.unshift(job)
      continue
    }
    const unit = [job]
    units.unshift(unit)
    if (job.bond !== undefined) bonded.set(job.bond, unit)
  }
  return units
}
