// The thread dialect over Socket.IO: a message is kept first (`message_sent`), then answered (`ai_response`), however long that
// takes and whoever has to reconnect meanwhile. Everything that lasts is done by the desk.
import { CopilotError } from '../../shared/errors.ts'
import type { Answer, DeskEvent } from '../sessions/board.ts'
import { correlationId } from '../correlation.ts'
import { admit } from './admission.ts'
import { fieldsOf, type Handle } from './erp.ts'
import type { AiError } from './foreignErrors.ts'
import { toSocketError } from './foreignErrors.ts'
import type { GatewayParts } from './gateway.ts'
import type { Peer } from './peer.ts'

/** Answers sent again after a reconnection, at most. */
const MOST_MISSED = 100

/** Begins to tell the client of its threads, until it has gone. */
export function threadDialect(peer: Peer, parts: GatewayParts): Readonly<Record<string, Handle>> {
  const { desk, clock, newId } = parts
  const { caller, gone } = peer
  const owner = { userId: caller.userId, kind: 'thread' } as const
  const given = new Set<string>()
  // Other clients of the same person hear of its threads too; only one that speaks this dialect has read an answer.
  let speaks = false

  const deliver = (answer: Answer): void => {
    if (given.has(answer.messageId)) return
    given.add(answer.messageId)
    peer.send('ai_response', finalResponse(answer))
    peer
      .proof()
      .then((isProven) => (isProven && speaks ? desk.sessions.markDelivered(owner, [answer.messageId]) : undefined))
      .catch((error: unknown) => peer.refuse(error))
  }
  const stop = desk.listen(owner, {
    tell: (event) => (event.type === 'answered' ? tellEnd(event, deliver) : tell(event)),
    missed: () => giveUnread()
  })
  gone.addEventListener('abort', stop, { once: true })

  const tellEnd = ({ key, answer }: Extract<DeskEvent, { type: 'answered' }>, give: typeof deliver): void => {
    startedAt.delete(answer.answer.replyTo)
    peer.send('ai_typing', { thread_id: key.sessionId, is_typing: false })
    give(answer)
  }
  const startedAt = new Map<string, number>()
  const tell = (event: Exclude<DeskEvent, { type: 'answered' }>): void => {
    const {
      key: { sessionId: thread },
      replyTo
    } = event
    switch (event.type) {
      case 'answering':
        startedAt.set(replyTo, clock.now())
        return peer.send('ai_typing', { thread_id: thread, is_typing: true })
      case 'stage':
        return
      case 'piece':
        return peer.send('ai_response', {
          thread_id: thread,
          message_id: event.messageId,
          content: event.text,
          is_final: false,
          model_used: '',
          confidence_score: 0,
          processing_time_ms: Math.max(0, clock.now() - (startedAt.get(replyTo) ?? clock.now())),
          reply_to: replyTo
        })
      case 'waiting':
        startedAt.delete(replyTo)
        peer.send('ai_typing', { thread_id: thread, is_typing: false })
        return peer.send('ai_unavailable', {
          thread_id: thread,
          reason: event.error.message,
          retry_after: seconds(event.error.retryAfterMs),
          reply_to: replyTo
        })
      case 'failed':
        startedAt.delete(replyTo)
        peer.send('ai_typing', { thread_id: thread, is_typing: false })
        return peer.send(
          'ai_error',
          threadError(toSocketError(event.error, { correlationId: correlationId() ?? newId(), messageId: replyTo, sessionId: thread }))
        )
    }
  }

  const catchUp = async (): Promise<void> => {
    for (const answer of await desk.sessions.unread(owner, MOST_MISSED)) {
      if (answer.answer !== undefined) deliver({ ...answer, answer: answer.answer })
      await peer.room()
    }
  }
  const giveUnread = (): void => void catchUp().catch((error: unknown) => peer.refuse(error))
  giveUnread()

  const send: Handle = async (payload, ack) => {
    const fields = fieldsOf(payload)
    const type = fields['content_type'] ?? 'text'
    if (type !== 'text') throw invalid('content_type', 'content_type must be "text".')
    const thread = fields['thread_id']
    if (typeof thread !== 'string' || thread.trim() === '') throw invalid('thread_id', 'A message needs the thread_id that it belongs to.')
    const { question } = admit(
      { message: fields['content'], context: fields['context'], sessionId: thread, userId: fields['user_id'] },
      caller,
      newId
    )
    const key = { ...owner, sessionId: question.sessionId }
    const now = clock.now()
    await desk.sessions.create({ ...key, clientName: '', context: '', meetingType: null, metadata: {}, createdAt: now, updatedAt: now })
    const messageId = messageIdOf(fields['message_id']) ?? newId()
    const kept = await desk.write(caller, { key, messageId, question })
    speaks = true
    peer.accepted()
    const saved = { message_id: kept.messageId, thread_id: kept.sessionId, saved_at: new Date(kept.createdAt).toISOString() }
    peer.send('message_sent', saved)
    ack?.({ ok: true, ...saved })
  }

  return {
    send_message: async (payload, ack) => {
      try {
        await send(payload, ack)
      } catch (error) {
        const thread = typeof payload === 'object' && payload !== null && 'thread_id' in payload ? payload.thread_id : undefined
        peer.refuse(error, typeof thread === 'string' ? { sessionId: thread.slice(0, 128) } : {}, {
          say: (told) => peer.send('ai_error', threadError(told)),
          ack: (told) => told.error !== undefined && ack?.({ ok: false, error: told.error })
        })
      }
    },
    // What a person is typing changes nothing here; it shows that the client speaks this dialect.
    typing: async (payload, ack) => {
      fieldsOf(payload)
      speaks = true
      ack?.({ ok: true, message_id: '' })
    }
  }
}

/** The id that a client gives its message, so that sending it twice is sending it once. Throws `invalid_request`. */
export function messageIdOf(raw: unknown): string | undefined {
  if (raw === undefined || raw === null || raw === '') return undefined
  if (typeof raw !== 'string' || !/^[\w.:-]{1,128}$/.test(raw)) {
    throw invalid('message_id', 'message_id must have 1 to 128 letters, digits or "._:-". Leave it out to get one.')
  }
  return raw
}

/** The whole answer: after pieces, and alone after a reconnection. */
function finalResponse(answer: Answer): object {
  return {
    thread_id: answer.sessionId,
    message_id: answer.messageId,
    content: answer.content,
    is_final: true,
    model_used: answer.answer.model ?? '',
    confidence_score: answer.answer.support,
    processing_time_ms: answer.answer.processingMs,
    reply_to: answer.answer.replyTo
  }
}

function threadError({
  code,
  message,
  errorType,
  session_id: thread = '',
  message_id: replyTo,
  retry_after: retryAfter = 0,
  error
}: AiError): object {
  return {
    thread_id: thread,
    error: message,
    retry_after: retryAfter,
    code,
    errorType,
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    correlation_id: error?.correlationId
  }
}

function seconds(ms: number | undefined): number {
  return Math.ceil((ms ?? 0) / 1_000)
}
function invalid(field: string, message: string): CopilotError {
  return new CopilotError('invalid_request', message, { details: { field } })
}
