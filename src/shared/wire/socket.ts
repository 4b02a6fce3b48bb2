// The ERP dialect over Socket.IO as both ends parse it: fixed names first, then what the desktop adds. A peer that
// knows only the fixed names still holds a correct conversation.
import { z } from 'zod'
import { wireErrorSchema } from '../errors.ts'
import { quickActions, turnEventSchema, type TurnEvent } from '../turn.ts'

/** Version of what is added to the base dialects; base peers announce none. */
export const PROTOCOL_VERSION = 1

export const aiStreamRequestSchema = z.object({
  message: z.string(),
  context: z.record(z.string(), z.string()).optional(),
  session_id: z.string().optional(),
  user_id: z.string().optional(),
  turn_id: z.string().optional(),
  /** Replay from the event after this one. */
  after_seq: z.number().int().nonnegative().optional(),
  quick_action: z.enum(quickActions).optional()
})
export type AiStreamRequest = z.infer<typeof aiStreamRequestSchema>

/** `event` is absent from a base peer, and for text: then `content` is the next piece of it. */
export const aiStreamPieceSchema = z.object({
  content: z.string(),
  is_final: z.boolean(),
  message_id: z.string(),
  turn_id: z.string().optional(),
  event: turnEventSchema.optional()
})
export type AiStreamPiece = z.infer<typeof aiStreamPieceSchema>

export const aiErrorSchema = z.object({
  /** WebSocket application error code, 4001 to 4004. */
  code: z.number().int(),
  message: z.string(),
  /** The kind of error, for clients that know these five only. */
  errorType: z.enum(['auth_failed', 'validation_error', 'processing_error', 'rate_limit_exceeded', 'internal_error']).optional(),
  turn_id: z.string().optional(),
  message_id: z.string().optional(),
  session_id: z.string().optional(),
  retry_after: z.number().optional(),
  error: wireErrorSchema.optional()
})

export const aiAckSchema = z.union([
  z.object({ ok: z.literal(true), message_id: z.string(), turn_id: z.string().optional(), protocol: z.number().int().optional() }),
  z.object({ ok: z.literal(false), error: wireErrorSchema })
])
export type AiAck = z.infer<typeof aiAckSchema>

/** Event names over Socket.IO. `ai_cancel {turn_id}` and `ai_hello {protocol, version, answered_by}` are ours. */
export const socketEvents = {
  chat: 'ai_chat',
  stream: 'ai_stream',
  status: 'ai_status',
  error: 'error',
  cancel: 'ai_cancel',
  hello: 'ai_hello'
} as const
export const aiHelloSchema = z.object({ protocol: z.number().int(), version: z.string(), answered_by: z.string().nullable() })

/** One turn event as a piece of `ai_stream`. */
export function pieceOf(event: TurnEvent, messageId: string): AiStreamPiece {
  return {
    content: event.type === 'delta' ? event.text : '',
    is_final: event.type === 'done' || event.type === 'failed',
    message_id: messageId,
    turn_id: event.turnId,
    event
  }
}
