// How long to wait before the next attempt: exponential with full jitter (AWS Architecture Blog, "Exponential Backoff
// And Jitter", 2015), never earlier than the other side asked for.
import type { Random } from './clock.ts'

export interface BackoffOptions {
  /** Upper end of the first wait. */
  readonly baseMs: number
  /** Upper end of every wait. */
  readonly capMs: number
}

/** Attempt counts from 1. Result in ms, within [retryAfterMs, retryAfterMs + min(cap, base · 2^(attempt − 1))]. */
export function backoffMs(attempt: number, random: Random, options: BackoffOptions & { readonly retryAfterMs?: number | undefined }): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(30, Math.max(0, attempt - 1)))
  return (options.retryAfterMs ?? 0) + Math.floor(random() * ceiling)
}
