// Brings a history in beside the one in use: in small transactions between which questions are accepted, hidden until all
// of it is there, and given to the search index afterwards.
import { v5 as uuidv5 } from 'uuid'
import { CopilotError } from '../../../shared/errors.ts'
import type { Counts } from '../../../shared/domain.ts'
import { MAX_INDEXED_CHARACTERS } from '../bulk.ts'
import { unpackRecords, type HistoryRecord, type RecordOf } from '../records.ts'
import type { Steps } from '../steps.ts'
import type { Core } from './core.ts'
import type { Messages } from './messages.ts'
import { asJson } from './rows.ts'

export interface Imports {
  known(ids: readonly string[]): string[]
  begin(): Steps<void>
  add(records: Uint8Array): Steps<void>
  finish(): Counts
  drop(): Steps<void>
  index(): Steps<number>
  /** A slice of what was left to do when the last run ended; true when there is more. */
  tend(): boolean
}

export interface ImportRooms {
  readonly messages: Messages
  readonly write: <T>(action: () => T) => T
  /** A slice of the database's upkeep; true when there is more. */
  readonly upkeep: () => boolean
}

/** How long one transaction may hold up a question that comes meanwhile, ms. */
const TRANSACTION_MS = 12
/** How long one call of `index` goes on before it tells how far it is, ms. */
const INDEX_CALL_MS = 250
/** Rows removed in one transaction. */
const REMOVED_AT_ONCE = 200
/** Positions looked at in one transaction of indexing. */
const INDEXED_AT_ONCE = 64
/** Names a turn or message whose id another session has. A random UUID, fixed for good. */
const OTHER_ID = 'f3bf2a0e-6d0c-4f0b-9c53-4f1d7a2b9e61'

/** Where an import stands; replaced when a transaction was written, so that a failed one leaves no trace. */
interface Progress extends Counts {
  /** The session that records are added to; null when it is one that was known and is passed over. */
  readonly session: { readonly number: number; readonly id: string } | null
  /** The position that the last question keeps for its answer. */
  readonly reserved: number | null
  /** Positions that were used, both ends inclusive. */
  readonly first: number | null
  readonly last: number
}
const NOTHING: Progress = { session: null, reserved: null, first: null, last: 0, sessions: 0, messages: 0 }

const INTERRUPTED = 'The import was interrupted, so nothing of it was kept. The history is as it was before; import the file again.'

