// The agent's memory in the service's store. Sessions are looked up together with their user, never without.
import type { ConversationMessage } from '../providers/provider.ts'
import type { Store } from '../store/store.ts'
import type { Conversation } from './conversation.ts'

export function createSqliteConversation({ database, writer }: Pick<Store, 'database' | 'writer'>): Conversation {
  const insert = database.prepare<[string, string, string, string, string, number, string]>(
    // An answer that was broken off by a restart is told again from its beginning: the longer telling is what was read.
    `INSERT INTO message (user_id, session_id, turn_id, role, text, created_at, client) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (turn_id, role) DO UPDATE SET text = excluded.text WHERE role = 'assistant' AND length(excluded.text) > length(text)`
  )
  // `+ 0`: SQLite compiles a statement again for every value that is bound to a bare LIMIT, which costs ten times the look itself.
  const select = database.prepare<[string, string, string, string, string, number], ConversationMessage>(`
    SELECT role, text FROM message
    WHERE user_id = ? AND session_id = ? AND turn_id <> ? AND client IN ('', ?)
      AND position < coalesce((SELECT position FROM message WHERE turn_id = ? AND role = 'user'), 9223372036854775807)
    ORDER BY position DESC LIMIT ? + 0`)
  return {
    save: ({ userId, sessionId, turnId, role, text, createdAt, client = '' }, bond) =>
      writer.write(() => {
        insert.run(userId, sessionId, turnId, role, text, createdAt, client)
      }, bond),
    before: async ({ userId, sessionId, turnId, client = '' }, limit) => select.all(userId, sessionId, turnId, client, turnId, limit).toReversed()
  }
}
