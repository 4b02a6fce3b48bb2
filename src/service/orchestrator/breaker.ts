// A circuit breaker for one provider and model: closed, open, half-open. An open one costs a question nothing, not even a
// connection; a half-open one lets a few through to see whether it is well again.
import type { Clock } from '../../shared/kit/clock.ts'

export type BreakerPhase = 'closed' | 'open' | 'half-open'

export interface BreakerRules {
  /** How far back calls are counted, ms. */
  readonly windowMs: number
  /** Fewer calls than this in the window prove nothing. */
  readonly leastCalls: number
  /** Opens from this share of failures on, 0 to 1. */
  readonly failureShare: number
  /** How long it stays open the first time, ms; doubles with each failed try to come back. */
  readonly openMs: number
  readonly longestOpenMs: number
  /** Calls let through at once while half-open, and successes in a row that close it. */
  readonly probes: number
}

export const breakerRules: BreakerRules = {
  windowMs: 30_000,
  leastCalls: 10,
  failureShare: 0.5,
  openMs: 5_000,
  longestOpenMs: 120_000,
  probes: 2
}

/** The right to make one call. Exactly one of its three ends counts; later ones change nothing. */
export interface BreakerPermit {
  succeed(): void
  /** `retryAfterMs`: what the provider itself asked for; an open breaker waits at least as long. */
  fail(retryAfterMs?: number): void
  /** The call was given up for a reason that says nothing of the provider. */
  leave(): void
}

export interface Breaker {
  readonly phase: BreakerPhase
  /** Unix ms from which a call may be tried again; null: now. */
  readonly retryAt: number | null
  /** Null: not now. */
  enter(): BreakerPermit | null
  /** The provider was asked beside all calls and is well: an open breaker tries at once, unless it was asked to wait. */
  hearWell(): void
}

const BUCKETS = 10

interface Bucket {
  /** Number of the bucket since the epoch. */
  readonly slot: number
  calls: number
  failures: number
}

/** `onChange` hears of every change of phase that a call brought about. */
export function createBreaker(rules: BreakerRules, clock: Clock, onChange: (phase: BreakerPhase) => void = () => undefined): Breaker {
  const bucketMs = rules.windowMs / BUCKETS
  let buckets: Bucket[] = []
  let openUntil: number | null = null
  /** Until then the provider itself wants to be left alone. */
  let askedUntil = 0
  /** How often in a row it was opened without having been closed between. */
  let openings = 0
  let probing = 0
  let wins = 0
  /** Calls of an earlier phase no longer count. */
  let era = 0

  const phaseAt = (now: number): BreakerPhase => (openUntil === null ? 'closed' : now < openUntil ? 'open' : 'half-open')

  const tally = (now: number): Bucket => {
    const slot = Math.floor(now / bucketMs)
    buckets = buckets.filter((bucket) => bucket.slot > slot - BUCKETS && bucket.slot <= slot)
    const last = buckets.at(-1)
    if (last?.slot === slot) return last
    const bucket = { slot, calls: 0, failures: 0 }
    buckets.push(bucket)
    return bucket
  }

  const turn = (phase: BreakerPhase): void => {
    era += 1
    probing = 0
    wins = 0
    buckets = []
    onChange(phase)
  }

  const open = (now: number, retryAfterMs: number): void => {
    askedUntil = now + retryAfterMs
    openUntil = Math.max(now + Math.min(rules.longestOpenMs, rules.openMs * 2 ** Math.min(openings, 30)), askedUntil)
    openings += 1
    turn('open')
  }

  const close = (): void => {
    openUntil = null
    openings = 0
    turn('closed')
  }

  const count = (failed: boolean, retryAfterMs: number): void => {
    const now = clock.now()
    if (openUntil !== null) {
      if (failed) return open(now, retryAfterMs)
      wins += 1
      if (wins >= rules.probes) close()
      return
    }
    const bucket = tally(now)
    bucket.calls += 1
    if (!failed) return
    bucket.failures += 1
    const calls = buckets.reduce((sum, each) => sum + each.calls, 0)
    const failures = buckets.reduce((sum, each) => sum + each.failures, 0)
    if (calls >= rules.leastCalls && failures >= calls * rules.failureShare) open(now, retryAfterMs)
  }

  return {
    get phase() {
      return phaseAt(clock.now())
    },
    get retryAt() {
      return phaseAt(clock.now()) === 'open' ? openUntil : null
    },
    enter() {
      const phase = phaseAt(clock.now())
      if (phase === 'open' || (phase === 'half-open' && probing + wins >= rules.probes)) return null
      const isProbe = phase === 'half-open'
      if (isProbe) probing += 1
      const own = era
      let ended = false
      const end = (outcome: boolean | null, retryAfterMs = 0): void => {
        if (ended) return
        ended = true
        // What began before the phase changed says nothing about the new one.
        if (own !== era) return
        if (isProbe) probing -= 1
        if (outcome !== null) count(!outcome, retryAfterMs)
      }
      return { succeed: () => end(true), fail: (retryAfterMs) => end(false, retryAfterMs), leave: () => end(null) }
    },
    hearWell() {
      const now = clock.now()
      if (openUntil !== null && now < openUntil && now >= askedUntil) openUntil = now
    }
  }
}
