// Forgetting what is older than the operator wants to keep: conversation memory, chats and threads, events from outside, what the agent
// was told, did and decided. Turn logs go after a day anyway; the ledger and the audit log stay.
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
  /** What else keeps things of a time, beside the store; by its name in the counts. */
  readonly elsewhere?: Readonly<Record<string, (before: number) => Promise<number>>>
}

export interface Retention {
  /** Counts by what was forgotten. On the audit when there was anything. */
  prune(): Promise<Readonly<Record<string, number>>>
}

const DAY_MS = 86_400_000

export function createRetention({ store, audit, clock, days, elsewhere = {} }: RetentionOptions): Retention {
  return {
    async prune() {
      if (days === 0) return {}
      const before = clock.now() - days * DAY_MS
      const counts = { ...(await store.forget(before)) }
      for (const [name, forget] of Object.entries(elsewhere)) counts[name] = (counts[name] ?? 0) + (await forget(before))
      if (Object.values(counts).some((count) => count > 0)) {
        await audit.record({ actor: 'service', action: 'retention.pruned', subject: `${days} days`, details: counts })
      }
      return counts
    }
  }
}
