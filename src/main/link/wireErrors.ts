// Failures as the wires tell them, back into the one table: gRPC status and trailer, Socket.IO error events and refused
// connections. Foreign peers know neither our codes nor our words, so unknown shapes become the nearest row.
import { z } from 'zod'
import { CopilotError, wireErrorSchema, type ErrorCode } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import { aiErrorSchema } from '../../shared/wire/socket.ts'

const MAX_FOREIGN_WORDS = 300

/** What the peer said, fit to be shown; empty when it said nothing. */
function foreignWords(text: string): string {
  const words = cleanText(text).replace(/\s+/g, ' ').trim()
  return words.length > MAX_FOREIGN_WORDS ? `${words.slice(0, MAX_FOREIGN_WORDS).toWellFormed()}…` : words
}

function sentence(code: ErrorCode, said: string): string {
  const words = foreignWords(said)
  const quoted = words === '' ? '' : ` It said: “${words}”`
  switch (code) {
    case 'unauthenticated':
      return 'The AI service did not accept the sign-in. Your question is kept; sign in again or check ASIDE_TOKEN.'
    case 'forbidden':
      return `The AI service does not allow this.${quoted}`
    case 'rate_limited':
      return `The AI service asks to wait before the next question; this one is kept.${quoted}`
    case 'unavailable':
      return `The AI service can’t answer right now; your question is kept and can be sent again.${quoted}`
    case 'timeout':
      return 'The AI service took too long. Your question is kept; try again.'
    case 'not_found':
      return 'The AI service at this address does not know this request. Check that ASIDE_SERVICE_URL names an AI service.'
    case 'offline':
      return 'The connection to the AI service broke. Your question is kept and sent when it is back.'
    case 'internal':
      return 'The AI service ran into a fault of its own. Your question is kept; try again later.'
    default:
      return words === '' ? 'The AI service did not take this question.' : `The AI service did not take this question.${quoted}`
  }
}

function made(code: ErrorCode, said: string, options: { readonly retryAfterMs?: number; readonly cause?: unknown } = {}): CopilotError {
  return new CopilotError(code, sentence(code, said), options)
}

export const offline = (cause?: unknown): CopilotError => made('offline', '', { cause })

/** The peer sent something that is not the protocol. */
export const unreadable = (cause: unknown): CopilotError =>
  new CopilotError('unavailable', 'The AI service sent something that Aside can’t read. Your question is kept; try again.', { cause })

export const cutShort = (): CopilotError =>
  new CopilotError('unavailable', 'The answer ended before it was complete. What had arrived is kept; ask again for the rest.')

export const silent = (): CopilotError => made('timeout', '')

// ---- gRPC ----------------------------------------------------------------------------------------------------------

/** Statuses without our trailer; numbers as in the gRPC specification, "Status codes and their use in gRPC". */
const byGrpcStatus: Readonly<Record<number, ErrorCode>> = {
  1: 'offline', // not cancelled by us, or this would not be asked: the other side let go
  2: 'internal',
  3: 'invalid_request',
  4: 'timeout',
  5: 'not_found',
  6: 'conflict',
  7: 'forbidden',
  8: 'rate_limited',
  9: 'refused',
  10: 'unavailable',
  11: 'context_too_large',
  12: 'not_found',
  13: 'internal',
  14: 'offline',
  15: 'internal',
  16: 'unauthenticated'
}
/** grpc-js reports a stream that was cut below gRPC as INTERNAL with these words. */
const CUT_STREAM = /RST_STREAM|GOAWAY|without gRPC status|connection|socket|ECONN/i

export interface GrpcFailure {
  readonly code: number
  readonly details: string
  /** Value of the `aside-error` trailer; null where there is none. */
  readonly trailer: string | null
}

export function fromGrpc({ code, details, trailer }: GrpcFailure): CopilotError {
  const ours = trailer === null ? null : parseJson(trailer)
  const parsed = wireErrorSchema.safeParse(ours)
  if (parsed.success) return CopilotError.fromWire(parsed.data)
  const cause = new Error(`gRPC status ${code}: ${foreignWords(details)}`)
  if (code === 13 && CUT_STREAM.test(details)) return offline(cause)
  return made(byGrpcStatus[code] ?? 'internal', details, { cause })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // a trailer that is not ours says nothing; the status still does
  }
}

// ---- Socket.IO -----------------------------------------------------------------------------------------------------

const byCloseCode: Readonly<Record<number, ErrorCode>> = {
  1008: 'unauthenticated',
  1011: 'internal',
  4001: 'unavailable',
  4002: 'invalid_request',
  4003: 'rate_limited',
  4004: 'context_invalid'
}

/** Loose shapes in which foreign servers put an error into an ack or an event. */
const looseErrorSchema = z.object({
  code: z.number().optional(),
  message: z.string().optional(),
  retry_after: z.number().nonnegative().optional(),
  error: z.union([z.string(), z.object({ code: z.union([z.number(), z.string()]).optional(), message: z.string().optional() })]).optional()
})

/** From the data of an `error` event or of an ack that refuses. */
export function fromSocket(payload: unknown): CopilotError {
  const known = aiErrorSchema.safeParse(payload)
  if (known.success && known.data.error !== undefined) return CopilotError.fromWire(known.data.error)
  const loose = looseErrorSchema.safeParse(payload)
  const cause = new Error('error event of the peer')
  if (!loose.success) return made('unavailable', typeof payload === 'string' ? payload : '', { cause })
  const { code, message, error, retry_after: retryAfter } = loose.data
  const inner = typeof error === 'object' ? error : undefined
  const number = code ?? (typeof inner?.code === 'number' ? inner.code : undefined)
  const said = message ?? inner?.message ?? (typeof error === 'string' ? error : '')
  return made((number === undefined ? undefined : byCloseCode[number]) ?? 'unavailable', said, {
    cause,
    ...(retryAfter === undefined ? {} : { retryAfterMs: Math.round(retryAfter * 1_000) })
  })
}

const AUTH_WORDS = /auth|token|credential|forbidden|sign.?in|jwt|\b40[13]\b/i

/** What engine.io attaches to a transport's error: an HTTP status, or the event of the failed WebSocket. */
const describedSchema = z.union([z.number().transform(String), z.object({ message: z.string() }).transform(({ message }) => message)])

/** From `connect_error`: the server's own refusal (it may carry our error in `data`), or a transport that failed. */
export function fromConnect(error: Error & { readonly data?: unknown; readonly description?: unknown }, refusedByServer: boolean): CopilotError {
  const ours = wireErrorSchema.safeParse(error.data)
  if (ours.success) return CopilotError.fromWire(ours.data)
  if (aiErrorSchema.safeParse(error.data).success) return fromSocket(error.data)
  const described = describedSchema.safeParse(error.description)
  const httpRefused = described.success && /\b40[13]\b/.test(described.data)
  if (httpRefused || (refusedByServer && AUTH_WORDS.test(error.message))) return made('unauthenticated', '', { cause: error })
  return refusedByServer ? made('unavailable', error.message, { cause: error }) : offline(error)
}
