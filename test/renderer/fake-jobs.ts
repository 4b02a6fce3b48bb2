// Long work of the fake bridge: steps that take as long as a test wants, with progress, cancel and an end.
import type { Delta } from '../../src/shared/bridge.ts'
import type { Job } from '../../src/shared/domain.ts'
import { CopilotError, toCopilotError } from '../../src/shared/errors.ts'

const STEPS = 20

export interface FakeJobs {
  /** Resolves at the end of the last step; rejects `cancelled`, or with what `failNext` planned. */
  run<T>(kind: Job['kind'], text: string, total: number, end: () => T): Promise<T>
  cancel(id: string): void
  dismiss(id: string): void
  list(): Job[]
  /** The next job fails half way. */
  failNext(error: CopilotError): void
  stop(): void
}

export function createFakeJobs({ push, stepMs }: { readonly push: (...deltas: Delta[]) => void; readonly stepMs: number }): FakeJobs {
  const jobs = new Map<string, Job>()
  const timers = new Map<string, { readonly timer: ReturnType<typeof setTimeout>; readonly cancel: () => void }>()
  let planned: CopilotError | null = null
  let counter = 0

  const put = (job: Job): void => {
    jobs.set(job.id, job)
    push({ slice: 'job', value: job })
  }
  return {
    run: (kind, text, total, end) => {
      counter += 1
      const id = `job-${counter}`
      const failure = planned
      planned = null
      put({ id, kind, state: 'running', text, done: 0, total, cancellable: kind !== 'purge' && kind !== 'rekey', error: null })
      return new Promise((resolve, reject) => {
        const finish = (state: Job['state'], error: unknown): void => {
          const job = jobs.get(id)
          timers.delete(id)
          if (job === undefined) return
          put({ ...job, state, error: error === null ? null : toCopilotError(error).toWire() })
          if (error !== null) reject(error)
        }
        const step = (done: number): void => {
          const job = jobs.get(id)
          if (job === undefined) return
          if (failure !== null && done >= STEPS / 2) return finish('failed', failure)
          if (done < STEPS) {
            put({ ...job, done: Math.round((total * done) / STEPS) })
            timers.set(id, {
              timer: setTimeout(() => step(done + 1), stepMs),
              cancel: () => finish('cancelled', new CopilotError('cancelled', 'You stopped it. Nothing was changed.'))
            })
            return
          }
          const value = end()
          put({ ...job, done: total })
          finish('done', null)
          resolve(value)
        }
        step(1)
      })
    },
    cancel: (id) => {
      const running = timers.get(id)
      if (running === undefined) throw new CopilotError('not_found', 'This can no longer be stopped.')
      clearTimeout(running.timer)
      running.cancel()
    },
    dismiss: (id) => {
      if (!jobs.delete(id)) return
      push({ slice: 'job-removed', id })
    },
    list: () => [...jobs.values()],
    failNext: (error) => {
      planned = error
    },
    stop: () => {
      for (const { timer } of timers.values()) clearTimeout(timer)
      timers.clear()
    }
  }
}
