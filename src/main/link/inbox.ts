// What a socket pushes, held until the reader pulls: turns events of an emitter into an async iterable.
import { onAbort, stopped } from './abort.ts'

export interface Inbox<T> {
  push(value: T): void
  /** What was pushed before is still read; then the reader gets the error. */
  fail(error: Error): void
  /** Yields until the signal aborts or `fail`; never ends by itself. One reader. */
  read(signal: AbortSignal): AsyncGenerator<T, never>
}

export function createInbox<T>(): Inbox<T> {
  const waiting: T[] = []
  let failure: Error | null = null
  let wake: (() => void) | null = null

  return {
    push(value) {
      waiting.push(value)
      wake?.()
    },
    fail(error) {
      failure ??= error
      wake?.()
    },
    async *read(signal) {
      const unwatch = onAbort(signal, () => wake?.())
      try {
        for (;;) {
          if (signal.aborted) throw stopped(signal)
          const next = waiting.shift()
          if (next !== undefined) yield next
          else if (failure !== null) throw failure
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        unwatch()
      }
    }
  }
}
