// The ERP dialect over Socket.IO: the event is the type, the payload the data, the acknowledgement carries the accepted
// ids or the error. WebSocket and long polling alike.
import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { TurnEvent } from '../../shared/turn.ts'
import { pieceOf, PROTOCOL_VERSION, socketEvents, type AiAck } from '../../shared/wire/socket.ts'
import { requireFresh, type Caller } from '../auth/caller.ts'
import { bearerToken } from '../auth/verifier.ts'
import { errorFields } from '../logging.ts'
import { admit, MAX_MESSAGE_BYTES, type Admitted } from './admission.ts'
import { listen, whole, type Listening } from './conversation.ts'
import { toSocketError, wireWith } from './foreignErrors.ts'
import { answeredBy, type GatewayParts } from './gateway.ts'
import { watchOutgoing } from './outgoing.ts'
import { sayThenClose } from './sayThenClose.ts'

/** How long the last word may take to be read when the service stops. */
const LAST_WORD_MS = 500

interface SocketData {
  caller: Caller
}
type ErpSocket = Socket<Record<string, (...args: unknown[]) => void>, Record<string, (...args: unknown[]) => void>, Record<string, never>, SocketData>
type Ack = (answer: AiAck | Record<string, unknown>) => void

/** Adds the dialect to an HTTP server; returns what ends it. */
export function attachErpSockets(server: HttpServer, parts: GatewayParts): () => Promise<void> {
  const { verifier, newId, logger } = parts
  const io = new Server<
    Record<string, (...args: unknown[]) => void>,
    Record<string, (...args: unknown[]) => void>,
    Record<string, never>,
    SocketData
  >(server, {
    serveClient: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    httpCompression: false,
    transports: ['polling', 'websocket']
  })
  const admitSocket = async (socket: ErpSocket): Promise<Error | undefined> => {
    try {
      socket.data.caller = await verifier.verify(tokenOf(socket))
      return undefined
    } catch (error) {
      const correlationId = newId()
      const refusal = toSocketError(error, { correlationId })
      if (refusal.error?.code === 'internal') logger.error({ correlationId, ...errorFields(error) }, 'socket.bug')
      return Object.assign(new Error(refusal.message), { data: refusal })
    }
  }
  // oxlint-disable-next-line promise/no-callback-in-promise -- Socket.IO's middleware goes on by callback
  io.use((socket, next) => void admitSocket(socket).then(next))
  io.on('connection', (socket) => serve(socket, parts))
  return async () => {
    const stopping = toSocketError(
      new CopilotError('unavailable', 'The service is restarting. Questions are kept; connect again in a moment.', { retryAfterMs: 1_000 }),
      {
        correlationId: newId()
      }
    )
    const sockets = [...io.sockets.sockets.values()]
    const closed = sockets.map((socket) => new Promise<void>((resolve) => void socket.conn.once('close', () => resolve())))
    for (const socket of sockets) sayThenClose(socket, stopping)
    // A long-polling reader hears of it with its next poll.
    await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, LAST_WORD_MS))])
    io.engine.close()
  }
}

/** From `auth.token` or the header; never from the URL, which ends up in logs. */
function tokenOf(socket: Pick<Socket, 'handshake'>): string | undefined {
  const auth: unknown = socket.handshake.auth['token']
  return typeof auth === 'string' && auth !== '' ? auth.replace(/^Bearer +/i, '') : bearerToken(socket.handshake.headers.authorization)
}

