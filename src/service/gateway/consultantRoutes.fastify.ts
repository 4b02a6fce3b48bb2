// The consultant chat over REST: sessions, their history, and a message with its answer for when no socket works.
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import type { Answer, DeskEvent } from '../sessions/board.ts'
import type { ChatMessage, SessionKey } from '../sessions/sessions.ts'
import { messageJson, questionIn, sessionFieldsOf, sessionJson, sessionOf } from './chatSession.ts'
import type { GatewayParts } from './gateway.ts'
import { messageIdOf } from './threads.ts'

export interface RouteTools {
  readonly callerOf: (request: FastifyRequest) => Promise<Caller>
  /** Aborted when the client has gone. */
  readonly goneSignal: (response: ServerResponse) => AbortSignal
}

const BASE = '/api/v1/admin/chat/sessions'
const MOST_OF_A_PAGE = 200
const limitSchema = z.coerce.number().int().min(1).max(MOST_OF_A_PAGE)
const cursorSchema = z.tuple([z.number().int(), z.string()])

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
export function consultantRoutes(app: FastifyInstance, parts: GatewayParts, { callerOf, goneSignal }: RouteTools): void {
  const { desk, clock, newId } = parts
  const { sessions } = desk
  const keyOf = ({ userId }: Caller, request: FastifyRequest): SessionKey => ({
    userId,
    kind: 'consultant',
    sessionId: (request.params as { id: string }).id
  })

  app.post(BASE, async (request, reply) => {
    const { userId } = await callerOf(request)
    const fields = sessionFieldsOf(request.body)
    if (fields.clientName === undefined || fields.clientName.trim() === '') throw invalid('client_name', 'A session needs a client_name.')
    const now = clock.now()
    const session = await sessions.create({
      context: fields.context ?? '',
      meetingType: fields.meetingType ?? null,
      metadata: fields.metadata ?? {},
      clientName: fields.clientName.trim(),
      userId,
      kind: 'consultant',
      sessionId: newId(),
      createdAt: now,
      updatedAt: now
    })
    return reply.code(201).send(sessionJson(session))
  })

  app.get(BASE, async (request) => {
    const { userId } = await callerOf(request)
    const query = request.query as Record<string, unknown>
    const limit = limitOf(query['limit'])
    const found = await sessions.list({ userId, kind: 'consultant' }, { limit: limit + 1, before: cursorOf(query['cursor']) })
    const page = found.slice(0, limit)
    const last = page.at(-1)
    const next = found.length > limit && last !== undefined ? toCursor(last.createdAt, last.sessionId) : null
    return { sessions: page.map(sessionJson), next_cursor: next }
  })

  app.get(`${BASE}/:id`, async (request) => sessionJson(await sessionOf(desk, keyOf(await callerOf(request), request))))

  app.put(`${BASE}/:id`, async (request) => {
    const key = keyOf(await callerOf(request), request)
    const fields = sessionFieldsOf(request.body)
    if (Object.keys(fields).length === 0)
      throw invalid('context', 'There is nothing to change: send a context, client_name, meeting_type or metadata.')
    if (fields.clientName?.trim() === '') throw invalid('client_name', 'A session needs a client_name.')
    const session = await sessions.update(key, fields, clock.now())
    if (session === null) throw notFound()
    return sessionJson(session)
  })

  app.delete(`${BASE}/:id`, async (request, reply) => {
    const caller = await callerOf(request)
    if (!(await desk.remove(caller, keyOf(caller, request)))) throw notFound()
    return reply.code(204).send()
  })

  app.get(`${BASE}/:id/history`, async (request) => {
    const key = keyOf(await callerOf(request), request)
    await sessionOf(desk, key)
    const query = request.query as Record<string, unknown>
    const messages = await sessions.history(key, { limit: limitOf(query['limit']), before: beforeOf(query['before']) })
    return { session_id: key.sessionId, messages: messages.map(messageJson) }
  })

  app.post(`${BASE}/:id/messages`, async (request, reply) => {
    const caller = await callerOf(request)
    const key = keyOf(caller, request)
    const session = await sessionOf(desk, key)
    const body = messageSchema.safeParse(request.body)
    if (!body.success) throw new CopilotError('invalid_request', 'The body must be a JSON object with content.')
    const messageId = messageIdOf(body.data.message_id) ?? newId()
    const { context, quick_action: quickAction } = body.data.metadata ?? {}
    const question = questionIn(session, { message: body.data.content, context, quickAction }, caller, newId)
    const outcome = outcomeOf(key, messageId, goneSignal(reply.raw))
    try {
      const kept = await desk.write(caller, { key, messageId, question })
      // It has no answer and gets none: waiting for one would never end.
      if (kept.state === 'failed') {
        throw new CopilotError('conflict', 'This message could not be answered. Send it with a new message_id to ask again.', {
          details: { field: 'message_id' }
        })
      }
      const answer = kept.state === 'answered' ? await answerTo(kept) : await outcome.promise
      await sessions.markDelivered(key, [answer.messageId])
      return { ...messageJson(answer), reply_to: messageId, response: answer.content }
    } finally {
      outcome.stop()
    }
  })

  /** What becomes of a message: its answer, or the error to tell. Rejects as soon as it has to wait for the AI to return. */
  const outcomeOf = (key: SessionKey, messageId: string, gone: AbortSignal): { readonly promise: Promise<Answer>; stop(): void } => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const hear = (event: DeskEvent): void => {
      if (event.replyTo !== messageId || event.key.sessionId !== key.sessionId) return
      if (event.type === 'answered') resolve(event.answer)
      else if (event.type === 'failed') reject(event.error)
      else if (event.type === 'waiting') reject(keptFor(event.error, messageId))
    }
    /** Another process may have answered it unheard. */
    const look = async (): Promise<void> => {
      const kept = await sessions.message(key, messageId)
      if (kept?.state === 'answered') resolve(await answerTo(kept))
      else if (kept?.state === 'failed') reject(new CopilotError('unavailable', 'The message could not be answered. Send it again with a new id.'))
    }
    const stop = desk.listen(key, { tell: hear, missed: () => void look().catch(reject) })
    const left = (): void => reject(new CopilotError('cancelled', 'The client has gone; the message is kept.'))
    gone.addEventListener('abort', left, { once: true })
    // Nobody may be waiting any more when it rejects.
    promise.catch(() => undefined)
    return { promise, stop }
  }

  const answerTo = async (kept: ChatMessage): Promise<Answer> => {
    const later = await sessions.after(kept, kept.messageId, MOST_OF_A_PAGE)
    const message = later.find(({ answer }) => answer?.replyTo === kept.messageId)
    if (message?.answer === undefined) throw notFound()
    return { ...message, answer: message.answer }
  }
}

