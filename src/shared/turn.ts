// A question becomes a turn; a turn is a stream of numbered events that every station can replay.
import { z } from 'zod'
import { wireErrorSchema } from './errors.ts'

export const quickActions = ['clarify', 'counter', 'check-number', 'cost', 'best-practice', 'summarise'] as const
export type QuickAction = (typeof quickActions)[number]

/** Longest question accepted anywhere, in UTF-16 code units after cleaning. */
export const MAX_QUESTION_LENGTH = 32_000

const id = z.string().min(1).max(128)
const at = z.number().int().nonnegative()

/** What a client asks. `turnId` is a UUIDv7 made by the client: the idempotency key from end to end. */
export const questionSchema = z.object({
  turnId: z.uuid(),
  sessionId: id,
  text: z.string().min(1).max(MAX_QUESTION_LENGTH),
  /** Session context sent along: client name, project, cloud providers. At most 64 short entries. */
  context: z.record(z.string().max(128), z.string().max(4_000)),
  quickAction: z.enum(quickActions).optional()
})
export type Question = z.infer<typeof questionSchema>

export const citationSchema = z.object({
  /** The number in the text, `[1]`; counts from 1 in each turn. */
  n: z.number().int().positive(),
  title: z.string(),
  /** Where it comes from, in words: a document's name, a publisher. */
  source: z.string(),
  /** As-of date of what is cited, ISO 8601 `YYYY-MM-DD`. */
  date: z.string().optional(),
  url: z.string().optional(),
  /** The passage that was used, plain text, for a look without leaving the transcript. */
  excerpt: z.string().optional()
})
export type Citation = z.infer<typeof citationSchema>

/** `imported`: the answer was given elsewhere and brought in; the text says by what. */
export const noticeKinds = ['failover', 'local', 'budget', 'masked', 'resumed', 'imported'] as const
export const noticeSchema = z.object({ kind: z.enum(noticeKinds), text: z.string() })
export type Notice = z.infer<typeof noticeSchema>

/** Money is integer micro-USD (1,000,000 = 1 USD); durations are ms. */
export const usageSchema = z.object({
  provider: z.string(),
  model: z.string(),
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
  cachedTokens: z.number().int().nonnegative(),
  costMicros: z.number().int().nonnegative(),
  firstTextMs: z.number().nonnegative(),
  totalMs: z.number().nonnegative(),
  failovers: z.number().int().nonnegative()
})
export type Usage = z.infer<typeof usageSchema>

/** Why an answer ended well: complete, cut at the model's length limit, or stopped by its own filter. */
export const finishReasons = ['stop', 'length', 'filtered'] as const
export type FinishReason = (typeof finishReasons)[number]

const head = { turnId: id, seq: z.number().int().positive(), at }
export const turnEventSchema = z.discriminatedUnion('type', [
  z.object({ ...head, type: z.literal('accepted'), messageId: z.string() }),
  z.object({ ...head, type: z.literal('queued'), reason: z.string(), retryAt: at.optional() }),
  z.object({ ...head, type: z.literal('status'), stage: z.string(), progress: z.number().min(0).max(100).optional() }),
  z.object({ ...head, type: z.literal('delta'), text: z.string() }),
  z.object({ ...head, type: z.literal('citation'), ...citationSchema.shape }),
  z.object({ ...head, type: z.literal('notice'), ...noticeSchema.shape }),
  z.object({ ...head, type: z.literal('usage'), ...usageSchema.shape }),
  z.object({ ...head, type: z.literal('done'), messageId: z.string(), finish: z.enum(finishReasons) }),
  z.object({ ...head, type: z.literal('failed'), error: wireErrorSchema })
])
/** `seq` counts from 1 without gaps within a turn; `at` is Unix ms where the event was numbered. */
export type TurnEvent = z.infer<typeof turnEventSchema>
/** An event before the turn log has numbered it. */
export type TurnEventBody = TurnEvent extends infer E ? (E extends TurnEvent ? Omit<E, 'turnId' | 'seq' | 'at'> : never) : never

