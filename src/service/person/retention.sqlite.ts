// Forgetting what is older than the operator wants to keep: conversation memory, chats and threads, events from outside, what the agent
// was told, did and decided. Turn logs go after a day anyway; the ledger and the audit log stay.
import type { Audit } from '../audit/audit.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Store } from '../store/store.ts'

export interface RetentionOptions {
  readonly store: Pick<Store, 'database' | 'writer'>
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

export function createSqliteRetention({ store: { database, writer }, audit, clock, days, elsewhere = {} }: RetentionOptions): Retention {
  const removals = Object.entries({
    messages: 'DELETE FROM message WHERE created_at < ?',
    // The whole chat by its last word, with all that was said in it; never while somebody waits for an answer there.
    chatSessions: `DELETE FROM chat_session WHERE updated_at < ? AND NOT EXISTS (
      SELECT 1 FROM chat_message AS one WHERE one.user_id = chat_session.user_id AND one.kind = chat_session.kind
        AND one.session_id = chat_session.session_id AND one.state = 'pending')`,
    externalEvents: 'DELETE FROM external_event WHERE received_at < ? AND handled_at IS NOT NULL',
    // With its actions. Never one that waits for a decision or a person, that has something left to do, or that is not told on yet.
    inputs: `DELETE FROM agent_input WHERE received_at < ? AND state NOT IN ('waiting', 'held') AND (output IS NULL OR told_at IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM agent_action WHERE agent_action.input_id = agent_input.input_id AND agent_action.state IN ('held', 'ready'))`,
    decisions: 'DELETE FROM past_decision WHERE decided_at < ?'
  }).map(([name, sql]) => ({ name, statement: database.prepare<[number]>(sql) }))

  return {
    async prune() {
      if (days === 0) return {}
      const before = clock.now() - days * DAY_MS
      const counts: Record<string, number> = {}
      for (const { name, statement } of removals) counts[name] = await writer.write(() => statement.run(before).changes)
      for (const [name, forget] of Object.entries(elsewhere)) counts[name] = (counts[name] ?? 0) + (await forget(before))
      if (Object.values(counts).some((count) => count > 0)) {
        await audit.record({ actor: 'service', action: 'retention.pruned', subject: `${days} days`, details: counts })
      }
      return counts
    }
  }
}