export function createImports({ sql, index }: Core, { messages, write, upkeep }: ImportRooms): Imports {
  let progress: Progress | null = null

  function current(): Progress {
    if (progress === null) throw new CopilotError('conflict', INTERRUPTED)
    return progress
  }

  function addSession(at: Progress, record: RecordOf<'session'>): Progress {
    if (sql('SELECT 1 FROM sessions WHERE id = ?').get(record.id) !== undefined) return { ...at, session: null, reserved: null }
    const { lastInsertRowid } = sql(
      `INSERT INTO sessions (id, title, client_name, meeting_type, project_context, service_types, cloud_providers, custom_fields, notes,
         status, pinned, created_at, updated_at, last_activity_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    ).run(
      record.id,
      record.title,
      record.clientName,
      record.meetingType,
      record.projectContext,
      JSON.stringify(record.serviceTypes),
      JSON.stringify(record.cloudProviders),
      JSON.stringify(record.customFields),
      record.notes,
      record.status,
      record.pinned ? 1 : 0,
      record.createdAt,
      record.updatedAt,
      record.lastActivityAt,
      record.expiresAt
    )
    const number = Number(lastInsertRowid)
    sql('INSERT INTO hidden_sessions (number) VALUES (?)').run(number)
    return { ...at, session: { number, id: record.id }, reserved: null, sessions: at.sessions + 1 }
  }

  /** The id itself where it is free, else one made from it: the same each time. */
  function freeId(table: 'turns' | 'messages', session: string, id: string): string {
    return sql(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) === undefined ? id : uuidv5(`${table} ${session} ${id}`, OTHER_ID)
  }

  /** The turn that a message of this session means: by its own id, or the one it was given. */
  function turnNumber(session: { readonly number: number; readonly id: string }, id: string): number | null {
    const find = sql<number>('SELECT number FROM turns WHERE id = ? AND session = ?').pluck()
    return find.get(id, session.number) ?? find.get(uuidv5(`turns ${session.id} ${id}`, OTHER_ID), session.number) ?? null
  }

  function addTurn(at: Progress, record: RecordOf<'turn'>): Progress {
    if (at.session === null || turnNumber(at.session, record.id) !== null) return at
    sql(
      `INSERT INTO turns (id, session, question, context, state, last_seq, citations, notices, usage, error, finish, service_message_id,
         started_at, first_text_at, ended_at)
       VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    ).run(
      freeId('turns', at.session.id, record.id),
      at.session.number,
      JSON.stringify(record.context),
      record.state,
      record.lastSeq,
      JSON.stringify(record.citations),
      JSON.stringify(record.notices),
      asJson(record.usage),
      asJson(record.error),
      record.finish,
      record.serviceMessageId,
      record.startedAt,
      record.firstTextAt,
      record.endedAt
    )
    return at
  }

  function addMessage(at: Progress, record: RecordOf<'message'>): Progress {
    if (at.session === null) return at
    const { session } = at
    const { role } = record
    const position = role === 'assistant' && at.reserved !== null ? at.reserved : messages.nextPosition()
    const turn = record.turnId === null ? null : turnNumber(session, record.turnId)
    messages.insert({
      position,
      id: freeId('messages', session.id, record.id),
      session: session.number,
      turn,
      role,
      text: record.text.toWellFormed(),
      createdAt: record.createdAt,
      quickAction: record.quickAction
    })
    if (turn !== null && role === 'user') {
      sql('UPDATE turns SET question = ? WHERE number = ?').run(position, turn)
      if (record.delivery !== null) addDelivery(turn, record.delivery)
    }
    if (turn !== null && role === 'assistant') {
      // A turn without a question of its own here is its answer's; one that never began can't have answered.
      sql(
        `UPDATE turns SET answer = $position, question = CASE question WHEN 0 THEN $position ELSE question END,
           state = CASE state WHEN 'new' THEN 'cancelled' ELSE state END WHERE number = $turn`
      ).run({ position, turn })
    }
    sql('UPDATE sessions SET message_count = message_count + 1 WHERE number = ?').run(session.number)
    return {
      ...at,
      reserved: role === 'user' ? position + 1 : null,
      first: at.first ?? position,
      last: position,
      messages: at.messages + 1
    }
  }

  function addDelivery(turn: number, delivery: NonNullable<RecordOf<'message'>['delivery']>): void {
    sql('INSERT OR IGNORE INTO outbox (turn, state, attempts, accepted_at, confirmed_at, error) VALUES (?, ?, ?, ?, ?, ?)').run(
      turn,
      delivery.state,
      delivery.attempts,
      delivery.acceptedAt,
      delivery.confirmedAt,
      asJson(delivery.error)
    )
  }

  function addUsage(at: Progress, record: RecordOf<'usage'>): Progress {
    const { changes, lastInsertRowid } = sql(
      `INSERT OR IGNORE INTO ledger (turn_id, session_id, session_title, client_name, provider, model, input_tokens, output_tokens, cached_tokens,
         cost_micros, failovers, first_text_ms, total_ms, error_code, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    ).run(
      record.turnId,
      record.sessionId,
      record.sessionTitle,
      record.clientName,
      record.provider,
      record.model,
      record.inputTokens,
      record.outputTokens,
      record.cachedTokens,
      record.costMicros,
      record.failovers,
      record.firstTextMs,
      record.totalMs,
      record.errorCode,
      record.at
    )
    if (changes > 0) sql('INSERT INTO hidden_ledger (number) VALUES (?)').run(lastInsertRowid)
    return at
  }

  function addRecord(at: Progress, record: HistoryRecord): Progress {
    switch (record.kind) {
      case 'session':
        return addSession(at, record)
      case 'turn':
        return addTurn(at, record)
      case 'message':
        return addMessage(at, record)
      case 'usage':
        return addUsage(at, record)
    }
  }

  /** Removes a slice of what an import that was given up has left; true when there is more. Callers open the transaction. */
  function removeSome(): boolean {
    const session = sql<number>('SELECT number FROM hidden_sessions LIMIT 1').pluck().get()
    if (session !== undefined) {
      for (const [table, key] of [
        ['messages', 'position'],
        ['turns', 'number']
      ]) {
        const { changes } = sql(`DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE session = ? LIMIT ${REMOVED_AT_ONCE})`).run(
          session
        )
        if (changes > 0) return true
      }
      sql('DELETE FROM sessions WHERE number = ?').run(session)
      sql('DELETE FROM hidden_sessions WHERE number = ?').run(session)
      return true
    }
    const some = `SELECT number FROM hidden_ledger ORDER BY number LIMIT ${REMOVED_AT_ONCE}`
    sql(`DELETE FROM ledger WHERE number IN (${some})`).run()
    return sql(`DELETE FROM hidden_ledger WHERE number IN (${some})`).run().changes > 0
  }

  function isAnyLeft(): boolean {
    return sql('SELECT 1 FROM hidden_sessions UNION ALL SELECT 1 FROM hidden_ledger LIMIT 1').get() !== undefined
  }

  function* remove(): Steps<void> {
    while (isAnyLeft()) {
      write(removeSome)
      yield
    }
  }

  /** Indexes for the time of one transaction. Callers open it. */
  function indexSome(): void {
    const until = performance.now() + TRANSACTION_MS
    const range = sql<{ from: number; to: number }>('SELECT from_position AS "from", to_position AS "to" FROM unindexed LIMIT 1').get()
    if (range === undefined) return
    const rows = sql<{ position: number; session: number; role: string; text: string }>(
      `SELECT position, session, role, text FROM messages WHERE position BETWEEN ? AND ? AND indexed_length = 0 AND text <> ''
       ORDER BY position LIMIT ${INDEXED_AT_ONCE}`
    ).all(range.from, range.to)
    let next = rows.length < INDEXED_AT_ONCE ? range.to + 1 : (rows.at(-1)?.position ?? range.to) + 1
    for (const row of rows) {
      const text = row.text.slice(0, MAX_INDEXED_CHARACTERS)
      index.add({ ...row, text })
      sql('UPDATE messages SET indexed_length = ? WHERE position = ?').run(text.length, row.position)
      if (performance.now() < until) continue
      next = row.position + 1
      break
    }
    sql('DELETE FROM unindexed WHERE from_position = ?').run(range.from)
    if (next <= range.to) sql('INSERT INTO unindexed (from_position, to_position) VALUES (?, ?)').run(next, range.to)
  }

  const unindexed = (): number => sql<number>('SELECT coalesce(sum(to_position - from_position + 1), 0) FROM unindexed').pluck().get() ?? 0

  return {
    known: (ids) =>
      sql<string>('SELECT id FROM sessions WHERE id IN (SELECT value FROM json_each(?)) AND number NOT IN (SELECT number FROM hidden_sessions)')
        .pluck()
        .all(JSON.stringify(ids)),
    *begin() {
      if (progress !== null) throw new CopilotError('conflict', 'Another import is under way. Wait for its end or stop it, then try again.')
      yield* remove()
      progress = NOTHING
    },
    *add(bytes) {
      current()
      const records = unpackRecords(bytes)
      let done = 0
      while (done < records.length) {
        const written = write(() => {
          const until = performance.now() + TRANSACTION_MS
          let at = current()
          let next = done
          do {
            at = addRecord(at, records[next] as HistoryRecord)
            next += 1
          } while (next < records.length && performance.now() < until)
          return { at, next }
        })
        progress = written.at
        done = written.next
        yield
      }
    },
    finish() {
      const { first, last, sessions, messages: count } = current()
      if (first !== null) sql('INSERT OR REPLACE INTO unindexed (from_position, to_position) VALUES (?, ?)').run(first, last)
      // Without a condition SQLite empties a table at once, however many rows it has.
      sql('DELETE FROM hidden_sessions').run()
      sql('DELETE FROM hidden_ledger').run()
      return { sessions, messages: count }
    },
    *drop() {
      progress = null
      yield* remove()
    },
    *index() {
      const until = performance.now() + INDEX_CALL_MS
      while (unindexed() > 0 && performance.now() < until) {
        write(indexSome)
        yield
        // The index grows by a small segment with each transaction: they are merged as it goes.
        while (upkeep()) yield
      }
      return unindexed()
    },
    tend() {
      if (progress === null && isAnyLeft()) {
        write(removeSome)
        return true
      }
      if (unindexed() === 0) return false
      write(indexSome)
      return true
    }
  }
}
