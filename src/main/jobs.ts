// Long work that windows show: export, import, backup. One list, mirrored; each job ends done, failed or cancelled.
import type { Delta } from '../shared/bridge.ts'
import type { Job } from '../shared/domain.ts'
import { CopilotError, toCopilotError } from '../shared/errors.ts'
import type { NewId } from '../shared/kit/clock.ts'

/** A finished job stays in the list until it is dismissed; more than this many are forgotten, oldest first. */
const KEPT = 20
/** Progress is told at most this often, so that a quick job does not flood the windows. */
const TELL_MS = 100

export interface JobRun {
  readonly signal: AbortSignal
  /** `total` null: not known. */
  progress(done: number, total: number | null, text?: string): void
}

export interface Jobs {
  /** Runs `work` as a job. Resolves or rejects like it; the job's end is published before. `cancelled` when the person stopped it. */
  run<T>(kind: Job['kind'], text: string, work: (run: JobRun) => Promise<T>, options?: { readonly cancellable?: boolean }): Promise<T>
  /** `not_found` for one that is not running. */
  cancel(id: string): void
  dismiss(id: string): void
  list(): Job[]
  /** Aborts what runs and waits for its end. */
  stop(): Promise<void>
}

export function createJobs(options: { readonly newId: NewId; readonly publish: (delta: Delta) => void; readonly now: () => number }): Jobs {
  const { newId, publish, now } = options
  const jobs = new Map<string, Job>()
  const running = new Map<string, { readonly abort: AbortController; readonly ended: Promise<unknown> }>()

  const put = (job: Job): void => {
    jobs.set(job.id, job)
    for (const old of [...jobs.values()].filter((one) => one.state !== 'running').slice(0, -KEPT)) jobs.delete(old.id)
    publish({ slice: 'job', value: job })
  }
  return {
    async run(kind, text, work, { cancellable = true } = {}) {
      const abort = new AbortController()
      let job: Job = { id: newId(), kind, state: 'running', text, done: 0, total: null, cancellable, error: null }
      let told = now()
      put(job)
      const result = work({
        signal: abort.signal,
        progress(done, total, words = job.text) {
          job = { ...job, done, total, text: words }
          jobs.set(job.id, job)
          if (now() - told < TELL_MS) return
          told = now()
          put(job)
        }
      })
      running.set(job.id, { abort, ended: result.catch(() => undefined) })
      try {
        const value = await result
        put({ ...job, state: 'done' })
        return value
      } catch (error) {
        const failure = toCopilotError(error)
        put({ ...job, state: failure.code === 'cancelled' ? 'cancelled' : 'failed', error: failure.toWire() })
        throw error
      } finally {
        running.delete(job.id)
      }
    },
    cancel(id) {
      const job = running.get(id)
      if (job === undefined || jobs.get(id)?.cancellable === false) {
        throw new CopilotError('not_found', 'This can no longer be stopped.')
      }
      job.abort.abort()
    },
    dismiss(id) {
      if (running.has(id) || !jobs.delete(id)) return
      publish({ slice: 'job-removed', id })
    },
    list: () => [...jobs.values()],
    async stop() {
      for (const { abort } of running.values()) abort.abort()
      await Promise.all([...running.values()].map(({ ended }) => ended))
    }
  }
}
