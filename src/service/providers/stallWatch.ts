// Aborts an upstream that has gone quiet: no first sign of an answer in time, or too long between two. The caller's own
// signal goes through it, so that a call has one signal.
import type { ProviderTimeouts } from './provider.ts'

export interface StallWatch {
  /** Aborted by the caller's signal, or by silence. */
  readonly signal: AbortSignal
  /** How long it was quiet, in ms, when silence ended it; null: it did not. */
  readonly stalledMs: number | null
  /** Something came: the wait starts again. */
  progress(): void
  /** What is still to come may take this long; it has no bearing on the answer any more. */
  closing(withinMs: number): void
  stop(): void
}

export function createStallWatch({ firstTextMs, betweenTextMs }: ProviderTimeouts, outer: AbortSignal): StallWatch {
  const controller = new AbortController()
  let stalledMs: number | null = null
  let timer = setTimeout(() => stall(firstTextMs), firstTextMs)
  let hasBegun = false
  const stall = (ms: number): void => {
    stalledMs = ms
    controller.abort()
  }
  // With the caller's own reason: making a new one costs a stack trace.
  const leave = (): void => controller.abort(outer.reason)
  outer.addEventListener('abort', leave, { once: true })
  if (outer.aborted) leave()
  const replaceTimer = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => stall(ms), ms)
  }
  return {
    signal: controller.signal,
    get stalledMs() {
      return stalledMs
    },
    progress() {
      if (hasBegun) timer.refresh()
      else replaceTimer(betweenTextMs)
      hasBegun = true
    },
    closing: replaceTimer,
    stop() {
      clearTimeout(timer)
      outer.removeEventListener('abort', leave)
    }
  }
}
