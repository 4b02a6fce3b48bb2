// Chat sessions in the shared PostgreSQL. A pending message belongs to the instance that asks it; another one asks it only when that has
// gone, and never before those that were said before it.
import { CopilotError } from '../../shared/errors.ts'
import type { Postgres, PostgresQueries } from '../store/postgres.ts'
import { askedOf, messageFrom, messageRowOf, pendingFrom, sessionFrom, sessionRowOf, type MessageRow, type Owner, type SessionRow } from './rows.ts'
import type { ChatMessage, ChatSession, SessionKey, Sessions } from './sessions.ts'

const ONE = 'user_id = $1 AND kind = $2 AND session_id = $3'
const MESSAGE = 'user_id = $1 AND kind = $2 AND message_id = $3'

export function createPostgresSessions(postgres: Postgres): Sessions {
  const { instance } = postgres
  const find = async (
    key: SessionKey,
    { queries = postgres, lock = '' }: { queries?: PostgresQueries; lock?: string } = {}
  ): Promise<ChatSession | null> => {
    const [row] = await queries.rows<SessionRow>(`SELECT * FROM chat_session WHERE ${ONE} ${lock}`, keyOf(key))
    return row === undefined ? null : sessionFrom(row)
  }
  const messageRow = async (
    { userId, kind }: Owner,
    messageId: string,
    queries: PostgresQueries = postgres
  ): Promise<(MessageRow & { position: number }) | null> =>
    (await queries.rows<MessageRow & { position: number }>(`SELECT * FROM chat_message WHERE ${MESSAGE}`, [userId, kind, messageId]))[0] ?? null
  const messages = async (rest: string, values: readonly (string | number)[]): Promise<ChatMessage[]> =>
    (await postgres.rows<MessageRow>(`SELECT * FROM chat_message ${rest}`, values)).map(messageFrom)
  /** Locks the session, so that what is said in it is said in one order. False: it is not there. */
  const touch = async (queries: PostgresQueries, key: SessionKey, now: number): Promise<boolean> =>
    (await queries.count(`UPDATE chat_session SET updated_at = $4 WHERE ${ONE}`, [...keyOf(key), now])) === 1

  return {
    async create(session) {
      const row = sessionRowOf(session)
      await postgres.count(
        `INSERT INTO chat_session (user_id, kind, session_id, client_name, context, meeting_type, metadata, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
        [...keyOf(session), row.client_name, row.context, row.meeting_type, row.metadata, row.created_at, row.updated_at]
      )
      return (await find(session)) ?? session
    },
    find: (key) => find(key),
    list: async ({ userId, kind }, { limit, before }) =>
      (
        await postgres.rows<SessionRow>(
          `SELECT * FROM chat_session WHERE user_id = $1 AND kind = $2 AND (created_at, session_id) < ($3, $4)
           ORDER BY created_at DESC, session_id DESC LIMIT $5`,
          [userId, kind, before?.at ?? Number.MAX_SAFE_INTEGER, before?.id ?? '', limit]
        )
      ).map(sessionFrom),
    update: (key, fields, now) =>
      postgres.transaction(async (queries) => {
        const known = await find(key, { queries, lock: 'FOR UPDATE' })
        if (known === null) return null
        const next = { ...known, ...fields, updatedAt: Math.max(now, known.updatedAt) }
        const row = sessionRowOf(next)
        await queries.count(
          `UPDATE chat_session SET client_name = $4, context = $5, meeting_type = $6, metadata = $7, updated_at = $8 WHERE ${ONE}`,
          [...keyOf(key), row.client_name, row.context, row.meeting_type, row.metadata, row.updated_at]
        )
        return next
      }),
    remove: (key) =>
      postgres.transaction(async (queries) => {
        if ((await queries.count(`DELETE FROM chat_session WHERE ${ONE}`, keyOf(key))) === 0) return false
        await queries.count('DELETE FROM message WHERE user_id = $1 AND session_id = $2', [key.userId, key.sessionId])
        return true
      }),

    async history(key, { limit, before }) {
      const from = typeof before === 'string' ? await messageRow(key, before) : null
      if (typeof before === 'string' && from?.session_id !== key.sessionId) {
        throw new CopilotError('invalid_request', 'There is no message with the id in "before" in this session.', { details: { field: 'before' } })
      }
      const at = typeof before === 'number' ? before : Number.MAX_SAFE_INTEGER
      const last = await messages(`WHERE ${ONE} AND position < $4 AND created_at < $5 ORDER BY position DESC LIMIT $6`, [
        ...keyOf(key),
        from?.position ?? Number.MAX_SAFE_INTEGER,
        at,
        limit
      ])
      return last.toReversed()
    },
    async after(key, messageId, limit) {
      const known = await messageRow(key, messageId)
      const position = known?.session_id === key.sessionId ? known.position : 0
      return await messages(`WHERE ${ONE} AND position > $4 ORDER BY position LIMIT $5`, [...keyOf(key), position, limit])
    },
    async message(owner, messageId) {
      const row = await messageRow(owner, messageId)
      return row === null ? null : messageFrom(row)
    },

    keep: (message) =>
      postgres.transaction(async (queries) => {
        const known = await messageRow(message, message.messageId, queries)
        if (known !== null) return messageFrom(known)
        if (!(await touch(queries, message, message.createdAt))) throw new CopilotError('not_found', 'There is no such session. Nothing was kept.')
        if (await insert(queries, messageRowOf(message, askedOf(message)), instance)) return message
        // Somebody else kept it between the two looks.
        const first = await messageRow(message, message.messageId, queries)
        return first === null ? message : messageFrom(first)
      }),
    pending: async (userId) =>
      (
        await postgres.rows<MessageRow>(
          "SELECT * FROM chat_message WHERE state = 'pending' AND ($1::text IS NULL OR user_id = $1) ORDER BY position",
          [userId ?? null]
        )
      ).map(pendingFrom),
    async pendingCount(userId) {
      const [row] = await postgres.rows<{ waiting: number }>(
        "SELECT count(*) AS waiting FROM chat_message WHERE state = 'pending' AND user_id = $1",
        [userId]
      )
      return row?.waiting ?? 0
    },
    orphans: async () =>
      (
        await postgres.rows<MessageRow>("SELECT * FROM chat_message WHERE state = 'pending' AND service_free(owner, $1) ORDER BY position", [
          instance
        ])
      ).map(pendingFrom),
    async claim({ userId, kind, messageId }) {
      const claimed = await postgres.count(
        `UPDATE chat_message AS asked SET owner = $4
         WHERE ${MESSAGE} AND state = 'pending' AND service_free(owner, $4) AND NOT EXISTS (
           SELECT 1 FROM chat_message AS earlier WHERE earlier.user_id = asked.user_id AND earlier.kind = asked.kind
             AND earlier.session_id = asked.session_id AND earlier.state = 'pending' AND earlier.position < asked.position)`,
        [userId, kind, messageId, instance]
      )
      if (claimed === 1) return 'mine'
      return (await messageRow({ userId, kind }, messageId))?.state === 'pending' ? 'wait' : 'over'
    },
    async askAgain(message, turnId) {
      const details = JSON.stringify(askedOf({ ...message, question: { ...message.question, turnId } }))
      await postgres.count(`UPDATE chat_message SET details = $4 WHERE ${MESSAGE}`, [message.userId, message.kind, message.messageId, details])
    },
    answer: (answer) =>
      postgres.transaction(async (queries) => {
        const { userId, kind } = answer
        if (!(await touch(queries, answer, answer.createdAt))) return false
        const ended = await queries.count(`UPDATE chat_message SET state = 'answered', owner = NULL WHERE ${MESSAGE} AND state = 'pending'`, [
          userId,
          kind,
          answer.answer.replyTo
        ])
        if (ended === 0) return false
        await insert(queries, messageRowOf(answer, answer.answer), null)
        return true
      }),
    async fail({ userId, kind, messageId }) {
      await postgres.count(`UPDATE chat_message SET state = 'failed', owner = NULL WHERE ${MESSAGE}`, [userId, kind, messageId])
    },
    unread: ({ userId, kind }, limit) =>
      messages("WHERE user_id = $1 AND kind = $2 AND state = 'unread' ORDER BY position LIMIT $3", [userId, kind, limit]),
    async markDelivered({ userId, kind }, messageIds) {
      await postgres.count(`UPDATE chat_message SET state = 'delivered' WHERE user_id = $1 AND kind = $2 AND message_id = ANY ($3)`, [
        userId,
        kind,
        messageIds
      ])
    }
  }
}

/** False: there is one of this id. */
async function insert(queries: PostgresQueries, row: MessageRow, owner: string | null): Promise<boolean> {
  const added = await queries.count(
    `INSERT INTO chat_message (user_id, kind, session_id, message_id, role, content, created_at, state, details, owner)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
    [row.user_id, row.kind, row.session_id, row.message_id, row.role, row.content, row.created_at, row.state, row.details, owner]
  )
  return added === 1
}

function keyOf({ userId, kind, sessionId }: SessionKey): [string, string, string] {
  return [userId, kind, sessionId]
}
