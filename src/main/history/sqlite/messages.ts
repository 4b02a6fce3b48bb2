// Messages in the database: one, or a page of a transcript; and the one place where they are written and indexed.
import type { Message, MessagePage } from '../../../shared/domain.ts'
import type { PageRequest } from '../history.ts'
import { notFound, type Core } from './core.ts'
import { MESSAGE, messageFrom, type MessageRow } from './rows.ts'
import type { Sessions } from './sessions.ts'

export interface NewMessage {
  readonly position: number
  readonly id: string
  readonly session: number
  /** Null for a message that no turn made. */
  readonly turn: number | null
  readonly role: Message['role']
  readonly text: string
  readonly createdAt: number
  readonly quickAction: Message['quickAction']
}

export interface Messages {
  /** Unindexed. */
  insert(message: NewMessage): void
  /** Makes the index hold the text as it now is. */
  reindex(position: number): void
  /** What the index holds of it is removed, so that the text may change. */
  unindex(position: number): void
  rowById(id: string): MessageRow | null
  /** @throws CopilotError `not_found` */
  at(position: number): Message
  byId(id: string): Message | null
  page(request: PageRequest): MessagePage
  isFree(position: number): boolean
  /** A free position after all others, the one behind it free as well, for the answer. */
  nextPosition(): number
}

interface IndexedRow {
  readonly session: number
  readonly role: string
  readonly text: string
  readonly indexed_length: number
}

export function createMessages({ sql, now, index }: Core, sessions: Sessions): Messages {
  function indexedRow(position: number): IndexedRow {
    const row = sql<IndexedRow>('SELECT session, role, text, indexed_length FROM messages WHERE position = ?').get(position)
    if (row === undefined) throw notFound('message')
    return row
  }

  function unindex(position: number): void {
    const { session, role, text, indexed_length: length } = indexedRow(position)
    if (length === 0) return
    index.remove({ position, session, role, text: text.slice(0, length) })
    sql('UPDATE messages SET indexed_length = 0 WHERE position = ?').run(position)
  }

  function rowById(id: string): MessageRow | null {
    return sql<MessageRow>(`${MESSAGE} WHERE m.id = ?`).get(id) ?? null
  }

  /** Rows on one side of a position, nearest first, and one more to know whether there is more. */
  function beside(session: number, side: 'before' | 'after', from: number, limit: number): { rows: MessageRow[]; more: boolean } {
    const condition = side === 'before' ? 'm.position < ? ORDER BY m.position DESC' : 'm.position > ? ORDER BY m.position'
    const rows = sql<MessageRow>(`${MESSAGE} WHERE m.session = ? AND ${condition} LIMIT ?`).all(session, from, limit + 1)
    return { rows: rows.slice(0, limit), more: rows.length > limit }
  }

  return {
    rowById,
    unindex,
    insert(message) {
      sql('INSERT INTO messages (position, id, session, turn, role, created_at, quick_action, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        message.position,
        message.id,
        message.session,
        message.turn,
        message.role,
        message.createdAt,
        message.quickAction,
        message.text
      )
      index.noteTime(message.position, message.createdAt)
    },
    reindex(position) {
      unindex(position)
      const { session, role, text } = indexedRow(position)
      index.add({ position, session, role, text })
      sql('UPDATE messages SET indexed_length = ? WHERE position = ?').run(text.length, position)
    },
    at(position) {
      const row = sql<MessageRow>(`${MESSAGE} WHERE m.position = ?`).get(position)
      if (row === undefined) throw notFound('message')
      return messageFrom(row, now())
    },
    byId(id) {
      const row = rowById(id)
      return row === null ? null : messageFrom(row, now())
    },
    page({ sessionId, limit, before, after, around }) {
      const { number } = sessions.row(sessionId)
      const time = now()
      const pageOf = (rows: readonly MessageRow[], hasEarlier: boolean, hasLater: boolean): MessagePage => ({
        messages: rows.map((row) => messageFrom(row, time)).sort((a, b) => a.position - b.position),
        hasEarlier,
        hasLater
      })
      if (around !== undefined) {
        const middle = rowById(around)
        if (middle === null || middle.session !== number) throw notFound('message')
        const earlier = beside(number, 'before', middle.position, limit - 1)
        const later = beside(number, 'after', middle.position, limit - 1)
        // Half on each side; where one side has less, the other fills the page.
        const laterCount = Math.min(later.rows.length, Math.max(Math.floor((limit - 1) / 2), limit - 1 - earlier.rows.length))
        const earlierCount = Math.min(earlier.rows.length, limit - 1 - laterCount)
        return pageOf(
          [...earlier.rows.slice(0, earlierCount), middle, ...later.rows.slice(0, laterCount)],
          earlier.more || earlier.rows.length > earlierCount,
          later.more || later.rows.length > laterCount
        )
      }
      if (after !== undefined) {
        const later = beside(number, 'after', after, limit)
        return pageOf(later.rows, beside(number, 'before', after + 1, 1).rows.length > 0, later.more)
      }
      const end = before ?? Number.MAX_SAFE_INTEGER
      const earlier = beside(number, 'before', end, limit)
      return pageOf(earlier.rows, earlier.more, before !== undefined && beside(number, 'after', before - 1, 1).rows.length > 0)
    },
    isFree: (position) => sql('SELECT 1 FROM messages WHERE position = ?').get(position) === undefined,
    nextPosition() {
      return (sql<number | null>('SELECT max(position) FROM messages').pluck().get() ?? 0) + 2
    }
  }
}
