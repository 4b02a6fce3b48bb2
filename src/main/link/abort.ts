// Waiting that can be given up: what both transports and the supervisor need around an AbortSignal.
import { CopilotError } from '../../shared/errors.ts'
import type { Timers } from './timers.ts'

export function stopped(signal: AbortSignal): CopilotError {
  return new CopilotError('cancelled', 'Stopped.', { cause: signal.reason })
}

export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw stopped(signal)
}

/** Calls `task` when the signal aborts, at once if it has; returns the function that ends the watch. */
export function onAbort(signal: AbortSignal, task: () => void): () => void {
  if (signal.aborted) {
    task()
    return () => undefined
  }
  signal.addEventListener('abort', task, { once: true })
  return () => signal.removeEventListener('abort', task)
}

/** The promise's outcome, or `cancelled` as soon as the signal aborts; the work behind it goes on for others. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const unwatch = onAbort(signal, () => reject(stopped(signal)))
    promise.then(resolve, reject).finally(unwatch)
  })
}

export interface Limit {
  readonly ms: number
  readonly timers: Timers
  readonly message: string
}

/** Runs `work` with a signal that also aborts after the limit; then the rejection is `timeout`. */
export async function within<T>(limit: Limit, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const callOff = limit.timers.after(limit.ms, () => late.abort())
  const both = AbortSignal.any([signal, late.signal])
  try {
    return await abortable(work(both), both)
  } catch (error) {
    if (late.signal.aborted && !signal.aborted) throw new CopilotError('timeout', limit.message, { cause: error })
    throw error
  } finally {
    callOff()
  }
}
