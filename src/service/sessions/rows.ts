// Sessions and messages as both databases keep them: one row each, what has a form of its own as JSON. Pure.
import { z } from 'zod'
import { questionSchema } from '../../shared/turn.ts'
import type { Caller } from '../auth/caller.ts'
import type { AnswerDetails, ChatMessage, ChatSession, MessageState, PendingMessage, SessionKey, SessionKind } from './sessions.ts'

export interface SessionRow {
  user_id: string
  kind: SessionKind
  session_id: string
  client_name: string
  context: string
  meeting_type: string | null
  metadata: string
  created_at: number
  updated_at: number
}
export interface MessageRow {
  user_id: string
  kind: SessionKind
  session_id: string
  message_id: string
  role: 'user' | 'assistant'
  content: string
  created_at: number
  state: MessageState
  details: string
}
export type Owner = Pick<SessionKey, 'userId' | 'kind'>

const contextSchema = z.union([z.string(), z.record(z.string(), z.string())])
const metadataSchema = z.record(z.string(), z.unknown())
/** Whatever else a caller has by now is kept as it was. */
const askedSchema = z.object({ caller: z.looseObject({ userId: z.string(), role: z.string() }), question: questionSchema })
const answerSchema = z.object({ replyTo: z.string(), model: z.string().nullable(), support: z.number(), processingMs: z.number() })

export function sessionFrom(row: SessionRow): ChatSession {
  return {
    userId: row.user_id,
    kind: row.kind,
    sessionId: row.session_id,
    clientName: row.client_name,
    context: contextSchema.parse(JSON.parse(row.context)),
    meetingType: row.meeting_type,
    metadata: metadataSchema.parse(JSON.parse(row.metadata)),
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }
}

export function messageFrom(row: MessageRow): ChatMessage {
  return {
    userId: row.user_id,
    kind: row.kind,
    sessionId: row.session_id,
    messageId: row.message_id,
    role: row.role,
    content: row.content,
    createdAt: row.created_at,
    state: row.state,
    ...(row.role === 'assistant' ? { answer: answerSchema.parse(JSON.parse(row.details)) satisfies AnswerDetails } : {})
  }
}

export function pendingFrom(row: MessageRow): PendingMessage {
  const { caller, question } = askedSchema.parse(JSON.parse(row.details))
  // The token that asked may have run out since; the question was let in with it and is answered.
  return { ...messageFrom(row), caller: { ...caller, expiresAt: null } as Caller, question }
}

export function sessionRowOf(session: ChatSession): SessionRow {
  return {
    user_id: session.userId,
    kind: session.kind,
    session_id: session.sessionId,
    client_name: session.clientName,
    context: JSON.stringify(session.context),
    meeting_type: session.meetingType,
    metadata: JSON.stringify(session.metadata),
    created_at: session.createdAt,
    updated_at: session.updatedAt
  }
}

export function messageRowOf(message: ChatMessage, details: object): MessageRow {
  return {
    user_id: message.userId,
    kind: message.kind,
    session_id: message.sessionId,
    message_id: message.messageId,
    role: message.role,
    content: message.content,
    created_at: message.createdAt,
    state: message.state,
    details: JSON.stringify(details)
  }
}

/** What is needed to ask again after a restart. */
export function askedOf({ caller, question }: PendingMessage): object {
  return { caller: { ...caller, expiresAt: null }, question }
}
