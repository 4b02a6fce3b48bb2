// Sessions in the database. Callers open the transaction.
import { CopilotError } from '../../../shared/errors.ts'
import type { Session, SessionDetails } from '../../../shared/domain.ts'
import type { SessionChange } from '../history.ts'
import { fold } from '../search/words.ts'
import { notFound, type Core } from './core.ts'
import { sessionFrom, type SessionRow } from './rows.ts'

export interface Sessions {
  create(session: Session): Session
  update(id: string, change: SessionChange, at: number): Session
  remove(id: string): void
  get(id: string): Session | null
  list(filter: { readonly status?: Session['status'] | undefined; readonly text?: string | undefined; readonly limit: number }): Session[]
  /** @throws CopilotError `not_found` */
  row(id: string): SessionRow
  byNumber(number: number): Session
  /** Counts messages that were added and moves the last activity. */
  touch(number: number, change: { readonly added: number; readonly at: number }): void
}

const COLUMN: Readonly<Record<keyof SessionDetails, string>> = {
  title: 'title',
  clientName: 'client_name',
  meetingType: 'meeting_type',
  projectContext: 'project_context',
  serviceTypes: 'service_types',
  cloudProviders: 'cloud_providers',
  customFields: 'custom_fields',
  notes: 'notes'
}

/** Not of an import that is under way. */
const VISIBLE = 'number NOT IN (SELECT number FROM hidden_sessions)'

export function createSessions({ db, sql, index }: Core): Sessions {
  db.function('fold', { deterministic: true }, (text) => fold(String(text)))

  function row(id: string): SessionRow {
    const found = sql<SessionRow>(`SELECT * FROM sessions WHERE id = ? AND ${VISIBLE}`).get(id)
    if (found === undefined) throw notFound('session')
    return found
  }

  function set(number: number, column: string, value: string | number): void {
    sql(`UPDATE sessions SET ${column} = ? WHERE number = ?`).run(value, number)
  }

  return {
    row,
    create(session) {
      if (sql('SELECT 1 FROM sessions WHERE id = ?').get(session.id) !== undefined) {
        throw new CopilotError('conflict', 'A session with this id already exists.')
      }
      sql(
        `INSERT INTO sessions (id, title, client_name, meeting_type, project_context, service_types, cloud_providers, custom_fields, notes,
           status, pinned, created_at, updated_at, last_activity_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      ).run(
        session.id,
        session.title,
        session.clientName,
        session.meetingType,
        session.projectContext,
        JSON.stringify(session.serviceTypes),
        JSON.stringify(session.cloudProviders),
        JSON.stringify(session.customFields),
        session.notes,
        session.status,
        session.pinned ? 1 : 0,
        session.createdAt,
        session.updatedAt,
        session.lastActivityAt,
        session.expiresAt
      )
      return sessionFrom(row(session.id))
    },
    update(id, { details = {}, pinned, status }, at) {
      const { number } = row(id)
      for (const [name, value] of Object.entries(details)) {
        const column = COLUMN[name as keyof SessionDetails]
        if (value !== undefined) set(number, column, typeof value === 'string' ? value : JSON.stringify(value))
      }
      if (pinned !== undefined) set(number, 'pinned', pinned ? 1 : 0)
      if (status !== undefined) set(number, 'status', status)
      set(number, 'updated_at', at)
      // The ledger follows its session while there is one: who pays for a meeting is often filled in after it began.
      if (details.title !== undefined || details.clientName !== undefined) {
        const { title, client_name: clientName } = row(id)
        sql('UPDATE ledger SET session_title = ?, client_name = ? WHERE session_id = ?').run(title, clientName, id)
      }
      return sessionFrom(row(id))
    },
    remove(id) {
      const { number } = row(id)
      const indexed = sql<{ position: number; role: string; text: string; indexed_length: number }>(
        'SELECT position, role, text, indexed_length FROM messages WHERE session = ? AND indexed_length > 0'
      ).all(number)
      for (const message of indexed) {
        index.remove({ position: message.position, session: number, role: message.role, text: message.text.slice(0, message.indexed_length) })
      }
      sql("DELETE FROM drafts WHERE place = $id OR place IN (SELECT 'edit.' || id FROM messages WHERE session = $number)").run({ id, number })
      sql('DELETE FROM sessions WHERE number = ?').run(number)
    },
    get(id) {
      const found = sql<SessionRow>(`SELECT * FROM sessions WHERE id = ? AND ${VISIBLE}`).get(id)
      return found === undefined ? null : sessionFrom(found)
    },
    list({ status, text, limit }) {
      const part = text === undefined || text.trim() === '' ? null : fold(text.trim())
      return sql<SessionRow>(
        `SELECT * FROM sessions WHERE ${VISIBLE} AND ($status IS NULL OR status = $status) AND ($part IS NULL OR instr(fold(title), $part) > 0 OR instr(fold(client_name), $part) > 0)
         ORDER BY pinned DESC, last_activity_at DESC, number DESC LIMIT $limit`
      )
        .all({ status: status ?? null, part, limit })
        .map(sessionFrom)
    },
    byNumber(number) {
      const found = sql<SessionRow>('SELECT * FROM sessions WHERE number = ?').get(number)
      if (found === undefined) throw notFound('session')
      return sessionFrom(found)
    },
    touch(number, { added, at }) {
      sql('UPDATE sessions SET message_count = message_count + ?, last_activity_at = max(last_activity_at, ?) WHERE number = ?').run(
        added,
        at,
        number
      )
    }
  }
}
