// Forgetting in the service's store.
import type { Store } from '../store/store.ts'
import type { Forgetting } from './retention.ts'

export function createSqliteForgetting({ database, writer }: Pick<Store, 'database' | 'writer'>): Forgetting {
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
    decisions: 'DELETE FROM past_decision WHERE decided_at < ?',
    // One that still runs is nobody's past.
    tasks: "DELETE FROM scheduled_task WHERE state <> 'active' AND coalesce(last_at, created_at) < ?"
  }).map(([name, sql]) => ({ name, statement: database.prepare<[number]>(sql) }))
  return {
    async forget(before) {
      const counts: Record<string, number> = {}
      for (const { name, statement } of removals) counts[name] = await writer.write(() => statement.run(before).changes)
      return counts
    }
  }
}
