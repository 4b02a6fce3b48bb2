// The REST dialect: chat, a stream as server-sent events, status and health. Also the HTTP server that Socket.IO sits on.
import type { Server, ServerResponse } from 'node:http'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import { pieceOf } from '../../shared/wire/socket.ts'
import type { Caller } from '../auth/caller.ts'
import { bearerToken, refuseTokenInUrl } from '../auth/verifier.ts'
import { acceptedId, correlated, CORRELATION_HEADER } from '../correlation.ts'
import { errorFields } from '../logging.ts'
import { admit, MAX_MESSAGE_BYTES, type Admitted } from './admission.ts'
import { auditRoutes } from './audit.fastify.ts'
import { agentRoutes } from './agent.fastify.ts'
import { clientGone, createCalls } from './calls.ts'
import { consultantRoutes } from './consultantRoutes.fastify.ts'
import { listen, listenToAll, whole } from './conversation.ts'
import { createEventStream } from './eventStream.ts'
import { toRestError, type RestError } from './foreignErrors.ts'
import type { Door, GatewayParts } from './gateway.ts'
import { knowledgeRoutes } from './knowledge.fastify.ts'
import type { ReadinessReport } from '../readiness.ts'
import { addMetrics } from './metrics.fastify.ts'
import { addOverrides } from './overrides.fastify.ts'
import { personRoutes } from './person.fastify.ts'
import { portFault } from './portFault.ts'
import { webhookRoutes } from './webhooks.fastify.ts'

export interface RestOptions {
  readonly host: string
  readonly port: number
  /** Adds more to the HTTP server before it listens; returns what ends that. */
  readonly attach: (server: Server) => () => Promise<void>
}

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
/** Connections that may wait to be taken in: a thousand at once must not be dropped while the process is busy. */
const CONNECTION_BACKLOG = 4_096

export async function openHttpDoor(parts: GatewayParts, { host, port, attach }: RestOptions): Promise<Door> {
  const { broker, verifier, status, newId, logger, version, metrics, meter, readiness } = parts
  const calls = createCalls(parts.dismissals)
  const restFailure = (error: unknown, correlationId: string): RestError => {
    const { fault, httpStatus } = faultOf(error)
    meter.refused(fault.code)
    const told = toRestError(fault, correlationId)
    return httpStatus === undefined ? told : { ...told, status: httpStatus }
  }
  const app = fastify({
    logger: false,
    bodyLimit: MAX_MESSAGE_BYTES,
    genReqId: ({ headers }) => acceptedId(headers[CORRELATION_HEADER], newId),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    requestTimeout: 30_000,
    // A user id of 128 characters, each of them escaped.
    routerOptions: { maxParamLength: 128 * 12 },
    exposeHeadRoutes: false,
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

  app.setErrorHandler((failure, request, reply) => {
    // The client's own doing, whoever was reading it then.
    const error = request.raw.errored === null || failure instanceof CopilotError ? failure : faults.brokenOff(failure)
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
    const { status: code, body } = restFailure(allowed.length === 0 ? faults.nothingHere() : faults.otherMethod(allowed), request.id)
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '))
    return reply.code(allowed.length === 0 ? code : 405).send(body)
  })
  app.addHook('onRequest', (_request, reply, done) => {
    meter.message()
    reply.raw.once('close', meter.connected())
    done()
  })
  // Only now: reading the body ends whatever went beside the call before it.
  app.addHook('preValidation', (request, _reply, done) => correlated(request.id, done))
  app.addHook('onSend', (request, reply, payload, done) => {
    void reply.header('x-correlation-id', request.id).header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    done(null, payload)
  })

  const callerOf = async (request: FastifyRequest): Promise<Caller> => {
    refuseTokenInUrl(request.url)
    return await verifier.verify(bearerToken(request.headers.authorization))
  }
  /** Aborted when the other end has gone, or is sent away: then `sentAway` knows why. */
  const callSignal = (caller: Caller, { raw }: FastifyReply): AbortSignal => {
    const controller = new AbortController()
    const end = calls.begin(caller, controller)
    raw.once('close', () => {
      end()
      if (!raw.writableFinished) controller.abort(clientGone)
    })
    return controller.signal
  }
  const admitted = async (request: FastifyRequest): Promise<{ caller: Caller; asked: Admitted }> => {
    const caller = await callerOf(request)
    const { message, context, user_id: userId, session_id: sessionId, ...more } = objectIn(request.body)
    const { turn_id: turnId, after_seq: afterSeq, quick_action: quickAction } = more
    return { caller, asked: admit({ message, context, userId, sessionId, turnId, afterSeq, quickAction }, caller, newId) }
  }

  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const { ready, isDraining, checks } = await readiness.report()
    if (!ready) throw notReady(isDraining, checks)
    const { providers } = await status(goneSignal(reply.raw))
    return { status: 'ready', ...checks, providers: providers.filter((provider) => provider.ready).map(({ id }) => id) }
  })
  app.get('/api/ai/status', async (request, reply) => {
    await callerOf(request)
    const { providers, liveTurns, queueDepth } = await status(goneSignal(reply.raw))
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
  addMetrics(app, metrics, callerOf)
  if (parts.overrides !== undefined) addOverrides(app, parts.overrides, callerOf)
  if (parts.inputDesk !== undefined) agentRoutes(app, parts.inputDesk, callerOf)
  app.post('/api/ai/chat', async (request, reply) => {
    const { caller, asked } = await admitted(request)
    const listening = await listenToAll(broker, caller, asked, callSignal(caller, reply))
    const { text, citations, at } = await whole(listening)
    const { messageId, turnId } = listening.turn
    return { response: text, message_id: messageId, timestamp: at, turn_id: turnId, citations }
  })
  app.post('/api/ai/stream', async (request, reply) => {
    const { caller, asked } = await admitted(request)
    const signal = callSignal(caller, reply)
    const listening = await listen(broker, caller, asked, signal)
    const { messageId, turnId } = listening.turn
    reply.hijack()
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-correlation-id': request.id
    })
    const stream = createEventStream(reply.raw, signal)
    const lines = asked.isNamed ? null : basePieces(messageId)
    try {
      for await (const event of listening.events()) {
        if (event.type === 'failed') throw CopilotError.fromWire(event.error)
        // A client that gave the turn its id reads the numbered events; others get text and an end.
        if (lines === null) stream.say(`data: ${JSON.stringify(pieceOf(event, messageId))}\n\n`)
        else if (event.type === 'delta') stream.say(lines.text(event.text))
        else if (event.type === 'done') stream.say(lines.end)
        if (stream.isFull) await stream.room()
      }
    } catch (error) {
      // Also one who is sent away hears why.
      if (!reply.raw.destroyed) {
        const { status: code, body } = restFailure(error, request.id)
        if (code === 500) logger.error({ correlationId: request.id, turnId, ...errorFields(error) }, 'http.bug')
        stream.say(`event: error\ndata: ${JSON.stringify(body)}\n\n`)
      }
    }
    stream.end()
  })

  personRoutes(app, parts, callerOf)
  auditRoutes(app, parts.audit, callerOf)
  consultantRoutes(app, parts, { callerOf, callSignal })
  await webhookRoutes(app, parts)
  if (parts.knowledge !== undefined) await knowledgeRoutes(app, { ...parts.knowledge, callerOf, goneSignal })

  const detach = attach(app.server)
  try {
    await app.listen({ host, port, backlog: CONNECTION_BACKLOG })
  } catch (error) {
    throw portFault(error, `${host}:${port}`, 'PORT')
  }
  const address = app.server.address()
  return {
    address: `${host}:${typeof address === 'object' && address !== null ? address.port : port}`,
    // Probes and answers under way need the listener until the end.
    drain: () => undefined,
    async close() {
      await detach()
      await app.close()
      calls.stop()
    }
  }
}