function serve(socket: ErpSocket, parts: GatewayParts): void {
  const { broker, status, clock, newId, logger, version } = parts
  const { caller } = socket.data
  const gone = new AbortController()
  socket.once('disconnect', () => gone.abort())
  const outgoing = watchOutgoing(socket.conn)

  const fail = (error: unknown, ack: Ack | null, ids: { turnId?: string; messageId?: string } = {}): void => {
    const correlationId = newId()
    const { code } = toCopilotError(error)
    if (code === 'internal') logger.error({ correlationId, ...ids, ...errorFields(error) }, 'socket.bug')
    if (gone.signal.aborted) return
    const told = toSocketError(error, { correlationId, ...ids })
    ack?.({ ok: false, error: wireWith(error, correlationId) })
    // The token was part of the handshake: one that has run out needs a new connection.
    if (code === 'unauthenticated') sayThenClose(socket, told)
    else socket.emit(socketEvents.error, told)
  }

  const question = async (payload: unknown): Promise<{ asked: Admitted; listening: Listening }> => {
    requireFresh(caller, clock.now())
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
      throw new CopilotError('invalid_request', 'The payload must be an object with a message.')
    }
    const {
      message,
      context,
      user_id: userId,
      session_id: sessionId,
      turn_id: turnId,
      after_seq: afterSeq,
      quick_action: quickAction
    } = payload as Record<string, unknown>
    const asked = admit({ message, context, userId, sessionId, turnId, afterSeq, quickAction }, caller, newId)
    return { asked, listening: await listen(broker, caller, asked, gone.signal) }
  }

  const stream = async (payload: unknown, ack: Ack | null): Promise<void> => {
    const { asked, listening } = await question(payload)
    const { turnId, messageId } = listening.turn
    ack?.({ ok: true, message_id: messageId, turn_id: turnId, protocol: PROTOCOL_VERSION })
    try {
      for await (const event of listening.events()) {
        if (asked.isNamed) socket.emit(socketEvents.stream, pieceOf(event, messageId))
        else sayToBaseClient(socket, event, messageId)
        await outgoing.room(gone.signal)
      }
    } catch (error) {
      fail(error, null, { turnId, messageId })
    }
  }

  const chat = async (payload: unknown, ack: Ack | null): Promise<void> => {
    const { listening } = await question(payload)
    const { turnId, messageId } = listening.turn
    ack?.({ ok: true, message_id: messageId, turn_id: turnId, protocol: PROTOCOL_VERSION })
    try {
      const { text, at } = await whole(listening)
      socket.emit(socketEvents.chat, { response: text, message_id: messageId, timestamp: at, turn_id: turnId })
    } catch (error) {
      fail(error, null, { turnId, messageId })
    }
  }

  const greet = async (): Promise<Record<string, unknown>> => ({
    protocol: PROTOCOL_VERSION,
    version,
    answered_by: answeredBy(await status(gone.signal))
  })

  const on = (event: string, handle: (payload: unknown, ack: Ack | null) => Promise<void>): void => {
    socket.on(event, (...args) => {
      const last = args.at(-1)
      const ack = typeof last === 'function' ? (last as Ack) : null
      const payload = typeof args[0] === 'function' ? undefined : args[0]
      handle(payload, ack).catch((error: unknown) => fail(error, ack, turnIdIn(payload)))
    })
  }

  on(socketEvents.stream, stream)
  on(socketEvents.chat, chat)
  on(socketEvents.status, async (_payload, ack) => {
    requireFresh(caller, clock.now())
    const ready = (await status(gone.signal)).providers.some((provider) => provider.ready)
    const answer = { status: ready ? 'ready' : 'unavailable', message_id: '', progress: 100 }
    ack?.(answer)
    socket.emit(socketEvents.status, answer)
  })
  on(socketEvents.cancel, async (payload, ack) => {
    requireFresh(caller, clock.now())
    const { turnId } = turnIdIn(payload)
    if (turnId === undefined) throw new CopilotError('invalid_request', 'ai_cancel needs a turn_id.', { details: { field: 'turn_id' } })
    ack?.({ ok: true, message_id: '', turn_id: turnId, cancelled: await broker.cancel(caller, turnId.toLowerCase()) })
  })
  on(socketEvents.hello, async (_payload, ack) => {
    requireFresh(caller, clock.now())
    ack?.(await greet())
  })

  greet().then(
    (hello) => socket.emit(socketEvents.hello, hello),
    (error: unknown) => fail(error, null)
  )
}

/** A base client knows text and an end; a failure is an `error` event, and the end after it. */
function sayToBaseClient(socket: ErpSocket, event: TurnEvent, messageId: string): void {
  const piece = (content: string, isFinal: boolean): object => ({ content, is_final: isFinal, message_id: messageId })
  if (event.type === 'delta') socket.emit(socketEvents.stream, piece(event.text, false))
  else if (event.type === 'done') socket.emit(socketEvents.stream, piece('', true))
  else if (event.type === 'status') {
    socket.emit(socketEvents.status, { status: event.stage, message_id: messageId, progress: event.progress ?? 0 })
  } else if (event.type === 'failed') {
    const { correlationId = '' } = event.error
    socket.emit(socketEvents.error, toSocketError(CopilotError.fromWire(event.error), { correlationId, messageId }))
    socket.emit(socketEvents.stream, piece('', true))
  }
}

function turnIdIn(payload: unknown): { turnId?: string } {
  const id = typeof payload === 'object' && payload !== null && 'turn_id' in payload ? payload.turn_id : undefined
  return typeof id === 'string' ? { turnId: id } : {}
}
