// Turns in the database: a question is accepted, its answer arrives event by event, and ends. Callers open the transaction.
import { CopilotError, type WireError } from '../../../shared/errors.ts'
import type { Message } from '../../../shared/domain.ts'
import {
  emptyTurn,
  isEnded,
  type Citation,
  type Notice,
  type Question,
  type TurnEvent,
  type TurnState,
  type TurnView,
  type Usage
} from '../../../shared/turn.ts'
import type { AcceptInput, Saved, TurnSaved } from '../history.ts'
import { answerIdOf, applyNewEvents, beginsAnswer, splitCarry, type Applied } from '../turnEvents.ts'
import { notFound, type Core } from './core.ts'
import type { Drafts } from './drafts.ts'
import type { Ledger } from './ledger.ts'
import type { Messages } from './messages.ts'
import type { Outbox } from './outbox.ts'
import { asJson, parsed } from './rows.ts'
import type { Sessions } from './sessions.ts'

export interface Turns {
  accept(input: AcceptInput): Saved
  question(turnId: string): Question | null
  edit(messageId: string, change: { readonly text: string; readonly turnId: string; readonly at: number }): Message
  saveEvents(turnId: string, events: readonly TurnEvent[]): TurnSaved
  /** After a start: what a turn had said when the last run ended is findable. */
  indexUnended(): void
}

export interface TurnRooms {
  readonly sessions: Sessions
  readonly messages: Messages
  readonly outbox: Outbox
  readonly ledger: Ledger
  readonly drafts: Drafts
}

interface TurnRow {
  readonly number: number
  readonly id: string
  readonly session: number
  readonly question: number
  readonly answer: number | null
  readonly context: string
  readonly state: TurnState
  readonly last_seq: number
  readonly carry: number | null
  readonly citations: string
  readonly notices: string
  readonly usage: string | null
  readonly error: string | null
  readonly finish: TurnView['finish']
  readonly service_message_id: string | null
  readonly started_at: number | null
  readonly first_text_at: number | null
  readonly ended_at: number | null
}

const OTHER_TEXT = 'This turn was already used for another question. Nothing was changed; ask again as a new turn.'
const ALREADY_SENT = 'This question has already been sent, so it can not be changed. Ask it again as a new one.'

