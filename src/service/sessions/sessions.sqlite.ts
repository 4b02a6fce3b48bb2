// Chat sessions in the service's store.
import { CopilotError } from '../../shared/errors.ts'
import type { Store } from '../store/store.ts'
import { askedOf, messageFrom, messageRowOf, pendingFrom, sessionFrom, sessionRowOf, type MessageRow, type Owner, type SessionRow } from './rows.ts'
import type { ChatSession, MessageState, SessionKey, Sessions } from './sessions.ts'

const ONE = 'user_id = @userId AND kind = @kind AND session_id = @sessionId'

export function createSqliteSessions({ database, writer }: Pick<Store, 'database' | 'writer'>): Sessions {
  const insertSession = database.prepare<[SessionRow]>(
    `INSERT INTO chat_session VALUES (@user_id, @kind, @session_id, @client_name, @context, @meeting_type, @metadata, @created_at, @updated_at)
     ON CONFLICT DO NOTHING`
  )
  const selectSession = database.prepare<[SessionKey], SessionRow>(`SELECT * FROM chat_session WHERE ${ONE}`)
  // Everywhere `LIMIT … + 0`: see conversation.sqlite.ts.
  const selectSessions = database.prepare<[Owner & { limit: number; at: number; id: string }], SessionRow>(
    `SELECT * FROM chat_session WHERE user_id = @userId AND kind = @kind AND (created_at, session_id) < (@at, @id)
     ORDER BY created_at DESC, session_id DESC LIMIT @limit + 0`
  )
  const updateSession = database.prepare<[SessionRow]>(
    `UPDATE chat_session SET client_name = @client_name, context = @context, meeting_type = @meeting_type, metadata = @metadata, updated_at = @updated_at
     WHERE user_id = @user_id AND kind = @kind AND session_id = @session_id`
  )
  const touchSession = database.prepare<[SessionKey & { now: number }]>(`UPDATE chat_session SET updated_at = @now WHERE ${ONE}`)
  const removals = [
    'DELETE FROM message WHERE user_id = @userId AND session_id = @sessionId',
    'DELETE FROM turn WHERE user_id = @userId AND session_id = @sessionId'
  ].map((sql) => database.prepare<[SessionKey]>(sql))
  const deleteSession = database.prepare<[SessionKey]>(`DELETE FROM chat_session WHERE ${ONE}`)

  const insertMessage = database.prepare<[MessageRow]>(
    `INSERT INTO chat_message (user_id, kind, session_id, message_id, role, content, created_at, state, details)
     VALUES (@user_id, @kind, @session_id, @message_id, @role, @content, @created_at, @state, @details)`
  )
  const selectMessage = database.prepare<[Owner & { messageId: string }], MessageRow & { position: number }>(
    'SELECT * FROM chat_message WHERE user_id = @userId AND kind = @kind AND message_id = @messageId'
  )
  const selectBefore = database.prepare<[SessionKey & { limit: number; position: number; at: number }], MessageRow>(
    `SELECT * FROM (SELECT * FROM chat_message WHERE ${ONE} AND position < @position AND created_at < @at ORDER BY position DESC LIMIT @limit + 0)
     ORDER BY position`
  )
  const selectAfter = database.prepare<[SessionKey & { limit: number; position: number }], MessageRow>(
    `SELECT * FROM chat_message WHERE ${ONE} AND position > @position ORDER BY position LIMIT @limit + 0`
  )
  const selectPending = database.prepare<[], MessageRow>("SELECT * FROM chat_message WHERE state = 'pending' ORDER BY position")
  const selectPendingOf = database.prepare<[string], MessageRow>(
    "SELECT * FROM chat_message WHERE state = 'pending' AND user_id = ? ORDER BY position"
  )
  const countPending = database.prepare<[string], number>("SELECT count(*) FROM chat_message WHERE state = 'pending' AND user_id = ?").pluck()
  /** `blocked`: whether one before it in its session still waits. */
  const selectClaim = database.prepare<[Owner & { messageId: string }], { state: MessageState; blocked: number }>(
    `SELECT state, EXISTS (SELECT 1 FROM chat_message AS one WHERE one.state = 'pending' AND one.user_id = chat_message.user_id
       AND one.kind = chat_message.kind AND one.session_id = chat_message.session_id AND one.position < chat_message.position) AS blocked
     FROM chat_message WHERE user_id = @userId AND kind = @kind AND message_id = @messageId`
  )
  const finish = database.prepare<[Owner & { messageId: string }]>(
    "UPDATE chat_message SET state = 'answered' WHERE user_id = @userId AND kind = @kind AND message_id = @messageId AND state = 'pending'"
  )
  const setDetails = database.prepare<[Owner & { messageId: string; details: string }]>(
    'UPDATE chat_message SET details = @details WHERE user_id = @userId AND kind = @kind AND message_id = @messageId'
  )
  const setState = database.prepare<[Owner & { messageId: string; state: MessageState }]>(
    'UPDATE chat_message SET state = @state WHERE user_id = @userId AND kind = @kind AND message_id = @messageId'
  )
  const selectUnread = database.prepare<[Owner & { limit: number }], MessageRow>(
    "SELECT * FROM chat_message WHERE user_id = @userId AND kind = @kind AND state = 'unread' ORDER BY position LIMIT @limit + 0"
  )

  const find = (key: SessionKey): ChatSession | null => {
    const row = selectSession.get(keyOf(key))
    return row === undefined ? null : sessionFrom(row)
  }

  /** What somebody will see: not before it is durable. */
  const shown = async <T>(messages: T): Promise<T> => {
    await writer.settled()
    return messages
  }

  return {
    create: (session) =>
      writer.write(() => {
        insertSession.run(sessionRowOf(session))
        return find(session) ?? session
      }),
    find: async (key) => find(key),
    list: async ({ userId, kind }, { limit, before }) =>
      selectSessions.all({ userId, kind, limit, at: before?.at ?? Number.MAX_SAFE_INTEGER, id: before?.id ?? '' }).map(sessionFrom),
    update: (key, fields, now) =>
      writer.write(() => {
        const known = find(key)
        if (known === null) return null
        const next = { ...known, ...fields, updatedAt: Math.max(now, known.updatedAt) }
        updateSession.run(sessionRowOf(next))
        return next
      }),
    remove: (key) =>
      writer.write(() => {
        if (deleteSession.run(keyOf(key)).changes === 0) return false
        for (const removal of removals) removal.run(keyOf(key))
        return true
      }),

    history: async (key, { limit, before }) => {
      const from = typeof before === 'string' ? selectMessage.get({ ...ownerOf(key), messageId: before }) : undefined
      if (typeof before === 'string' && from?.session_id !== key.sessionId) {
        throw new CopilotError('invalid_request', 'There is no message with the id in "before" in this session.', { details: { field: 'before' } })
      }
      const at = typeof before === 'number' ? before : Number.MAX_SAFE_INTEGER
      return await shown(selectBefore.all({ ...keyOf(key), limit, position: from?.position ?? Number.MAX_SAFE_INTEGER, at }).map(messageFrom))
    },
    after: async (key, messageId, limit) => {
      const known = selectMessage.get({ ...ownerOf(key), messageId })
      const position = known?.session_id === key.sessionId ? known.position : 0
      return await shown(selectAfter.all({ ...keyOf(key), limit, position }).map(messageFrom))
    },
    message: async (owner, messageId) => {
      const row = selectMessage.get({ ...ownerOf(owner), messageId })
      return row === undefined ? null : messageFrom(row)
    },

    keep: (message) =>
      writer.write(() => {
        const known = selectMessage.get({ ...ownerOf(message), messageId: message.messageId })
        if (known !== undefined) return messageFrom(known)
        if (touchSession.run({ ...keyOf(message), now: message.createdAt }).changes === 0) {
          throw new CopilotError('not_found', 'There is no such session. Nothing was kept.')
        }
        insertMessage.run(messageRowOf(message, askedOf(message)))
        return message
      }),
    pending: async (userId) => (userId === undefined ? selectPending.all() : selectPendingOf.all(userId)).map(pendingFrom),
    pendingCount: async (userId) => countPending.get(userId) ?? 0,
    orphans: async () => selectPending.all().map(pendingFrom),
    claim: async (message) => {
      const found = selectClaim.get({ ...ownerOf(message), messageId: message.messageId })
      if (found?.state !== 'pending') return 'over'
      return found.blocked === 1 ? 'wait' : 'mine'
    },
    askAgain: (message, turnId) =>
      writer.write(() => {
        const details = JSON.stringify(askedOf({ ...message, question: { ...message.question, turnId } }))
        setDetails.run({ ...ownerOf(message), messageId: message.messageId, details })
      }),
    answer: (answer) =>
      writer.write(() => {
        if (finish.run({ ...ownerOf(answer), messageId: answer.answer.replyTo }).changes === 0) return false
        touchSession.run({ ...keyOf(answer), now: answer.createdAt })
        insertMessage.run(messageRowOf(answer, answer.answer))
        return true
      }),
    fail: (message) =>
      writer.write(() => {
        setState.run({ ...ownerOf(message), messageId: message.messageId, state: 'failed' })
      }),
    unread: (owner, limit) => shown(selectUnread.all({ ...ownerOf(owner), limit }).map(messageFrom)),
    markDelivered: (owner, messageIds) =>
      writer.write(() => {
        for (const messageId of messageIds) setState.run({ ...ownerOf(owner), messageId, state: 'delivered' })
      })
  }
}

/** Only what names it: messages and sessions have the same fields and more. */
function ownerOf({ userId, kind }: Owner): Owner {
  return { userId, kind }
}
function keyOf({ userId, kind, sessionId }: SessionKey): SessionKey {
  return { userId, kind, sessionId }
}
