// The one closed table of errors. Every station speaks these codes; the code is authoritative and travels whole
// (gRPC trailer, REST body, socket event, IPC envelope), the words are for people.
import { z } from 'zod'

export const errorCodes = [
  'unauthenticated',
  'forbidden',
  'invalid_request',
  'context_invalid',
  'context_too_large',
  'rate_limited',
  'budget_exhausted',
  'unavailable',
  'timeout',
  'not_found',
  'conflict',
  'refused',
  'cancelled',
  'offline',
  'internal'
] as const
export type ErrorCode = (typeof errorCodes)[number]

/**
 * `never`: the same request would fail again. `after-refresh`: once, with a fresh token. `backoff`: again, not before
 * `retryAfterMs` where given. `outbox`: the outbox sends it when the link is back.
 */
export type RetryRule = 'never' | 'after-refresh' | 'backoff' | 'outbox'

export interface ErrorRow {
  readonly retry: RetryRule
  /** grpc-js `status` number. */
  readonly grpc: number
  readonly http: number
  /** WebSocket close code; null where the socket stays open. */
  readonly ws: number | null
  /** The code foreign clients read in REST bodies and socket error events. */
  readonly foreign: string
}

export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = {
  unauthenticated: { retry: 'after-refresh', grpc: 16, http: 401, ws: 1008, foreign: 'UNAUTHENTICATED' },
  forbidden: { retry: 'never', grpc: 7, http: 403, ws: 1008, foreign: 'FORBIDDEN' },
  invalid_request: { retry: 'never', grpc: 3, http: 400, ws: 4002, foreign: 'AI_MESSAGE_INVALID' },
  context_invalid: { retry: 'never', grpc: 3, http: 400, ws: 4004, foreign: 'AI_CONTEXT_INVALID' },
  context_too_large: { retry: 'never', grpc: 11, http: 413, ws: 4004, foreign: 'AI_CONTEXT_INVALID' },
  rate_limited: { retry: 'backoff', grpc: 8, http: 429, ws: 4003, foreign: 'AI_RATE_LIMITED' },
  budget_exhausted: { retry: 'never', grpc: 8, http: 402, ws: 4003, foreign: 'AI_BUDGET_EXHAUSTED' },
  unavailable: { retry: 'backoff', grpc: 14, http: 503, ws: 4001, foreign: 'AI_UNAVAILABLE' },
  timeout: { retry: 'backoff', grpc: 4, http: 504, ws: 4001, foreign: 'AI_TIMEOUT' },
  not_found: { retry: 'never', grpc: 5, http: 404, ws: 4002, foreign: 'NOT_FOUND' },
  conflict: { retry: 'never', grpc: 6, http: 409, ws: 4002, foreign: 'CONFLICT' },
  refused: { retry: 'never', grpc: 9, http: 422, ws: 4002, foreign: 'AI_REFUSED' },
  cancelled: { retry: 'never', grpc: 1, http: 499, ws: null, foreign: 'CANCELLED' },
  offline: { retry: 'outbox', grpc: 14, http: 503, ws: null, foreign: 'OFFLINE' },
  internal: { retry: 'never', grpc: 13, http: 500, ws: 1011, foreign: 'INTERNAL_ERROR' }
}

/** An error as it crosses a wire, the bridge or the database. Times in Unix ms. */
export const wireErrorSchema = z.object({
  code: z.enum(errorCodes),
  /** A sentence for people: what happened, what was kept, what to do. */
  message: z.string(),
  retryAfterMs: z.number().int().nonnegative().optional(),
  resetAt: z.number().int().nonnegative().optional(),
  details: z.record(z.string(), z.string()).optional(),
  correlationId: z.string().optional()
})
export type WireError = z.infer<typeof wireErrorSchema>

export interface CopilotErrorOptions extends Omit<Partial<WireError>, 'code' | 'message'> {
  readonly cause?: unknown
}

/** An expected failure. Anything else that is thrown is a bug and leaves its process only as `internal`. */
export class CopilotError extends Error {
  override readonly name = 'CopilotError'
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined
  readonly resetAt: number | undefined
  readonly details: Readonly<Record<string, string>> | undefined
  readonly correlationId: string | undefined

  constructor(code: ErrorCode, message: string, options: CopilotErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.resetAt = options.resetAt
    this.details = options.details
    this.correlationId = options.correlationId
  }

  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.resetAt === undefined ? {} : { resetAt: this.resetAt }),
      ...(this.details === undefined ? {} : { details: { ...this.details } }),
      ...(this.correlationId === undefined ? {} : { correlationId: this.correlationId })
    }
  }

  static fromWire(wire: WireError): CopilotError {
    const { code, message, ...options } = wire
    return new CopilotError(code, message, options)
  }
}

/** What a bug looks like from outside its process: its own text stays inside. */
const INTERNAL_MESSAGE = 'Something went wrong inside Aside. Your question is kept; try again, or restart Aside if it stays.'

export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || (error instanceof CopilotError && error.code === 'cancelled'))
}

/** Translates anything thrown into an expected failure, for use at an edge. */
export function toCopilotError(error: unknown): CopilotError {
  if (error instanceof CopilotError) return error
  if (isAbort(error)) return new CopilotError('cancelled', 'Stopped.', { cause: error })
  return new CopilotError('internal', INTERNAL_MESSAGE, { cause: error })
}