export function createTurns(core: Core, { sessions, messages, outbox, ledger, drafts }: TurnRooms): Turns {
  const { sql, now } = core

  function turnRow(id: string): TurnRow | null {
    return sql<TurnRow>('SELECT * FROM turns WHERE id = ?').get(id) ?? null
  }

  function addTurn(turn: Pick<TurnRow, 'id' | 'session' | 'question' | 'context'>, acceptedAt: number): number {
    const { lastInsertRowid } = sql("INSERT INTO turns (id, session, question, context, state) VALUES (?, ?, ?, ?, 'new')").run(
      turn.id,
      turn.session,
      turn.question,
      turn.context
    )
    const number = Number(lastInsertRowid)
    outbox.add(number, acceptedAt)
    return number
  }

  /** The question of a turn, unless it was rewritten and is asked by a later turn. */
  function ownQuestion(turn: TurnRow): { readonly text: string; readonly quickAction: Question['quickAction'] | null } | null {
    return (
      sql<{ text: string; quickAction: Question['quickAction'] | null }>(
        'SELECT text, quick_action AS quickAction FROM messages WHERE position = ? AND turn = ?'
      ).get(turn.question, turn.number) ?? null
    )
  }

  function acceptedBefore(turn: TurnRow, { question }: AcceptInput): Saved {
    const session = sessions.byNumber(turn.session)
    const own = ownQuestion(turn)
    if (session.id !== question.sessionId || (own !== null && own.text !== question.text.toWellFormed()))
      throw new CopilotError('conflict', OTHER_TEXT)
    return { message: messages.at(turn.question), session, fresh: false }
  }

  function createAnswer(turn: TurnRow, events: readonly TurnEvent[]): number {
    const position = messages.isFree(turn.question + 1) ? turn.question + 1 : messages.nextPosition()
    const id = answerIdOf(turn.id, events, (taken) => messages.rowById(taken) !== null)
    messages.insert({ position, id, session: turn.session, turn: turn.number, role: 'assistant', text: '', createdAt: now(), quickAction: null })
    return position
  }

  function append(turn: TurnRow, answer: number, view: TurnView): number | null {
    const carried = turn.carry === null ? '' : String.fromCharCode(turn.carry)
    const { text, carry } = splitCarry(carried + view.text, isEnded(view))
    if (text !== '') sql('UPDATE messages SET text = text || ? WHERE position = ?').run(text, answer)
    return carry
  }

  function writeTurn(turn: TurnRow, view: TurnView, answer: number | null, carry: number | null): void {
    sql(
      `UPDATE turns SET answer = ?, state = ?, last_seq = ?, carry = ?, citations = ?, notices = ?, usage = ?, error = ?, finish = ?,
         service_message_id = ?, started_at = ?, first_text_at = ?, ended_at = ? WHERE number = ?`
    ).run(
      answer,
      view.state,
      view.lastSeq,
      carry,
      JSON.stringify(view.citations),
      JSON.stringify(view.notices),
      asJson(view.usage),
      asJson(view.error),
      view.finish,
      view.messageId,
      view.startedAt,
      view.firstTextAt,
      view.endedAt,
      turn.number
    )
  }

  function end(turn: TurnRow, view: TurnView, answer: number | null): void {
    if (answer !== null) messages.reindex(answer)
    ledger.add(view, sessions.byNumber(turn.session))
    // A stopped answer counts as settled: the question was answered as far as the person wanted.
    if (view.state === 'failed' && view.error !== null) outbox.fail(turn.number, view.error)
    else outbox.settle(turn.number)
  }

  function store(turn: TurnRow, { view, events }: Applied): TurnSaved {
    const created = turn.answer === null && beginsAnswer(events)
    const answer = created ? createAnswer(turn, events) : turn.answer
    const carry = answer === null ? null : append(turn, answer, view)
    writeTurn(turn, view, answer, carry)
    if (isEnded(view)) end(turn, view, answer)
    const sessionChanged = created || isEnded(view)
    if (sessionChanged) sessions.touch(turn.session, { added: created ? 1 : 0, at: now() })
    return savedNow(turn.session, answer, view.lastSeq, sessionChanged)
  }

  function savedNow(session: number, answer: number | null, lastSeq: number, sessionChanged: boolean): TurnSaved {
    const now = sessions.byNumber(session)
    return { sessionId: now.id, message: answer === null ? null : messages.at(answer), lastSeq, session: sessionChanged ? now : null }
  }

  return {
    accept(input) {
      const { question, messageId, at } = input
      drafts.accepted(question.turnId)
      const existing = turnRow(question.turnId)
      if (existing !== null) return acceptedBefore(existing, input)
      const session = sessions.row(question.sessionId)
      if (messages.rowById(messageId) !== null) throw new CopilotError('conflict', 'This message id is already used. Nothing was saved; ask again.')
      const position = messages.nextPosition()
      const turn = addTurn({ id: question.turnId, session: session.number, question: position, context: JSON.stringify(question.context) }, at)
      messages.insert({
        position,
        id: messageId,
        session: session.number,
        turn,
        role: 'user',
        text: question.text.toWellFormed(),
        createdAt: at,
        quickAction: question.quickAction ?? null
      })
      messages.reindex(position)
      sessions.touch(session.number, { added: 1, at })
      return { message: messages.at(position), session: sessions.byNumber(session.number), fresh: true }
    },

    question(turnId) {
      const turn = turnRow(turnId)
      const own = turn === null ? null : ownQuestion(turn)
      if (turn === null || own === null) return null
      return {
        turnId,
        sessionId: sessions.byNumber(turn.session).id,
        text: own.text,
        context: JSON.parse(turn.context) as Question['context'],
        ...(own.quickAction === null ? {} : { quickAction: own.quickAction })
      }
    },

    edit(messageId, { text, turnId, at }) {
      const message = messages.rowById(messageId)
      if (message === null || message.role !== 'user' || message.turn_id === null) throw notFound('message')
      const clean = text.toWellFormed()
      if (message.turn_id === turnId && message.text === clean) return messages.at(message.position)
      if (turnRow(turnId) !== null) throw new CopilotError('conflict', OTHER_TEXT)
      const row = outbox.row(message.turn_id)
      const isUnsent = row?.state === 'waiting' && row.lastSeq === 0
      if (row === null || !(isUnsent || row.state === 'failed' || row.state === 'cancelled')) throw new CopilotError('conflict', ALREADY_SENT)
      const old = turnRow(message.turn_id)
      if (old === null) throw notFound('turn')
      // The old turn stays as a mark that its id is used; whatever still arrives for it is ignored.
      if (old.ended_at === null) sql("UPDATE turns SET state = 'cancelled', ended_at = ? WHERE number = ?").run(at, old.number)
      outbox.remove(old.number)
      const turn = addTurn({ id: turnId, session: old.session, question: message.position, context: old.context }, at)
      messages.unindex(message.position)
      sql('UPDATE messages SET text = ?, turn = ? WHERE position = ?').run(clean, turn, message.position)
      messages.reindex(message.position)
      sessions.touch(old.session, { added: 0, at })
      return messages.at(message.position)
    },

    saveEvents(turnId, events) {
      const turn = turnRow(turnId)
      if (turn === null) throw notFound('turn')
      const applied = applyNewEvents(viewFrom(turn), events)
      if (applied.events.length === 0) return savedNow(turn.session, turn.answer, turn.last_seq, false)
      return store(turn, applied)
    },

    indexUnended() {
      const behind = sql<number>(
        `SELECT m.position FROM turns t JOIN messages m ON m.position = t.answer
         WHERE t.state IN ('new', 'accepted', 'queued', 'answering') AND m.text <> '' AND m.indexed_length = 0`
      )
      for (const position of behind.pluck().all()) messages.reindex(position)
    }
  }
}

/** The turn as it stands, but for its text: what comes on top is appended in the database. */
function viewFrom(turn: TurnRow): TurnView {
  return {
    ...emptyTurn(turn.id),
    state: turn.state,
    lastSeq: turn.last_seq,
    citations: (parsed(turn.citations) ?? []) as Citation[],
    notices: (parsed(turn.notices) ?? []) as Notice[],
    usage: parsed(turn.usage) as Usage | null,
    error: parsed(turn.error) as WireError | null,
    messageId: turn.service_message_id,
    finish: turn.finish,
    startedAt: turn.started_at,
    firstTextAt: turn.first_text_at,
    endedAt: turn.ended_at
  }
}
