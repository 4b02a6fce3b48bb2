// What a person sees of a question's row in the outbox. Pure; every adapter of the history says it the same way.
import type { Delivery } from '../../shared/domain.ts'
import type { OutboxRow } from './history.ts'

/** A question that waited longer than this is only sent when the person says so. */
export const ASKS_FIRST_AFTER_MS = 3_600_000

export function deliveryOf(
  row: Pick<OutboxRow, 'state' | 'attempts' | 'acceptedAt' | 'nextAttemptAt' | 'confirmedAt' | 'error'>,
  now: number
): Delivery {
  return {
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.nextAttemptAt,
    needsConfirmation: row.state === 'waiting' && row.confirmedAt === null && now - row.acceptedAt > ASKS_FIRST_AFTER_MS,
    error: row.error
  }
}