const messageSchema = z.object({
  content: z.unknown().optional(),
  message_id: z.unknown().optional(),
  metadata: z.object({ context: z.unknown().optional(), quick_action: z.unknown().optional() }).nullish()
})

function keptFor(error: CopilotError, messageId: string): CopilotError {
  return new CopilotError(error.code, `${error.message} Your message is kept and is answered as soon as that is possible; read the history later.`, {
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    details: { ...error.details, message_id: messageId },
    cause: error
  })
}

function limitOf(raw: unknown): number {
  if (raw === undefined) return 50
  const limit = limitSchema.safeParse(raw)
  if (!limit.success) throw invalid('limit', `limit must be a whole number from 1 to ${MOST_OF_A_PAGE}.`)
  return limit.data
}

/** A message id, or a moment in ISO 8601. */
function beforeOf(raw: unknown): string | number | undefined {
  if (raw === undefined || raw === '') return undefined
  if (typeof raw !== 'string') throw invalid('before', 'before must be one message id or one moment in ISO 8601.')
  const at = /^\d{4}-\d{2}-\d{2}T/.test(raw) ? Date.parse(raw) : Number.NaN
  return Number.isNaN(at) ? messageIdOf(raw) : at
}

function toCursor(at: number, id: string): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url')
}

function cursorOf(raw: unknown): { at: number; id: string } | undefined {
  if (raw === undefined || raw === '') return undefined
  try {
    const [at, id] = cursorSchema.parse(JSON.parse(Buffer.from(z.string().parse(raw), 'base64url').toString()))
    return { at, id }
  } catch (error) {
    throw new CopilotError('invalid_request', 'cursor is not one that this service gave. Begin without one.', {
      cause: error,
      details: { field: 'cursor' }
    })
  }
}

function invalid(field: string, message: string): CopilotError {
  return new CopilotError('invalid_request', message, { details: { field } })
}
function notFound(): CopilotError {
  return new CopilotError('not_found', 'You have no session with this id.', { details: { field: 'session_id' } })
}
