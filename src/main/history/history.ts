// The port of the encrypted history: sessions, messages, the outbox's rows, live turns, search and the usage ledger live
// in one database, because what belongs together is saved together.
import type { Message, MessagePage, SearchQuery, SearchResult, Session, SessionDetails, UsageRange, UsageReport } from '../../shared/domain.ts'
import type { WireError } from '../../shared/errors.ts'
import type { Question, TurnEvent } from '../../shared/turn.ts'
import type { HistoryKeeping } from './keeping.ts'
import type { BulkHistory } from './bulk.ts'

/** What is saved, in one transaction, before a question counts as accepted. */
export interface AcceptInput {
  readonly question: Question
  /** Id of the user's message, made by the desk. */
  readonly messageId: string
  readonly at: number
}

export interface Saved {
  readonly message: Message
  readonly session: Session
  /** False when this turn had been accepted before: nothing was written. */
  readonly fresh: boolean
}

/** A row of the outbox as the pump sees it. Ordered by `position` within a session. */
export interface OutboxRow {
  readonly turnId: string
  readonly messageId: string
  readonly sessionId: string
  readonly state: 'waiting' | 'sending' | 'settled' | 'failed' | 'cancelled'
  readonly position: number
  readonly attempts: number
  readonly acceptedAt: number
  readonly nextAttemptAt: number | null
  /** When the person said that an old question shall still be sent. */
  readonly confirmedAt: number | null
  readonly error: WireError | null
  /** Number of the last event of the turn that is stored: where to resume. */
  readonly lastSeq: number
}

export interface OutboxChange {
  readonly state?: OutboxRow['state']
  readonly attempts?: number
  readonly nextAttemptAt?: number | null
  readonly confirmedAt?: number | null
  readonly error?: WireError | null
}

/** What storing turn events changed, for the mirror. */
export interface TurnSaved {
  readonly sessionId: string
  /** The assistant's message as it now is; null until the turn was accepted by the service. */
  readonly message: Message | null
  /** Number of the last event that is now stored. */
  readonly lastSeq: number
  /** The session, when its counts or last activity changed. */
  readonly session: Session | null
}

export interface SessionChange {
  readonly details?: Partial<SessionDetails>
  readonly pinned?: boolean
  readonly status?: Session['status']
}

export interface PageRequest {
  readonly sessionId: string
  readonly limit: number
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly around?: string | undefined
}

/**
 * All calls are asynchronous and safe to make at once: writes happen in the order of the calls, reads see every write
 * that was resolved before. A resolved write is durable (survives power loss). Rejections are `CopilotError`:
 * `not_found` for an unknown id, `conflict` for a turn id that is already used for another text, `unavailable` when the
 * disk is full or can't be written (nothing was changed; try again when there is room).
 */
export interface History extends HistoryKeeping, BulkHistory {
  createSession(session: Session): Promise<Session>
  updateSession(id: string, change: SessionChange, at: number): Promise<Session>
  /** Removes the session with its messages, also from the index. The usage ledger keeps its rows. */
  removeSession(id: string): Promise<void>
  session(id: string): Promise<Session | null>
  /** Pinned first, then by last activity, newest first. `text` matches title and client name. */
  listSessions(filter: {
    readonly status?: Session['status'] | undefined
    readonly text?: string | undefined
    readonly limit: number
  }): Promise<readonly Session[]>

  /**
   * Saves message, turn and outbox row in one transaction. Idempotent by turn id. The question keeps the position behind
   * its own for its answer, so a transcript reads in pairs whatever order the answers come in.
   */
  accept(input: AcceptInput): Promise<Saved>
  /** The question of a turn, as it shall be sent; null when it is unknown or was rewritten and is asked by another turn. */
  question(turnId: string): Promise<Question | null>
  /**
   * Rewrites a question that was not sent, failed or was cancelled, and sets its row to waiting, as a new turn. Also the way
   * to send a failed one again: with the same text. One that is being sent, was answered or is being answered: `conflict`.
   * What had been answered of it stays; whatever still arrives for the old turn is ignored.
   */
  editQuestion(messageId: string, change: { readonly text: string; readonly turnId: string; readonly at: number }): Promise<Message>

  /** Rows that are waiting or sending, plus failed ones that a person may still send, oldest first. */
  outbox(): Promise<readonly OutboxRow[]>
  outboxRow(turnId: string): Promise<OutboxRow | null>
  /** `conflict` for one that is settled: an answered question is never sent again. */
  changeOutbox(turnId: string, change: OutboxChange): Promise<Message>
  waitingCount(): Promise<number>

  /**
   * Stores events of a turn, in order; those already stored are ignored, a gap rejects with `invalid_request`. The first
   * `accepted` creates the assistant's message, or the first event of a peer that accepts nothing; a turn that only failed
   * makes none. `done` and `failed` end it, index it, write the ledger's row and settle or fail the outbox row, all in one
   * transaction. A stopped answer (`failed` with `cancelled`) counts as settled.
   */
  saveEvents(turnId: string, events: readonly TurnEvent[]): Promise<TurnSaved>

  message(id: string): Promise<Message | null>
  page(request: PageRequest): Promise<MessagePage>
  /** Rejects with `cancelled` when the signal was aborted before it was done. */
  search(query: SearchQuery, signal: AbortSignal): Promise<SearchResult>
  usage(range: UsageRange): Promise<UsageReport>

  /** Checkpoints and closes. Calls still under way are finished first. */
  close(): Promise<void>
}

/** How opening went. A database that can't be opened is set aside, never deleted. */
export interface HistoryOpened {
  readonly history: History
  /** For people: what happened and where the old file is kept; null when all was well. */
  readonly incident: string | null
}
