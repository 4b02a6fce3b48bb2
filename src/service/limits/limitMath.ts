// The arithmetic of limits: buckets as the time at which they are full again (GCRA), windows as a count. Pure.
import type { BucketRule, WindowRule } from './limitStore.ts'

/** What is kept of a bucket: Unix ms at which it is full again. Of a window: its number since the epoch and its count. */
export type LimitState = { readonly fullAt: number } | { readonly window: number; readonly count: number }

export interface Verdict {
  /** Unix ms; null: it fits now. */
  readonly retryAt: number | null
  /** After the charge. */
  readonly next: LimitState
  /** Unix ms from which the state is as good as none. */
  readonly staleAt: number
}

export function bucketVerdict(state: LimitState | undefined, rule: BucketRule, cost: number, now: number): Verdict {
  const interval = rule.windowMs / rule.limit
  const fullAt = Math.max(now, state !== undefined && 'fullAt' in state ? state.fullAt : now) + cost * interval
  const reach = rule.burst * interval
  // Only what is a whole bucket behind is full; a millisecond is the finest that clocks tell.
  const over = fullAt - reach - now
  return { retryAt: over <= 1e-6 ? null : Math.ceil(now + over), next: { fullAt }, staleAt: fullAt }
}

export function windowVerdict(state: LimitState | undefined, rule: WindowRule, cost: number, now: number): Verdict {
  const window = Math.floor(now / rule.windowMs)
  const count = (state !== undefined && 'window' in state && state.window === window ? state.count : 0) + cost
  const endsAt = (window + 1) * rule.windowMs
  const isOver = cost === 0 ? count >= rule.limit : count > rule.limit
  return { retryAt: isOver ? endsAt : null, next: { window, count }, staleAt: endsAt }
}
