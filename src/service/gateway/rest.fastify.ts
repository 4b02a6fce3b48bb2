// The REST dialect: chat, a stream as server-sent events, status and health. Also the HTTP server that Socket.IO sits on.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import { bearerToken, refuseTokenInUrl } from '../auth/verifier.ts'
import { errorFields } from '../logging.ts'
import { admit, MAX_MESSAGE_BYTES, type Admitted } from './admission.ts'
import { agentRoutes } from './agent.fastify.ts'
import { consultantRoutes } from './consultantRoutes.fastify.ts'
import { listen, listenToAll, whole } from './conversation.ts'
import { toRestError } from './foreignErrors.ts'
import type { Door, GatewayParts } from './gateway.ts'
import { addOverrides } from './overrides.fastify.ts'
import { portFault } from './portFault.ts'
import { webhookRoutes } from './webhooks.fastify.ts'

export interface RestOptions {
  readonly host: string
  readonly port: number
  /** Adds more to the HTTP server before it listens; returns what ends that. */
  readonly attach: (server: Server) => () => Promise<void>
}

const bodySchema = z.object({
  message: z.unknown().optional(),
  context: z.unknown().optional(),
  user_id: z.unknown().optional(),
  session_id: z.unknown().optional(),
  turn_id: z.unknown().optional(),
  after_seq: z.unknown().optional(),
  quick_action: z.unknown().optional()
})
const SLOW_READER_MS = 60_000

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
/** Connections that may wait to be taken in: a thousand at once must not be dropped while the process is busy. */
const CONNECTION_BACKLOG = 4_096

export async function openHttpDoor(parts: GatewayParts, { host, port, attach }: RestOptions): Promise<Door> {
  const { broker, verifier, status, newId, logger, version } = parts
  const app = fastify({
    logger: false,
    bodyLimit: MAX_MESSAGE_BYTES,
    genReqId: () => newId(),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    exposeHeadRoutes: false,
    // An input's id begins with its sender's.
    routerOptions: { maxParamLength: 700 },
    // What is no HTTP has no request and no reply: the refusal is written to the socket as it is.
    clientErrorHandler: (error, socket) => {
      if (socket.destroyed || !socket.writable) return void socket.destroy()
      const isTooLarge = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW'
      const { body } = toRestError(
        new CopilotError('invalid_request', isTooLarge ? 'The headers are too large.' : 'This is no HTTP request.'),
        newId()
      )
      const text = JSON.stringify(body)
      const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'
      socket.end(
        `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`
      )
    },
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const { status: code, body } = restFailure(error, request.id)
      void reply.code(code).send(body)
    }
  })

  app.setErrorHandler((error, request, reply) => {
    const { status: code, body } = restFailure(error, request.id)
    if (code === 500) logger.error({ correlationId: request.id, ...errorFields(error) }, 'http.bug')
    if (body.error.retry_after !== undefined) void reply.header('retry-after', body.error.retry_after)
    return reply.code(code).send(body)
  })
  // Everything is JSON here; Fastify would take plain text as well.
  app.removeContentTypeParser('text/plain')
  const methods = watchRoutes(app)
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods(request.url)
    const { status: code, body } = toRestError(allowed.length === 0 ? faults.nothingHere() : faults.otherMethod(allowed), request.id)
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '))
    return reply.code(allowed.length === 0 ? code : 405).send(body)
  })
  app.addHook('onSend', async (request, reply) => {
    void reply.header('x-correlation-id', request.id).header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
  })

  const callerOf = async (request: FastifyRequest): Promise<Caller> => {
    refuseTokenInUrl(request.url)
    return await verifier.verify(bearerToken(request.headers.authorization))
  }
  const admitted = async (request: FastifyRequest): Promise<{ caller: Caller; asked: Admitted }> => {
    const caller = await callerOf(request)
    const body = bodySchema.safeParse(request.body)
    if (!body.success) throw new CopilotError('invalid_request', 'The body must be a JSON object with a message.')
    const { message, context, user_id: userId, session_id: sessionId, turn_id: turnId, after_seq: afterSeq, quick_action: quickAction } = body.data
    return { caller, asked: admit({ message, context, userId, sessionId, turnId, afterSeq, quickAction }, caller, newId) }
  }

  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (request) => {
    const { providers } = await status(goneSignal(request.raw.socket))
    if (!providers.some((provider) => provider.ready)) throw new CopilotError('unavailable', 'No provider is ready.', { retryAfterMs: 1_000 })
    return { status: 'ready', store: 'ok', providers: providers.filter(({ ready }) => ready).map(({ id }) => id) }
  })
  app.get('/api/ai/status', async (request) => {
    await callerOf(request)
    const { providers, liveTurns, queueDepth } = await status(goneSignal(request.raw.socket))
    return {
      service: 'ok',
      version,
      live_turns: liveTurns,
      queue_depth: queueDepth,
      providers: providers.map(({ id, name, model, kind, ready, breaker, inFlight }) => ({
        id,
        name,
        model,
        kind,
        ready,
        breaker,
        in_flight: inFlight
      }))
    }
  })
  if (parts.overrides !== undefined) addOverrides(app, parts.overrides, callerOf)
  if (parts.inputDesk !== undefined) agentRoutes(app, parts.inputDesk, callerOf)
  app.post('/api/ai/chat', async (request, reply) => {
    const { caller, asked } = await admitted(request)
    const listening = await listenToAll(broker, caller, asked, goneSignal(reply.raw))
    const { text, citations, at } = await whole(listening)
    const { messageId, turnId } = listening.turn
    return { response: text, message_id: messageId, timestamp: at, turn_id: turnId, citations }
  })
  app.post('/api/ai/stream', async (request, reply) => {
    const { caller, asked } = await admitted(request)
    const signal = goneSignal(reply.raw)
    const listening = await listen(broker, caller, asked, signal)
    const { messageId, turnId } = listening.turn
    reply.hijack()
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-correlation-id': request.id
    })
    try {
      for await (const event of listening.events()) {
        if (event.type === 'failed') throw CopilotError.fromWire(event.error)
        // A client that gave the turn its id reads the numbered events; others get text and an end.
        if (event.type !== 'delta' && event.type !== 'done' && !asked.isNamed) continue
        const piece = { content: event.type === 'delta' ? event.text : '', is_final: event.type === 'done', message_id: messageId }
        await send(reply, `data: ${JSON.stringify(asked.isNamed ? { ...piece, turn_id: turnId, event } : piece)}\n\n`, signal)
      }
    } catch (error) {
      if (!signal.aborted) {
        const { status: code, body } = restFailure(error, request.id)
        if (code === 500) logger.error({ correlationId: request.id, turnId, ...errorFields(error) }, 'http.bug')
        await send(reply, `event: error\ndata: ${JSON.stringify(body)}\n\n`, signal)
      }
    }
    reply.raw.end()
  })

  consultantRoutes(app, parts, { callerOf, goneSignal })
  await webhookRoutes(app, parts)

  const detach = attach(app.server)
  try {
    await app.listen({ host, port, backlog: CONNECTION_BACKLOG })
  } catch (error) {
    throw portFault(error, `${host}:${port}`, 'PORT')
  }
  const address = app.server.address()
  return {
    address: `${host}:${typeof address === 'object' && address !== null ? address.port : port}`,
    async close() {
      await detach()
      await app.close()
    }
  }
}

