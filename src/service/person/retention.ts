// Forgetting what is older than the operator wants to keep: conversation memory, chats and threads, events from outside. Turn logs
// go after a day anyway; the ledger and the audit log stay.
import type { Audit } from '../audit/audit.ts'
import type { Clock } from '../../shared/kit/clock.ts'

/** What can forget: the port. */
export interface Forgetting {
  /** Removes what is older than `before` (Unix ms), for good. Counts by what was forgotten. */
  forget(before: number): Promise<Readonly<Record<string, number>>>
}

export interface RetentionOptions {
  readonly store: Forgetting
  readonly audit: Audit
  readonly clock: Clock
  /** 0: everything is kept. */
  readonly days: number
}

export interface Retention {
  /** Counts by what was forgotten. On the audit when there was anything. */
  prune(): Promise<Readonly<Record<string, number>>>
}

const DAY_MS = 86_400_000

export function createRetention({ store, audit, clock, days }: RetentionOptions): Retention {
  return {
    async prune() {
      if (days === 0) return {}
      const counts = await store.forget(clock.now() - days * DAY_MS)
      if (Object.values(counts).some((count) => count > 0)) {
        await audit.record({ actor: 'service', action: 'retention.pruned', subject: `${days} days`, details: counts })
      }
      return counts
    }
  }
}
