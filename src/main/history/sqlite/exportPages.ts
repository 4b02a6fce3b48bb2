// Reads the history page by page for an export. A page is small enough that a search beside it never waits for long.
import type { TurnState } from '../../../shared/turn.ts'
import type { ExportCursor, ExportPage, ExportRequest, ExportScope } from '../bulk.ts'
import { recordLine, type HistoryRecord, type RecordOf } from '../records.ts'
import type { Core } from './core.ts'
import { parsed, sessionFrom, type SessionRow } from './rows.ts'

export interface ExportPages {
  page(request: ExportRequest): ExportPage
  size(scope: ExportScope): number
}

/** What ends a page, whichever comes first: about 2 ms of work. */
const PAGE_ROWS = 200
const PAGE_CHARACTERS = 200_000

interface TranscriptRow {
  readonly position: number
  readonly id: string
  readonly role: RecordOf<'message'>['role']
  readonly text: string
  readonly created_at: number
  readonly quick_action: RecordOf<'message'>['quickAction']
  readonly turn_id: string | null
  readonly context: string
  readonly turn_state: TurnState
  readonly citations: string
  readonly notices: string
  readonly usage: string | null
  readonly turn_error: string | null
  readonly finish: RecordOf<'turn'>['finish']
  readonly last_seq: number
  readonly service_message_id: string | null
  readonly started_at: number | null
  readonly first_text_at: number | null
  readonly ended_at: number | null
  /** When the question of this turn was asked, if it comes before this message and is still the turn's own. */
  readonly question_at: number | null
  readonly delivery_state: 'waiting' | 'sending' | 'settled' | 'failed' | 'cancelled' | null
  readonly attempts: number
  readonly accepted_at: number
  readonly confirmed_at: number | null
  readonly delivery_error: string | null
}

const TRANSCRIPT = `
  SELECT m.position, m.id, m.role, m.text, m.created_at, m.quick_action, t.id AS turn_id, t.context, t.state AS turn_state, t.citations, t.notices,
    t.usage, t.error AS turn_error, t.finish, t.last_seq, t.service_message_id, t.started_at, t.first_text_at, t.ended_at,
    (SELECT q.created_at FROM messages q WHERE q.position = t.question AND q.turn = t.number AND q.position < m.position) AS question_at,
    o.state AS delivery_state, o.attempts, o.accepted_at, o.confirmed_at, o.error AS delivery_error
  FROM messages m
  LEFT JOIN turns t ON t.number = m.turn
  LEFT JOIN outbox o ON o.turn = m.turn AND m.role = 'user'
  WHERE m.session = ? AND m.position > ? ORDER BY m.position LIMIT ${PAGE_ROWS}`

const SESSIONS = `($sessionId IS NULL OR id = $sessionId) AND ($clientName IS NULL OR client_name = $clientName)
  AND number NOT IN (SELECT number FROM hidden_sessions)`

