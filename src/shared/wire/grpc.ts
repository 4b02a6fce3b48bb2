// Turn events to and from the gRPC wire. Pure: the generated codec is the only thing it knows.
import { errorCodes, type ErrorCode } from '../errors.ts'
import { finishReasons, noticeKinds, type FinishReason, type TurnEvent } from '../turn.ts'
import type { StreamResponse } from './gen/ai.ts'

/** Trailer that carries the whole `WireError` as JSON beside the gRPC status. */
export const ERROR_TRAILER = 'aside-error'

type ProtoEvent = StreamResponse['event']

function eventToProto(event: TurnEvent): ProtoEvent {
  switch (event.type) {
    case 'accepted':
      return { $case: 'accepted', value: { messageId: event.messageId } }
    case 'queued':
      return { $case: 'queued', value: { reason: event.reason, retryAt: event.retryAt } }
    case 'status':
      return { $case: 'status', value: { stage: event.stage, progress: event.progress } }
    case 'delta':
      return undefined
    case 'citation':
      return {
        $case: 'citation',
        value: { n: event.n, title: event.title, source: event.source, date: event.date, url: event.url, excerpt: event.excerpt }
      }
    case 'notice':
      return { $case: 'notice', value: { kind: event.kind, text: event.text } }
    case 'usage': {
      const { turnId: _turnId, seq: _seq, at: _at, type: _type, ...usage } = event
      return { $case: 'usage', value: usage }
    }
    case 'done':
      return { $case: 'done', value: { messageId: event.messageId, finish: event.finish } }
    case 'failed': {
      const { error } = event
      return {
        $case: 'failed',
        value: {
          code: error.code,
          message: error.message,
          retryAfterMs: error.retryAfterMs,
          resetAt: error.resetAt,
          details: error.details ?? {},
          correlationId: error.correlationId
        }
      }
    }
  }
}

/** `messageId`: the assistant's message, which base clients expect on every piece. */
export function toStreamResponse(event: TurnEvent, messageId: string): StreamResponse {
  return {
    content: event.type === 'delta' ? event.text : '',
    isFinal: event.type === 'done' || event.type === 'failed',
    messageId,
    turnId: event.turnId,
    seq: event.seq,
    at: event.at,
    event: eventToProto(event)
  }
}

const oneOf = <T extends string>(values: readonly T[], value: string, fallback: T): T =>
  (values as readonly string[]).includes(value) ? (value as T) : fallback
const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>)

/**
 * The turn event in a piece, or null from a peer that knows only the base fields (no `seq`): the caller then numbers
 * the pieces itself. A notice or finish that this version does not know becomes the nearest known one.
 */
export function fromStreamResponse(piece: StreamResponse): TurnEvent | null {
  if (piece.seq === 0) return null
  const head = { turnId: piece.turnId, seq: piece.seq, at: piece.at }
  const event = piece.event
  if (event === undefined) return { ...head, type: 'delta', text: piece.content }
  switch (event.$case) {
    case 'accepted':
      return { ...head, type: 'accepted', messageId: event.value.messageId }
    case 'queued':
      return { ...head, type: 'queued', reason: event.value.reason, ...optional('retryAt', event.value.retryAt) }
    case 'status':
      return { ...head, type: 'status', stage: event.value.stage, ...optional('progress', event.value.progress) }
    case 'citation':
      return {
        ...head,
        type: 'citation',
        n: event.value.n,
        title: event.value.title,
        source: event.value.source,
        ...optional('date', event.value.date),
        ...optional('url', event.value.url),
        ...optional('excerpt', event.value.excerpt)
      }
    case 'notice':
      return { ...head, type: 'notice', kind: oneOf(noticeKinds, event.value.kind, 'resumed'), text: event.value.text }
    case 'usage':
      return { ...head, type: 'usage', ...event.value }
    case 'done':
      return { ...head, type: 'done', messageId: event.value.messageId, finish: oneOf<FinishReason>(finishReasons, event.value.finish, 'stop') }
    case 'failed': {
      const { code, message, retryAfterMs, resetAt, details, correlationId } = event.value
      return {
        ...head,
        type: 'failed',
        error: {
          code: oneOf<ErrorCode>(errorCodes, code, 'internal'),
          message,
          ...optional('retryAfterMs', retryAfterMs),
          ...optional('resetAt', resetAt),
          ...(Object.keys(details).length === 0 ? {} : { details }),
          ...optional('correlationId', correlationId)
        }
      }
    }
  }
}
