// Forgetting what is older than the operator wants to keep: conversation memory, chats and threads, events from outside. Turn logs
// go after a day anyway; the ledger and the audit log stay.
import type { Audit } from '../audit/audit.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Store } from '../store/store.ts'

export interface RetentionOptions {
  readonly store: Pick<Store, 'database' | 'writer'>
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

export function createSqliteRetention({ store: { database, writer }, audit, clock, days }: RetentionOptions): Retention {
  const removals = Object.entries({
    messages: 'DELETE FROM message WHERE created_at < ?',
    // The whole chat by its last word, with all that was said in it; never while somebody waits for an answer there.
    chatSessions: `DELETE FROM chat_session WHERE updated_at < ? AND NOT EXISTS (
      SELECT 1 FROM chat_message AS one WHERE one.user_id = chat_session.user_id AND one.kind = chat_session.kind
        AND one.session_id = chat_session.session_id AND one.state = 'pending')`,
    externalEvents: 'DELETE FROM external_event WHERE received_at < ? AND handled_at IS NOT NULL'
  }).map(([name, sql]) => ({ name, statement: database.prepare<[number]>(sql) }))

  return {
    async prune() {
      if (days === 0) return {}
      const before = clock.now() - days * DAY_MS
      const counts: Record<string, number> = {}
      for (const { name, statement } of removals) counts[name] = await writer.write(() => statement.run(before).changes)
      if (Object.values(counts).some((count) => count > 0)) {
        await audit.record({ actor: 'service', action: 'retention.pruned', subject: `${days} days`, details: counts })
      }
      return counts
    }
  }
}
