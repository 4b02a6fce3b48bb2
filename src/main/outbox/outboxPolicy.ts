// Decisions of the outbox, pure: which question goes out next, and what becomes of one that did not get through.
import { errorTable, type CopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Random } from '../../shared/kit/clock.ts'
import { isStale, needsConfirmation } from '../history/delivery.ts'
import type { OutboxChange, OutboxRow } from '../history/history.ts'

/** Answers streamed at the same time; the service allows five streams a user. */
export const MAX_PARALLEL = 4
/** Attempts that reached the service and failed for a passing reason, before the person is asked to decide. */
export const MAX_ATTEMPTS = 8
const BACKOFF = { baseMs: 1_000, capMs: 60_000 }

export interface OutboxState {
  readonly rows: readonly OutboxRow[]
  /** Turn ids that are being delivered by this process, or were when the rows began to be read. */
  readonly inFlight: ReadonlySet<string>
  readonly online: boolean
  readonly now: number
}

export interface OutboxPlan {
  /** To be sent now, in this order. */
  readonly send: readonly OutboxRow[]
  /** When to look again; null: only when something changes. */
  readonly wakeAt: number | null
}

const byPosition = (a: OutboxRow, b: OutboxRow): number => a.position - b.position

/** It was on its way before: the service may have taken it, though nobody heard. */
export function mayHaveBeenSent(row: OutboxRow): boolean {
  return row.state === 'sending' || row.error !== null || row.lastSeq > 0
}

/**
 * Whether the service may only be asked for what it has of this turn: too old to be sent unasked, but perhaps sent in time.
 * Only when it knows nothing of it does the person have to say.
 */
export function onlyFetch(row: OutboxRow, now: number): boolean {
  return isStale(row, now) && mayHaveBeenSent(row)
}

/** Too old to be sent unasked, and never sent before: the person has to say. */
export function waitsForWord(row: OutboxRow, now: number): boolean {
  return needsConfirmation(row, now) && !mayHaveBeenSent(row)
}

/** A wait longer than any that was ever ordered comes from a clock that was set back since. */
function isDue({ nextAttemptAt, error }: OutboxRow, now: number): boolean {
  const wait = nextAttemptAt === null ? 0 : nextAttemptAt - now
  return wait <= 0 || wait > (error?.retryAfterMs ?? 0) + BACKOFF.capMs
}

/**
 * The oldest open question of each session, at most `MAX_PARALLEL` in all. One that waits for the person's word, or has
 * failed, stands aside and lets those behind it pass; one that waits for its next attempt holds them back, for order.
 */
export function planOutbox(state: OutboxState): OutboxPlan {
  const heads = new Map<string, OutboxRow>()
  // An older one that comes back into the line (rewritten, sent again by hand) waits until the one under way is through.
  const busy = new Set(state.rows.filter(({ turnId }) => state.inFlight.has(turnId)).map(({ sessionId }) => sessionId))
  for (const row of [...state.rows].sort(byPosition)) {
    if (row.state !== 'waiting' && row.state !== 'sending') continue
    if (busy.has(row.sessionId) || waitsForWord(row, state.now)) continue
    if (!heads.has(row.sessionId)) heads.set(row.sessionId, row)
  }
  const ready: OutboxRow[] = []
  let wakeAt: number | null = null
  for (const row of heads.values()) {
    if (row.nextAttemptAt !== null && !isDue(row, state.now)) {
      wakeAt = wakeAt === null ? row.nextAttemptAt : Math.min(wakeAt, row.nextAttemptAt)
      continue
    }
    if (state.online) ready.push(row)
  }
  const room = Math.max(0, MAX_PARALLEL - state.inFlight.size)
  return { send: ready.sort(byPosition).slice(0, room), wakeAt }
}

/**
 * What becomes of a question whose delivery broke off. Not for a `failed` event: that one is the turn's own end.
 * `row.attempts` counts this attempt already.
 */
export function afterFailure(row: OutboxRow, error: CopilotError, now: number, random: Random): OutboxChange {
  const wire = error.toWire()
  switch (errorTable[error.code].retry) {
    case 'outbox':
      // The link says when it is back; this attempt never reached the service and does not count.
      return { state: 'waiting', attempts: Math.max(0, row.attempts - 1), nextAttemptAt: null, error: wire }
    case 'after-refresh':
    // The link has refreshed once already. Whoever signs in again shall not find every waiting question failed meanwhile.
    case 'backoff':
      if (row.attempts >= MAX_ATTEMPTS) return { state: 'failed', nextAttemptAt: null, error: wire }
      return {
        state: 'waiting',
        nextAttemptAt: now + backoffMs(row.attempts, random, { ...BACKOFF, retryAfterMs: error.retryAfterMs }),
        error: wire
      }
    case 'never':
      return { state: 'failed', nextAttemptAt: null, error: wire }
  }
}