export interface AskOptions {
  readonly signal: AbortSignal
  /** Replay from the event after this one; 0 or absent means from the start. */
  readonly afterSeq?: number
}
/**
 * The one shape of every station. The stream ends after `done` or `failed`; it throws `CopilotError` when the station
 * itself is lost, and the turn can then be resumed with `afterSeq`. Aborting the signal lets go of the stream; it does
 * not cancel the turn.
 */
export type Ask = (question: Question, options: AskOptions) => AsyncIterable<TurnEvent>

export type TurnState = 'new' | 'accepted' | 'queued' | 'answering' | 'done' | 'failed' | 'cancelled'
export interface TurnView {
  readonly turnId: string
  readonly state: TurnState
  readonly lastSeq: number
  /** The answer so far: the deltas, joined. */
  readonly text: string
  readonly stage: string | null
  readonly progress: number | null
  readonly citations: readonly Citation[]
  readonly notices: readonly Notice[]
  readonly usage: Usage | null
  readonly error: z.infer<typeof wireErrorSchema> | null
  readonly messageId: string | null
  readonly finish: FinishReason | null
  readonly startedAt: number | null
  readonly firstTextAt: number | null
  readonly endedAt: number | null
  /** Set when an event arrived too early: everything after this number must be fetched again. */
  readonly gapAfter: number | null
}

export function emptyTurn(turnId: string): TurnView {
  return {
    turnId,
    state: 'new',
    lastSeq: 0,
    text: '',
    stage: null,
    progress: null,
    citations: [],
    notices: [],
    usage: null,
    error: null,
    messageId: null,
    finish: null,
    startedAt: null,
    firstTextAt: null,
    endedAt: null,
    gapAfter: null
  }
}

export function isTerminal(event: TurnEvent): boolean {
  return event.type === 'done' || event.type === 'failed'
}
export function isEnded(view: TurnView): boolean {
  return view.state === 'done' || view.state === 'failed' || view.state === 'cancelled'
}

/**
 * One event into the view. Total and idempotent: an event already seen or after the end changes nothing, one that
 * leaves a gap is not applied and sets `gapAfter`.
 */
export function applyTurnEvent(view: TurnView, event: TurnEvent): TurnView {
  if (event.turnId !== view.turnId || event.seq <= view.lastSeq || isEnded(view)) return view
  if (event.seq > view.lastSeq + 1) return view.gapAfter === view.lastSeq ? view : { ...view, gapAfter: view.lastSeq }
  const next: TurnView = { ...view, lastSeq: event.seq, startedAt: view.startedAt ?? event.at, gapAfter: null }
  switch (event.type) {
    case 'accepted':
      return { ...next, state: 'accepted', messageId: event.messageId }
    case 'queued':
      return { ...next, state: 'queued', stage: event.reason }
    case 'status':
      return { ...next, stage: event.stage, progress: event.progress ?? null }
    case 'delta':
      return { ...next, state: 'answering', text: view.text + event.text, firstTextAt: view.firstTextAt ?? event.at }
    case 'citation': {
      const { turnId: _turnId, seq: _seq, at: _at, type: _type, ...citation } = event
      return { ...next, citations: [...view.citations.filter((c) => c.n !== citation.n), citation].sort((a, b) => a.n - b.n) }
    }
    case 'notice':
      return { ...next, notices: [...view.notices, { kind: event.kind, text: event.text }] }
    case 'usage': {
      const { turnId: _turnId, seq: _seq, at: _at, type: _type, ...usage } = event
      return { ...next, usage }
    }
    case 'done':
      return { ...next, state: 'done', messageId: event.messageId, finish: event.finish, stage: null, progress: null, endedAt: event.at }
    case 'failed':
      return {
        ...next,
        state: event.error.code === 'cancelled' ? 'cancelled' : 'failed',
        error: event.error,
        stage: null,
        progress: null,
        endedAt: event.at
      }
  }
}

/** The whole turn from its events, in order. Used by main, renderer, command line and tests alike. */
export function reduceTurn(events: Iterable<TurnEvent>, turnId?: string): TurnView {
  let view: TurnView | null = turnId === undefined ? null : emptyTurn(turnId)
  for (const event of events) view = applyTurnEvent(view ?? emptyTurn(event.turnId), event)
  if (view === null) throw new RangeError('reduceTurn needs an event or a turn id')
  return view
}