/** Aborted when the other end has gone before it was answered; not at the end of every call, when nobody listens any more. */
function goneSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(clientGone)
  })
  return controller.signal
}

/** Throws `invalid_request` for what is not an object. */
function objectIn(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  throw new CopilotError('invalid_request', 'The body must be a JSON object with a message.')
}

/** Pieces of an answer for a client that knows text and an end: what is the same in each is written once. */
function basePieces(messageId: string): { readonly text: (content: string) => string; readonly end: string } {
  const line = (content: string, isFinal: boolean): string =>
    `data: {"content":${JSON.stringify(content)},"is_final":${isFinal},"message_id":${quotedId}}\n\n`
  const quotedId = JSON.stringify(messageId)
  return { text: (content) => line(content, false), end: line('', true) }
}

function notReady(isDraining: boolean, checks: ReadinessReport['checks']): CopilotError {
  const failed = Object.keys(checks).filter((name) => checks[name] === 'failed')
  const message = isDraining ? 'The service is stopping.' : `Not ready: ${failed.join(', ')}.`
  return new CopilotError('unavailable', message, { retryAfterMs: 1_000, details: { ...checks, ...(isDraining ? { draining: 'yes' } : {}) } })
}

const faults = {
  brokenOff: (cause: unknown) =>
    new CopilotError('cancelled', 'The request broke off before it was whole. Nothing was taken; send it again.', { cause }),
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
function faultOf(error: unknown): { readonly fault: CopilotError; readonly httpStatus?: number } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const invalid = (message: string): CopilotError => new CopilotError('invalid_request', message)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { fault: new CopilotError('context_too_large', `The body is larger than ${MAX_MESSAGE_BYTES} bytes. Send less.`) }
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return { fault: invalid('The body must have content-type application/json.'), httpStatus: 415 }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') return { fault: faults.nothingHere() }
  if (code.startsWith('FST_ERR_CTP') || (error instanceof SyntaxError && 'statusCode' in error)) {
    return { fault: invalid('The body must be JSON with content-type application/json.') }
  }
  return { fault: toCopilotError(error) }
}
