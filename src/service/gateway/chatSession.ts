// What the two doors of the consultant chat (REST and WebSocket) share: reading the fields of a session, and its form in JSON.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { Caller } from '../auth/caller.ts'
import type { Desk } from '../sessions/desk.ts'
import type { ChatMessage, ChatSession, SessionContext, SessionFields, SessionKey } from '../sessions/sessions.ts'
import { admit, type RawQuestion } from './admission.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import type { Question } from '../../shared/turn.ts'

const MAX_NAME = 200
const MAX_CONTEXT = 20_000
const MAX_METADATA = 20_000

const text = (longest: number) => z.string().transform(cleanText).pipe(z.string().max(longest))
const fieldsSchema = z.object({
  client_name: text(MAX_NAME).nullish(),
  context: z.union([text(MAX_CONTEXT), z.record(z.string().max(128), z.string().max(4_000).transform(cleanText))]).nullish(),
  meeting_type: text(MAX_NAME).nullish(),
  metadata: z.record(z.string().max(128), z.unknown()).nullish()
})

/** The fields that are there. Throws `invalid_request`, `context_invalid`, `context_too_large`. */
export function sessionFieldsOf(body: unknown): Partial<SessionFields> {
  const read = fieldsSchema.safeParse(body)
  if (!read.success) {
    const field = String(read.error.issues[0]?.path[0] ?? 'body')
    const isContext = field === 'context'
    throw new CopilotError(
      isContext ? 'context_invalid' : 'invalid_request',
      `${field} is not as it should be: ${shapeOf[field] ?? 'the body must be a JSON object'}.`,
      {
        details: { field }
      }
    )
  }
  const { client_name: clientName, context, meeting_type: meetingType, metadata } = read.data
  if (metadata !== undefined && metadata !== null && sizeOf(metadata) > MAX_METADATA) throw tooLarge('metadata', MAX_METADATA)
  if (context !== undefined && context !== null && sizeOf(context) > MAX_CONTEXT * 2) throw tooLarge('context', MAX_CONTEXT * 2)
  return {
    ...(clientName === undefined || clientName === null ? {} : { clientName }),
    ...(context === undefined || context === null ? {} : { context }),
    ...(meetingType === undefined ? {} : { meetingType }),
    ...(metadata === undefined || metadata === null ? {} : { metadata })
  }
}

const shapeOf: Readonly<Record<string, string>> = {
  client_name: `a text of at most ${MAX_NAME} characters`,
  context: `a text of at most ${MAX_CONTEXT} characters, or an object of texts`,
  meeting_type: `a text of at most ${MAX_NAME} characters`,
  metadata: 'an object'
}

function sizeOf(value: unknown): number {
  try {
    return JSON.stringify(value).length
  } catch (error) {
    // Nested so deep that it can't be written down again.
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY
    throw error
  }
}

function tooLarge(field: string, most: number): CopilotError {
  return new CopilotError('context_too_large', `${field} is larger than ${most} characters. Send less.`, { details: { field } })
}

/** Throws `not_found`, also for another person's session. */
export async function sessionOf(desk: Desk, key: SessionKey): Promise<ChatSession> {
  const session = await desk.sessions.find(key)
  if (session === null) throw new CopilotError('not_found', 'You have no session with this id.', { details: { field: 'session_id' } })
  return session
}

/** A message of a session as the question to ask: what the session knows of the client goes with it. */
export function questionIn(session: ChatSession, raw: RawQuestion, caller: Caller, newId: NewId): Question {
  const { question } = admit({ ...raw, sessionId: session.sessionId }, caller, newId)
  const { clientName, meetingType } = session
  return {
    ...question,
    context: {
      ...(clientName === '' ? {} : { client_name: clientName }),
      ...(meetingType === null || meetingType === '' ? {} : { meeting_type: meetingType }),
      ...entriesOf(session.context),
      ...question.context
    }
  }
}

/** Entries of a question are shorter than a session's context may be: long text is cut into numbered ones. */
function entriesOf(context: SessionContext): Record<string, string> {
  if (typeof context !== 'string') return { ...context }
  const parts = context.match(/[^]{1,4000}/g) ?? []
  return Object.fromEntries(parts.map((part, index) => [index === 0 ? 'context' : `context ${index + 1}`, part.toWellFormed()]))
}

export function sessionJson(session: ChatSession): object {
  return {
    id: session.sessionId,
    session_id: session.sessionId,
    client_name: session.clientName,
    context: session.context,
    meeting_type: session.meetingType,
    metadata: session.metadata,
    created_at: iso(session.createdAt),
    updated_at: iso(session.updatedAt)
  }
}

export function messageJson(message: ChatMessage): object {
  const { messageId, sessionId, role, content, createdAt, state, answer } = message
  return {
    message_id: messageId,
    session_id: sessionId,
    role,
    content,
    timestamp: iso(createdAt),
    // Whether an answer has been read is the service's own matter.
    ...(role === 'user' ? { state } : { reply_to: answer?.replyTo, model_used: answer?.model ?? '', processing_time_ms: answer?.processingMs })
  }
}

export function iso(at: number): string {
  return new Date(at).toISOString()
}
