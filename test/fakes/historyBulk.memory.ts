// Export and import of the history in memory: the same records as the database's, all at once instead of in pages.
import type { Message, Session } from '../../src/shared/domain.ts'
import { emptyTurn, type Question, type TurnView } from '../../src/shared/turn.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import type { BulkHistory, ExportPage, ExportRequest, ExportScope } from '../../src/main/history/bulk.ts'
import type { OutboxRow } from '../../src/main/history/history.ts'
import { recordLine, unpackRecords, type HistoryRecord, type RecordOf } from '../../src/main/history/records.ts'
import type { LedgerRow } from '../../src/main/usage/report.ts'

export interface MemoryMessage extends Pick<Message, 'id' | 'sessionId' | 'role' | 'createdAt' | 'position' | 'quickAction'> {
  text: string
  turnId: string | null
}
export interface MemoryTurn {
  view: TurnView
  readonly sessionId: string
  question: MemoryMessage
  readonly context: Question['context']
  answer: MemoryMessage | null
}
export type MemoryOutboxRow = { -readonly [K in keyof Omit<OutboxRow, 'lastSeq'>]: OutboxRow[K] }
export type MemoryLedgerRow = LedgerRow & { readonly turnId: string }

/** What the fake history keeps, as this part of it sees it. */
export interface MemoryRooms {
  readonly sessions: Map<string, Session>
  readonly turns: Map<string, MemoryTurn>
  readonly ledger: MemoryLedgerRow[]
  /** By position. */
  messages(): MemoryMessage[]
  outbox(): MemoryOutboxRow[]
  nextPosition(): number
}

type AtOnce<Call> = Call extends (...args: infer Args) => Promise<infer Result> ? (...args: Args) => Result : never