/** Aborted when the other end has gone. */
function goneSignal(emitter: NodeJS.EventEmitter): AbortSignal {
  const controller = new AbortController()
  emitter.once('close', () => controller.abort())
  return controller.signal
}

async function send(reply: FastifyReply, text: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted || reply.raw.write(text)) return
  const late = AbortSignal.timeout(SLOW_READER_MS)
  try {
    await once(reply.raw, 'drain', { signal: AbortSignal.any([signal, late]) })
  } catch (error) {
    if (!signal.aborted && !late.aborted) throw error
    reply.raw.destroy()
  }
}

const faults = {
  nothingHere: () => new CopilotError('not_found', 'There is nothing at this address.'),
  otherMethod: (allowed: readonly string[]) => new CopilotError('invalid_request', `This address takes ${allowed.join(', ')} only.`)
}

/** Which methods an address takes, from the routes that are added from here on. */
function watchRoutes(app: FastifyInstance): (url: string) => readonly string[] {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`), methods: [method].flat() })
  })
  return (url) => {
    const path = url.split('?', 1)[0] ?? ''
    return [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))]
  }
}

/** Fastify's own refusals (no JSON, too large, unknown media type, a malformed address) in our words. */
function restFailure(error: unknown, correlationId: string): ReturnType<typeof toRestError> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return toRestError(new CopilotError('context_too_large', `The body is larger than ${MAX_MESSAGE_BYTES} bytes. Send less.`), correlationId)
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { ...toRestError(new CopilotError('invalid_request', 'The body must have content-type application/json.'), correlationId), status: 415 }
  }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') return toRestError(faults.nothingHere(), correlationId)
  if (code.startsWith('FST_ERR_CTP') || (error instanceof SyntaxError && 'statusCode' in error)) {
    return toRestError(new CopilotError('invalid_request', 'The body must be JSON with content-type application/json.'), correlationId)
  }
  return toRestError(toCopilotError(error), correlationId)
}