export function createExportPages({ sql }: Core): ExportPages {
  const scopeOf = ({ sessionId, clientName }: ExportScope) => ({ sessionId: sessionId ?? null, clientName: clientName ?? null })

  function transcripts(request: ExportRequest): ExportPage {
    const page = createPage()
    const nextSession = sql<SessionRow>(`SELECT * FROM sessions WHERE number >= $number AND ${SESSIONS} ORDER BY number LIMIT 1`)
    const isAll = request.from === undefined && request.to === undefined
    let cursor: ExportCursor | null = request.after ?? { session: 0, position: 0, begun: false }
    while (cursor !== null && !page.isFull()) {
      const session = nextSession.get({ number: cursor.session, ...scopeOf(request) })
      if (session === undefined) cursor = null
      else
        cursor = transcript(
          page,
          request,
          session.number === cursor.session ? cursor : { session: session.number, position: 0, begun: false },
          session,
          isAll
        )
    }
    return page.end(cursor)
  }

  /** A stretch of one session; where to go on. */
  function transcript(page: Page, scope: ExportScope, from: ExportCursor, session: SessionRow, isAll: boolean): ExportCursor {
    let { begun, position } = from
    const begin = (): void => {
      if (!begun) page.add(sessionRecord(session))
      begun = true
    }
    if (isAll) begin()
    const rows = sql<TranscriptRow>(TRANSCRIPT).all(session.number, position)
    for (const row of rows) {
      position = row.position
      if (!isIn(row.created_at, scope)) continue
      begin()
      // The turn stands before the first of its messages that is in the export.
      if (row.turn_id !== null && (row.question_at === null || !isIn(row.question_at, scope))) page.add(turnRecord(row, row.turn_id))
      page.add(messageRecord(row))
      if (page.isFull()) return { session: session.number, position, begun }
    }
    return rows.length < PAGE_ROWS ? { session: session.number + 1, position: 0, begun: false } : { session: session.number, position, begun }
  }

  function usage(request: ExportRequest): ExportPage {
    const page = createPage()
    const rows = sql<Omit<RecordOf<'usage'>, 'kind'> & { readonly number: number }>(
      `SELECT number, turn_id AS turnId, session_id AS sessionId, session_title AS sessionTitle, client_name AS clientName, provider, model,
         input_tokens AS inputTokens, output_tokens AS outputTokens, cached_tokens AS cachedTokens, cost_micros AS costMicros,
         failovers, first_text_ms AS firstTextMs, total_ms AS totalMs, error_code AS errorCode, at
       FROM ledger
       WHERE number > $number AND ($sessionId IS NULL OR session_id = $sessionId) AND ($clientName IS NULL OR client_name = $clientName)
         AND at BETWEEN $from AND $to AND number NOT IN (SELECT number FROM hidden_ledger)
       ORDER BY number LIMIT ${PAGE_ROWS}`
    ).all({
      number: request.after?.position ?? -1,
      from: request.from ?? 0,
      to: request.to ?? Number.MAX_SAFE_INTEGER,
      ...scopeOf(request)
    })
    for (const { number: _number, ...row } of rows) page.add({ kind: 'usage', ...row })
    const last = rows.at(-1)
    return page.end(last === undefined || rows.length < PAGE_ROWS ? null : { session: 0, position: last.number, begun: true })
  }

  return {
    page: (request) => (request.part === 'usage' ? usage(request) : transcripts(request)),
    size: (scope) => sql<number>(`SELECT coalesce(sum(message_count), 0) FROM sessions WHERE ${SESSIONS}`).pluck().get(scopeOf(scope)) ?? 0
  }
}

function isIn(at: number, { from, to }: ExportScope): boolean {
  return at >= (from ?? 0) && at <= (to ?? Number.MAX_SAFE_INTEGER)
}

interface Page {
  add(record: HistoryRecord): void
  isFull(): boolean
  end(next: ExportCursor | null): ExportPage
}

function createPage(): Page {
  const counts = { session: 0, turn: 0, message: 0, usage: 0 }
  let lines = ''
  return {
    add(record) {
      counts[record.kind] += 1
      lines += `${recordLine(record)}\n`
    },
    isFull: () => counts.session + counts.message >= PAGE_ROWS || lines.length >= PAGE_CHARACTERS,
    end: (next) => ({ lines: new TextEncoder().encode(lines), sessions: counts.session, messages: counts.message, usage: counts.usage, next })
  }
}

function sessionRecord(row: SessionRow): RecordOf<'session'> {
  const { messageCount: _count, ...session } = sessionFrom(row)
  return { kind: 'session', ...session }
}

function turnRecord(row: TranscriptRow, id: string): RecordOf<'turn'> {
  const state = row.turn_state
  return {
    kind: 'turn',
    id,
    state: state === 'accepted' || state === 'queued' || state === 'answering' ? 'cancelled' : state,
    context: JSON.parse(row.context) as Record<string, string>,
    citations: parsed(row.citations) as RecordOf<'turn'>['citations'],
    notices: parsed(row.notices) as RecordOf<'turn'>['notices'],
    usage: parsed(row.usage) as RecordOf<'turn'>['usage'],
    error: parsed(row.turn_error) as RecordOf<'turn'>['error'],
    finish: row.finish,
    lastSeq: row.last_seq,
    serviceMessageId: row.service_message_id,
    startedAt: row.started_at,
    firstTextAt: row.first_text_at,
    endedAt: row.ended_at
  }
}

function messageRecord(row: TranscriptRow): RecordOf<'message'> {
  const state = row.delivery_state
  return {
    kind: 'message',
    id: row.id,
    turnId: row.turn_id,
    role: row.role,
    createdAt: row.created_at,
    quickAction: row.quick_action,
    delivery:
      state === null
        ? null
        : {
            state: state === 'waiting' || state === 'sending' ? 'cancelled' : state,
            attempts: row.attempts,
            acceptedAt: row.accepted_at,
            confirmedAt: row.confirmed_at,
            error: parsed(row.delivery_error) as RecordOf<'turn'>['error']
          },
    text: row.text
  }
}