export function createMemoryBulk(rooms: MemoryRooms): { readonly [Name in keyof BulkHistory]: AtOnce<BulkHistory[Name]> } {
  let staged: HistoryRecord[] | null = null
  const inScope = (session: Session, { sessionId, clientName }: ExportScope): boolean =>
    (sessionId ?? session.id) === session.id && (clientName ?? session.clientName) === session.clientName

  function transcripts(scope: ExportScope): HistoryRecord[] {
    const isIn = (at: number): boolean => at >= (scope.from ?? 0) && at <= (scope.to ?? Number.MAX_SAFE_INTEGER)
    return [...rooms.sessions.values()]
      .filter((session) => inScope(session, scope))
      .flatMap(({ messageCount: _count, ...session }) => {
        const messages = rooms.messages().filter((message) => message.sessionId === session.id && isIn(message.createdAt))
        const seen = new Set<string>()
        const records = messages.flatMap((message): HistoryRecord[] => {
          const turn = message.turnId === null ? undefined : rooms.turns.get(message.turnId)
          const own = messageRecord(message)
          if (turn === undefined || seen.has(turn.view.turnId)) return [own]
          seen.add(turn.view.turnId)
          return [turnRecord(turn), own]
        })
        const isEmpty = records.length === 0 && (scope.from !== undefined || scope.to !== undefined)
        return isEmpty ? [] : [{ kind: 'session' as const, ...session }, ...records]
      })
  }

  function messageRecord(message: MemoryMessage): RecordOf<'message'> {
    const { id, role, createdAt, quickAction, text, turnId } = message
    const row = role === 'user' ? rooms.outbox().find((one) => one.turnId === turnId) : undefined
    const state = row?.state === 'waiting' || row?.state === 'sending' ? 'cancelled' : row?.state
    const delivery =
      row === undefined || state === undefined
        ? null
        : { state, attempts: row.attempts, acceptedAt: row.acceptedAt, confirmedAt: row.confirmedAt, error: row.error }
    return { kind: 'message', id, turnId, role, createdAt, quickAction, delivery, text }
  }

  function add(record: HistoryRecord, session: Session | null): Session | null {
    switch (record.kind) {
      case 'session': {
        if (rooms.sessions.has(record.id)) return null
        const { kind: _kind, ...own } = record
        rooms.sessions.set(record.id, { ...own, messageCount: 0 })
        return rooms.sessions.get(record.id) ?? null
      }
      case 'usage': {
        const { kind: _kind, ...row } = record
        if (!rooms.ledger.some(({ turnId }) => turnId === row.turnId)) rooms.ledger.push(row)
        return session
      }
      case 'turn':
        if (session !== null) addTurn(record, session.id)
        return session
      case 'message':
        return session === null ? null : addMessage(record, session)
    }
  }

  function addTurn({ kind: _kind, id, context, serviceMessageId, ...view }: RecordOf<'turn'>, sessionId: string): void {
    const { state, ...rest } = view
    // Its question comes with the next record.
    const question = null as unknown as MemoryMessage
    rooms.turns.set(id, { view: { ...emptyTurn(id), ...rest, state, messageId: serviceMessageId }, sessionId, question, context, answer: null })
  }

  function addMessage(record: RecordOf<'message'>, session: Session): Session {
    const before = rooms.messages().findLast(({ sessionId }) => sessionId === session.id)
    const position = record.role === 'assistant' && before?.role === 'user' ? before.position + 1 : rooms.nextPosition()
    const { id, role, createdAt, quickAction, text, turnId, delivery } = record
    const message: MemoryMessage = { id, sessionId: session.id, role, createdAt, position, quickAction, text: text.toWellFormed(), turnId }
    rooms.messages().push(message)
    const turn = turnId === null ? undefined : rooms.turns.get(turnId)
    if (turn !== undefined && role === 'user') turn.question = message
    if (turn !== undefined && role === 'assistant') {
      turn.answer = message
      turn.question ??= message
      if (turn.view.state === 'new') turn.view = { ...turn.view, state: 'cancelled' }
    }
    if (delivery !== null && turnId !== null) {
      rooms.outbox().push({ ...delivery, turnId, messageId: id, sessionId: session.id, position, nextAttemptAt: null })
    }
    const next = { ...session, messageCount: session.messageCount + 1 }
    rooms.sessions.set(session.id, next)
    return next
  }

  return {
    exportPage(request: ExportRequest): ExportPage {
      const isIn = (at: number): boolean => at >= (request.from ?? 0) && at <= (request.to ?? Number.MAX_SAFE_INTEGER)
      const records: HistoryRecord[] =
        request.part === 'transcripts'
          ? transcripts(request)
          : rooms.ledger
              .filter(
                (row) =>
                  (request.sessionId ?? row.sessionId) === row.sessionId && (request.clientName ?? row.clientName) === row.clientName && isIn(row.at)
              )
              .map((row) => usageRecord(row))
      const count = (kind: HistoryRecord['kind']): number => records.filter((record) => record.kind === kind).length
      const lines = new TextEncoder().encode(records.map((record) => `${recordLine(record)}\n`).join(''))
      return { lines, sessions: count('session'), messages: count('message'), usage: count('usage'), next: null }
    },
    exportSize: (scope) =>
      [...rooms.sessions.values()].filter((session) => inScope(session, scope)).reduce((sum, { messageCount }) => sum + messageCount, 0),
    knownSessions: (ids) => ids.filter((id) => rooms.sessions.has(id)),
    beginImport() {
      if (staged !== null) throw new CopilotError('conflict', 'Another import is under way.')
      staged = []
    },
    importRecords(records) {
      if (staged === null) throw new CopilotError('conflict', 'The import was interrupted.')
      staged.push(...unpackRecords(records))
    },
    finishImport() {
      if (staged === null) throw new CopilotError('conflict', 'The import was interrupted.')
      const before = { sessions: rooms.sessions.size, messages: rooms.messages().length }
      let session: Session | null = null
      for (const record of staged) session = add(record, session)
      staged = null
      return { sessions: rooms.sessions.size - before.sessions, messages: rooms.messages().length - before.messages }
    },
    dropImport() {
      staged = null
    },
    indexImported: () => 0
  }
}

function turnRecord({ view, context }: MemoryTurn): RecordOf<'turn'> {
  const { state, lastSeq, usage, error, finish, startedAt, firstTextAt, endedAt } = view
  return {
    kind: 'turn',
    id: view.turnId,
    state: state === 'accepted' || state === 'queued' || state === 'answering' ? 'cancelled' : state,
    context: { ...context },
    citations: [...view.citations],
    notices: [...view.notices],
    usage,
    error,
    finish,
    lastSeq,
    serviceMessageId: view.messageId,
    startedAt,
    firstTextAt,
    endedAt
  }
}

function usageRecord(row: MemoryLedgerRow): RecordOf<'usage'> {
  return { kind: 'usage', ...row }
}
