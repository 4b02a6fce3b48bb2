// The agent's memory in the shared PostgreSQL. Sessions are looked up together with their user, never without.
import type { ConversationMessage } from '../providers/provider.ts'
import type { PostgresQueries } from '../store/postgres.ts'
import type { Conversation } from './conversation.ts'

export function createPostgresConversation(postgres: PostgresQueries): Conversation {
  return {
    async save({ userId, sessionId, turnId, role, text, createdAt, client = '' }) {
      await postgres.count(
        // An answer that was broken off by a restart is told again from its beginning: the longer telling is what was read.
        `INSERT INTO message AS kept (user_id, session_id, turn_id, role, text, created_at, client) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (turn_id, role) DO UPDATE SET text = excluded.text
         WHERE kept.role = 'assistant' AND length(excluded.text) > length(kept.text)`,
        [userId, sessionId, turnId, role, text, createdAt, client]
      )
    },
    before: ({ userId, sessionId, turnId, client = '' }, limit) =>
      postgres.rows<ConversationMessage>(
        `SELECT role, text FROM (
           SELECT position, role, text FROM message
           WHERE user_id = $1 AND session_id = $2 AND turn_id <> $3 AND client IN ('', $4)
             AND position < coalesce((SELECT position FROM message WHERE turn_id = $3 AND role = 'user'), 9223372036854775807)
           ORDER BY position DESC LIMIT $5
         ) AS last ORDER BY position`,
        [userId, sessionId, turnId, client, limit]
      )
  }
}
