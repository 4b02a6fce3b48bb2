// The consultant chat on a plain WebSocket, `GET /api/v1/admin/chat/ws`: one envelope for everything, both ways. The session is
// restored when a client comes back: its status, and what it has missed.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { Answer, DeskEvent } from '../sessions/board.ts'
import type { ChatMessage, ChatSession } from '../sessions/sessions.ts'
import { correlationId } from '../correlation.ts'
import { iso, questionIn, sessionOf } from './chatSession.ts'
import { fieldsOf } from './erp.ts'
import { toSocketError, type AiError } from './foreignErrors.ts'
import type { FrameDialect } from './frames.ts'
import type { GatewayParts } from './gateway.ts'
import type { Peer } from './peer.ts'
import { messageIdOf } from './threads.ts'

interface Envelope {
  readonly session_id: string
  readonly message_id: string
  readonly content: string
  readonly metadata: object
}

/** Messages sent again after a reconnection, at most. */
const MOST_MISSED = 200
const metadataSchema = z.object({
  client_name: z.string().max(200).transform(cleanText).nullish(),
  context: z.unknown().optional(),
  quick_action: z.unknown().optional()
})

export function consultantChat(parts: GatewayParts): FrameDialect {
  return {
    path: '/api/v1/admin/chat/ws',
    meter: parts.meter,
    frame: (type, data) => ({
      type,
      ...(type === 'error' ? errorEnvelope(data as AiError) : data),
      timestamp: iso(parts.clock.now())
    }),
    open: (peer, address) => serve(peer, parts, address)
  }
}

function serve(peer: Peer, parts: GatewayParts, address: URL): (frame: unknown) => Promise<void> {
  const { desk, clock, newId } = parts
  const { caller, gone } = peer
  const owner = { userId: caller.userId, kind: 'consultant' } as const
  const given = new Set<string>()
  const say = (type: string, part: Partial<Envelope>): void =>
    peer.send(type, { session_id: '', message_id: '', content: '', metadata: {}, ...part } satisfies Envelope)

  const deliver = (answer: ChatMessage, isAskedFor = false): void => {
    if (given.has(answer.messageId) && !isAskedFor) return
    given.add(answer.messageId)
    say('message', messagePart(answer))
    peer
      .proof()
      .then((isProven) => (isProven ? desk.sessions.markDelivered(owner, [answer.messageId]) : undefined))
      .catch((error: unknown) => peer.refuse(error))
  }

  /** Who comes back hears of the session first, then what goes on in it; null: what is told goes out at once. */
  let held: DeskEvent[] | null = address.searchParams.has('session_id') ? [] : null
  const letGo = (): void => {
    const events = held ?? []
    held = null
    for (const event of events) tell(event)
  }

  const stop = desk.listen(owner, {
    tell: (event) => (held === null ? tell(event) : void held.push(event)),
    missed: () => void giveUnread().catch((error: unknown) => peer.refuse(error))
  })
  gone.addEventListener('abort', stop, { once: true })
  const tell = (event: DeskEvent): void => {
    const about = { session_id: event.key.sessionId, metadata: { reply_to: event.replyTo } }
    switch (event.type) {
      case 'answering':
        return say('typing', { ...about, message_id: event.messageId })
      case 'stage':
        return say('status', { ...about, message_id: event.messageId, content: event.stage })
      case 'piece':
        return
      case 'answered':
        return deliver(event.answer satisfies Answer)
      case 'waiting':
        // It is no error of this message: that is kept, and goes on by itself.
        return say('status', {
          ...about,
          message_id: event.replyTo,
          content: `${event.error.message} The message is kept and is answered as soon as that is possible.`,
          metadata: { ...about.metadata, state: 'waiting', retry_after: Math.ceil((event.error.retryAfterMs ?? 0) / 1_000) }
        })
      case 'failed':
        return peer.send(
          'error',
          toSocketError(event.error, { correlationId: correlationId() ?? newId(), messageId: event.replyTo, sessionId: event.key.sessionId })
        )
    }
  }

  const restore = async (sessionId: string, lastSeen: string | undefined): Promise<void> => {
    const session = await sessionOf(desk, { ...owner, sessionId })
    const missed = lastSeen === undefined ? [] : await desk.sessions.after(session, lastSeen, MOST_MISSED)
    const waiting = (await desk.sessions.pending(caller.userId)).filter((message) => message.sessionId === sessionId)
    say('status', {
      session_id: sessionId,
      message_id: lastSeen ?? '',
      content: 'restored',
      metadata: { client_name: session.clientName, waiting: waiting.map(({ messageId }) => messageId), missed: missed.length }
    })
    letGo()
    for (const message of missed) {
      if (message.role === 'assistant') deliver(message, true)
      else say('message', messagePart(message))
      await peer.room()
    }
    await giveUnread(sessionId)
  }

  const giveUnread = async (sessionId?: string): Promise<void> => {
    for (const answer of await desk.sessions.unread(owner, MOST_MISSED)) {
      if (sessionId !== undefined && answer.sessionId !== sessionId) continue
      deliver(answer)
      await peer.room()
    }
  }

  /** The session that a message names, or a new one when it names none. */
  const sessionFor = async (sessionId: string | undefined, clientName: string): Promise<ChatSession> => {
    if (sessionId !== undefined) return await sessionOf(desk, { ...owner, sessionId })
    const now = clock.now()
    const session = { ...owner, sessionId: newId(), clientName, context: '', meetingType: null, metadata: {}, createdAt: now, updatedAt: now }
    return await desk.sessions.create(session)
  }

  const receiveMessage = async (fields: Readonly<Record<string, unknown>>): Promise<void> => {
    const metadata = metadataSchema.safeParse(fields['metadata'] ?? {})
    if (!metadata.success) throw invalid('metadata', 'metadata must be an object; its client_name a text of at most 200 characters.')
    const { client_name: clientName, context, quick_action: quickAction } = metadata.data
    const messageId = messageIdOf(fields['message_id']) ?? newId()
    const known = { message: fields['content'], context: contextOf(context), quickAction }
    const sessionId = sessionIdOf(fields['session_id'])
    // Refused before a session is made for it.
    if (sessionId === undefined) questionIn(draft(owner.userId), known, caller, newId)
    const session = await sessionFor(sessionId, clientName ?? '')
    const question = questionIn(session, known, caller, newId)
    const kept = await desk.write(caller, { key: session, messageId, question })
    peer.accepted()
    say('status', {
      session_id: kept.sessionId,
      message_id: kept.messageId,
      content: 'received',
      metadata: { saved_at: iso(kept.createdAt), state: kept.state }
    })
  }

  const begin = async (): Promise<void> => {
    const sessionId = sessionIdOf(address.searchParams.get('session_id'))
    const lastSeen = messageIdOf(address.searchParams.get('message_id'))
    if (sessionId !== undefined) await restore(sessionId, lastSeen)
    else await giveUnread()
  }
  begin()
    .catch((error: unknown) => peer.refuse(error))
    // Also where there was no such session.
    .finally(letGo)

  return async (frame) => {
    const fields = fieldsOf(frame)
    try {
      switch (fields['type']) {
        case 'message':
          return await receiveMessage(fields)
        case 'status': {
          const sessionId = sessionIdOf(fields['session_id'])
          if (sessionId === undefined) throw invalid('session_id', 'A status needs the session_id that it asks for.')
          await restore(sessionId, messageIdOf(fields['message_id']))
          return peer.accepted()
        }
        // Said to the other side of a conversation; there is nobody but the AI here.
        case 'typing':
        case 'error':
          return
        default:
          throw invalid('type', 'The type of a message must be one of message, typing, status, error.')
      }
    } catch (error) {
      peer.refuse(error, { ...idIn(fields, 'session_id', 'sessionId'), ...idIn(fields, 'message_id', 'messageId') })
    }
  }
}

