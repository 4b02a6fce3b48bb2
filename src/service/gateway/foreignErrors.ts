// Errors as each wire wants them. The code travels whole; bugs leave only as `internal`, their words stay in the log.
import { Metadata, type StatusObject } from '@grpc/grpc-js'
import { errorTable, toCopilotError, type CopilotError, type ErrorCode, type WireError } from '../../shared/errors.ts'
import { ERROR_TRAILER } from '../../shared/wire/grpc.ts'
import type { aiErrorSchema } from '../../shared/wire/socket.ts'
import type { z } from 'zod'

/** gRPC status with our whole error as a JSON trailer. */
export function toGrpcStatus(error: unknown, correlationId: string): StatusObject {
  const wire = wireWith(error, correlationId)
  const metadata = new Metadata()
  metadata.set(ERROR_TRAILER, asciiJson(wire))
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the table has grpc-js's own numbers
  return { code: errorTable[wire.code].grpc, details: wire.message, metadata }
}

export interface RestError {
  readonly status: number
  readonly body: {
    readonly error: {
      readonly code: string
      readonly message: string
      readonly details: Readonly<Record<string, string>>
      readonly retry_after?: number
      readonly correlation_id: string
    }
  }
}

export function toRestError(error: unknown, correlationId: string): RestError {
  const wire = wireWith(error, correlationId)
  const row = errorTable[wire.code]
  return {
    status: row.http,
    body: {
      error: {
        code: row.foreign,
        message: wire.message,
        details: wire.details ?? {},
        ...(wire.retryAfterMs === undefined ? {} : { retry_after: seconds(wire.retryAfterMs) }),
        correlation_id: wire.correlationId ?? correlationId
      }
    }
  }
}

export type AiError = z.infer<typeof aiErrorSchema>

/** The `error` event of the sockets; `code` is the close code that stands for it. */
export function toSocketError(
  error: unknown,
  ids: { readonly correlationId: string; readonly turnId?: string; readonly messageId?: string; readonly sessionId?: string }
): AiError {
  const wire = wireWith(error, ids.correlationId)
  return {
    code: errorTable[wire.code].ws ?? CANCELLED_CODE,
    message: wire.message,
    errorType: errorTypes[wire.code],
    ...(ids.sessionId === undefined ? {} : { session_id: ids.sessionId }),
    ...(ids.turnId === undefined ? {} : { turn_id: ids.turnId }),
    ...(ids.messageId === undefined ? {} : { message_id: ids.messageId }),
    ...(wire.retryAfterMs === undefined ? {} : { retry_after: seconds(wire.retryAfterMs) }),
    error: wire
  }
}

/** The five kinds that clients of the agent's sockets know. */
const errorTypes: Readonly<Record<ErrorCode, NonNullable<AiError['errorType']>>> = {
  unauthenticated: 'auth_failed',
  forbidden: 'auth_failed',
  invalid_request: 'validation_error',
  context_invalid: 'validation_error',
  context_too_large: 'validation_error',
  not_found: 'validation_error',
  conflict: 'validation_error',
  rate_limited: 'rate_limit_exceeded',
  budget_exhausted: 'rate_limit_exceeded',
  unavailable: 'processing_error',
  timeout: 'processing_error',
  refused: 'processing_error',
  cancelled: 'processing_error',
  offline: 'processing_error',
  internal: 'internal_error'
}

/** Close codes have none for "stopped by the asker": to a client that only reads numbers the AI is not available for it. */
const CANCELLED_CODE = 4001

export function wireWith(error: unknown, correlationId: string): WireError {
  const failure: CopilotError = toCopilotError(error)
  return { correlationId, ...failure.toWire() }
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000)
}

/** Metadata values are ASCII; JSON's own escapes make any text so. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
