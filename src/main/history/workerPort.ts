// One worker as its client sees it: calls with ids, answers as promises, and what becomes of them when the worker dies.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CopilotError } from '../../shared/errors.ts'
import type { CrossedError, FromTask, FromWorker, HistoryCall, OpenWith, TaskResult, TaskStart, ToWorker, WorkerStart } from './protocol.ts'

export interface WorkerPort {
  /** @throws CopilotError what opening failed with. */
  open(now: number, how: OpenWith): Promise<WorkerOpened>
  call(call: HistoryCall, args: readonly unknown[], now: number, signal?: AbortSignal): Promise<unknown>
  /** Finishes what is under way, then ends the worker. */
  close(): Promise<void>
  /** Ends it at once; what is under way is rejected. */
  terminate(): Promise<void>
}

export interface WorkerOpened {
  /** What a person should know about it. */
  readonly incident: string | null
  /** The key that fits. */
  readonly key: Uint8Array
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

const LOST = 'The history stopped for a moment, so it is not known whether this was saved. Try again: nothing is saved twice.'

export function errorFrom({ wire, bug }: CrossedError): CopilotError {
  const { code, message, ...options } = wire
  return new CopilotError(code, message, bug === null ? options : { ...options, cause: new Error(bug) })
}

/** Its rubbish is collected often and briefly: a long collection uses every processor and keeps the window waiting. */
const READER_YOUNG_MB = 8
const memoryOf = (role: WorkerStart['role']): { readonly resourceLimits?: { readonly maxYoungGenerationSizeMb: number } } =>
  role === 'reader' ? { resourceLimits: { maxYoungGenerationSizeMb: READER_YOUNG_MB } } : {}

/** Starts loading its code. `onLost`: it died after it had opened, without having been asked to. */
export function startWorker(url: URL, start: WorkerStart, onLost: () => void): WorkerPort {
  const worker = new Worker(url, { workerData: start, name: `history ${start.role}`, execArgv: [], ...memoryOf(start.role) })
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  let isOpen = false
  let leaving = false
  let gone: CopilotError | null = null

  const { promise: opened, resolve, reject } = Promise.withResolvers<WorkerOpened>()
  // Whoever opens it meets the failure; a worker that is never opened has nobody to tell.
  opened.catch(() => undefined)
  worker.on('message', (message: FromWorker) => {
    switch (message.kind) {
      case 'opened':
        isOpen = true
        return resolve({ incident: message.incident, key: message.key })
      case 'refused':
        leaving = true
        return reject(errorFrom(message.error))
      case 'value':
        return settle(message.id)?.resolve(message.value)
      case 'error':
        return settle(message.id)?.reject(errorFrom(message.error))
    }
  })
  // An error is always followed by `exit`, where everything is settled; its text is the only trace of a bug.
  let cause: unknown
  worker.on('error', (error) => {
    cause = error
  })
  worker.once('exit', () => {
    gone = new CopilotError('unavailable', LOST, { cause })
    reject(gone)
    for (const { reject: rejectCall } of waiting.values()) rejectCall(gone)
    waiting.clear()
    if (isOpen && !leaving) onLost()
  })

  function settle(id: number): Waiting | undefined {
    const found = waiting.get(id)
    waiting.delete(id)
    return found
  }

  function post(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(message)
  }

  function ask(message: (id: number) => ToWorker, signal?: AbortSignal): Promise<unknown> {
    if (gone !== null) return Promise.reject(gone)
    if (signal?.aborted === true) return Promise.reject(new CopilotError('cancelled', 'Stopped.'))
    lastId += 1
    const id = lastId
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        post({ kind: 'cancel', id })
        settle(id)?.reject(new CopilotError('cancelled', 'Stopped.'))
      }
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      signal?.addEventListener('abort', onAbort, { once: true })
      waiting.set(id, {
        resolve: (value) => {
          done()
          resolve(value)
        },
        reject: (error) => {
          done()
          // oxlint-disable-next-line prefer-promise-reject-errors -- always a CopilotError, made above
          reject(error)
        }
      })
      post(message(id))
    })
  }

  return {
    open(now, how) {
      post({ kind: 'open', now, with: how })
      return opened
    },
    call: (call, args, now, signal) => ask((id) => ({ kind: 'call', id, now, call, args }), signal),
    async close() {
      leaving = true
      if (gone !== null) return
      const exit = once(worker, 'exit')
      await ask((id) => ({ kind: 'close', id }))
      await exit
    },
    async terminate() {
      leaving = true
      await worker.terminate()
    }
  }
}

export interface TaskRun {
  readonly url: URL
  readonly start: TaskStart
  readonly signal: AbortSignal
  readonly progress: (done: number, total: number) => void
}

/** A thread for one task; it ends with it. Aborting ends it at once: what it had begun is a copy, and worth nothing. */
export async function runTask({ url, start, signal, progress }: TaskRun): Promise<TaskResult> {
  if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
  const worker = new Worker(url, { workerData: start, name: `history ${start.task.kind}`, execArgv: [] })
  const { promise, resolve, reject } = Promise.withResolvers<TaskResult>()
  const onAbort = (): void => {
    reject(new CopilotError('cancelled', 'Stopped. Nothing was changed.'))
    void worker.terminate()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  worker.on('message', (message: FromTask) => {
    switch (message.kind) {
      case 'progress':
        return progress(message.done, message.total)
      case 'result':
        return resolve(message.result)
      case 'failed':
        return reject(errorFrom(message.error))
    }
  })
  worker.on('error', reject)
  const exited = once(worker, 'exit')
  try {
    return await Promise.race([
      promise,
      exited.then(() => Promise.reject(new CopilotError('unavailable', 'This stopped before it was done. Nothing was changed; try again.')))
    ])
  } finally {
    signal.removeEventListener('abort', onAbort)
    await exited
  }
}
