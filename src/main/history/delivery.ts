// What a person sees of a question's row in the outbox. Pure; every adapter of the history says it the same way.
import type { Delivery } from '../../shared/domain.ts'
import type { OutboxRow } from './history.ts'

/** A question that waited longer than this is only sent when the person says so. */
export const ASKS_FIRST_AFTER_MS = 3_600_000

type Row = Pick<OutboxRow, 'state' | 'attempts' | 'acceptedAt' | 'nextAttemptAt' | 'confirmedAt' | 'error' | 'lastSeq'>

/**
 * Not begun to be answered, not confirmed, and of another time. One from the future is too: a clock was set, and nobody
 * knows how long it has waited.
 */
export function isStale(row: Pick<Row, 'confirmedAt' | 'lastSeq' | 'acceptedAt'>, now: number): boolean {
  return row.confirmedAt === null && row.lastSeq === 0 && Math.abs(now - row.acceptedAt) > ASKS_FIRST_AFTER_MS
}

/** A turn that the service has begun to answer is resumed, however old: it was sent before it became stale. */
export function needsConfirmation(row: Row, now: number): boolean {
  return row.state === 'waiting' && isStale(row, now)
}

export function deliveryOf(row: Row, now: number): Delivery {
  return {
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.nextAttemptAt,
    needsConfirmation: needsConfirmation(row, now),
    error: row.error
  }
}