function messagePart(message: ChatMessage): Envelope {
  const { sessionId, messageId, content, role, answer, createdAt } = message
  const details = answer === undefined ? {} : { reply_to: answer.replyTo, model_used: answer.model ?? '', processing_time_ms: answer.processingMs }
  return { session_id: sessionId, message_id: messageId, content, metadata: { role, sent_at: iso(createdAt), ...details } }
}

/** Text as one entry, for clients that send the context of a meeting in words. */
function contextOf(context: unknown): unknown {
  return typeof context === 'string' && context !== '' ? { context } : context === '' ? undefined : context
}

function sessionIdOf(raw: unknown): string | undefined {
  if (raw === undefined || raw === null || raw === '') return undefined
  if (typeof raw !== 'string' || raw.length > 128) throw invalid('session_id', 'session_id must be text of at most 128 characters.')
  return raw
}

function idIn(fields: Readonly<Record<string, unknown>>, field: string, name: string): Record<string, string> {
  const id = fields[field]
  return typeof id === 'string' && id !== '' ? { [name]: id.slice(0, 128) } : {}
}

function errorEnvelope({
  code,
  message,
  errorType,
  session_id: sessionId = '',
  message_id: messageId = '',
  retry_after: retryAfter,
  error
}: AiError): object {
  return {
    session_id: sessionId,
    message_id: messageId,
    content: message,
    code,
    metadata: { code, errorType, ...(retryAfter === undefined ? {} : { retry_after: retryAfter }), correlation_id: error?.correlationId, error }
  }
}

/** Stands in for the session that is not made yet. */
function draft(userId: string): ChatSession {
  return { userId, kind: 'consultant', sessionId: 'new', clientName: '', context: '', meetingType: null, metadata: {}, createdAt: 0, updatedAt: 0 }
}

function invalid(field: string, message: string): CopilotError {
  return new CopilotError('invalid_request', message, { details: { field } })
}
