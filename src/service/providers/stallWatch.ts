// Ends an upstream's answer that has gone quiet: no first sign of it in time, or too long between two.
import type { ProviderTimeouts } from './provider.ts'

export interface StallWatch {
  /** Aborted by the caller's signal, or by silence; made when it is asked for, since most answers do without. */
  readonly signal: AbortSignal
  /** How long it was quiet, in ms, when silence ended it; null: it did not. */
  readonly stalledMs: number | null
  /** Something came: the wait starts again. */
  progress(): void
  /** What is still to come may take this long; it has no bearing on the answer any more. */
  closing(withinMs: number): void
  stop(): void
}

/** Made once: an abort without a reason makes an error with a stack trace. */
const QUIET = new Error('it was quiet for too long')

/** `onStall` is called once, when silence ends it; not when the caller's signal does. */
export function createStallWatch({ firstTextMs, betweenTextMs }: ProviderTimeouts, outer: AbortSignal, onStall = (): void => undefined): StallWatch {
  let stalledMs: number | null = null
  let allowedMs = firstTextMs
  let until = performance.now() + firstTextMs
  let controller: AbortController | null = null
  // With the caller's own reason, for the same cause.
  const leave = (): void => controller?.abort(outer.reason)
  const look = (): void => {
    // A sign of life moves the end and leaves the timer as it is: there are many of them, and silences are few.
    const leftMs = until - performance.now()
    if (leftMs > 0) return arm(leftMs)
    stalledMs = allowedMs
    onStall()
    controller?.abort(QUIET)
  }
  let timer = setTimeout(look, firstTextMs)
  const arm = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(look, ms)
  }
  const allow = (ms: number): void => {
    const isSooner = ms < allowedMs
    allowedMs = ms
    until = performance.now() + ms
    if (isSooner) arm(ms)
  }
  return {
    get signal() {
      if (controller !== null) return controller.signal
      controller = new AbortController()
      outer.addEventListener('abort', leave, { once: true })
      if (outer.aborted) leave()
      if (stalledMs !== null) controller.abort(QUIET)
      return controller.signal
    },
    get stalledMs() {
      return stalledMs
    },
    progress: () => allow(betweenTextMs),
    closing: allow,
    stop() {
      clearTimeout(timer)
      if (controller !== null) outer.removeEventListener('abort', leave)
    }
  }
}
