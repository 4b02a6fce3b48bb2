// Socket.IO: the door of the ERP and the thread dialect, over WebSockets and long polling alike. The event is the type, the
// payload the data, the acknowledgement carries the accepted ids or the error.
import { randomBytes } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'socket.io'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import { socketEvents } from '../../shared/wire/socket.ts'
import type { Caller } from '../auth/caller.ts'
import { bearerToken, refuseTokenInUrl } from '../auth/verifier.ts'
import { acceptedId, correlated, offeredIn } from '../correlation.ts'
import { errorFields } from '../logging.ts'
import { createConduct } from './conduct.ts'
import { roomOf } from './dismissals.ts'
import { erpDialect, greeting, turnIdIn, type Ack, type Handle } from './erp.ts'
import { toSocketError } from './foreignErrors.ts'
import type { GatewayParts } from './gateway.ts'
import { watchPackets } from './outgoing.ts'
import { createPeer, type Peer } from './peer.ts'
import { threadDialect } from './threads.ts'
import { sayThenClose, sayThenCloseAll } from './sayThenClose.ts'
import { TickWebSocketServer } from './tickWrites.ts'

/** How long the last word may take to be read when the service stops. */
const LAST_WORD_MS = 500

type Events = Record<string, (...args: unknown[]) => void>
/** Plain data: another process may ask for it. */
interface SocketData {
  caller: Caller
}
type AnySocket = Socket<Events, Events, Record<string, never>, SocketData>

/** Adds the dialects to an HTTP server; returns what ends them. */
export function attachSockets(server: HttpServer, parts: GatewayParts): () => Promise<void> {
  const { verifier, newId, logger, bounds, places, meter, node, socketAdapter, dismissals } = parts
  const io = new Server<Events, Events, Record<string, never>, SocketData>(server, {
    serveClient: false,
    maxHttpBufferSize: bounds.frameBytes,
    perMessageDeflate: false,
    httpCompression: false,
    transports: ['polling', 'websocket'],
    connectTimeout: bounds.handshakeMs,
    upgradeTimeout: bounds.handshakeMs,
    pingInterval: bounds.heartbeatMs,
    wsEngine: TickWebSocketServer,
    // No connection state recovery: turns are resumed from their log. Answers are `socket.emit`, which goes by no adapter.
    ...(socketAdapter === null ? {} : { adapter: socketAdapter }),
    // Upgrades to other paths belong to the WebSocket door.
    destroyUpgrade: false
  })
  // Long polling comes back with each request: whoever shares out requests reads from the id where the session lives.
  if (node !== null) io.engine.generateId = () => `${node}.${randomBytes(15).toString('base64url')}`
  const admitSocket = async (socket: AnySocket): Promise<Error | undefined> => {
    try {
      refuseTokenInUrl(socket.request.url)
      const caller = await verifier.verify(tokenOf(socket))
      const leave = places.enter(caller)
      socket.data.caller = caller
      leaving.set(socket, leave)
      // Other processes may ask for handshakes; nobody needs the token any more, or what else a browser sends along.
      socket.handshake.auth = {}
      socket.handshake.headers = {}
      // Also for one that is cut between here and its connection.
      socket.conn.once('close', leave)
      socket.conn.once('close', meter.connected())
      return undefined
    } catch (error) {
      const correlationId = newId()
      meter.refused(toCopilotError(error).code)
      const refusal = toSocketError(error, { correlationId })
      if (refusal.error?.code === 'internal') logger.error({ correlationId, ...errorFields(error) }, 'socket.bug')
      return Object.assign(new Error(refusal.message), { data: refusal })
    }
  }
  // oxlint-disable-next-line promise/no-callback-in-promise -- Socket.IO's middleware goes on by callback
  io.use((socket, next) => void admitSocket(socket).then(next))
  io.on('connection', (socket) => serve(socket, parts))
  const leaveDismissals = dismissals.attend({ reach: 'service', end: (room, told) => sayThenCloseAll(io, room, told) })
  return async () => {
    leaveDismissals()
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
    await io.of('/').adapter.close()
  }
}

/** From `auth.token` or the header; never from the URL, which ends up in logs. */
function tokenOf(socket: Pick<Socket, 'handshake'>): string | undefined {
  const auth: unknown = socket.handshake.auth['token']
  return typeof auth === 'string' && auth !== '' ? auth.replace(/^Bearer +/i, '') : bearerToken(socket.handshake.headers.authorization)
}

/** What each event does; the dialects begin with it. */
export function handlesOf(peer: Peer, parts: GatewayParts): Readonly<Record<string, Handle>> {
  return { ...erpDialect(peer, parts), ...threadDialect(peer, parts) }
}

/** What gives a connection's place back. */
const leaving = new WeakMap<AnySocket, () => void>()

function serve(socket: AnySocket, parts: GatewayParts): void {
  // Every adapter of ours lets sockets in at once.
  void socket.join(roomOf(socket.data.caller.userId))
  const peer = peerOf(socket, parts)
  const handles = handlesOf(peer, parts)
  for (const [event, handle] of Object.entries(handles))
    socket.on(event, (...args) => correlated(acceptedId(offeredIn(args[0]), parts.newId), () => receive(peer, handle, args)))
  // Events that nobody listens to count as well, and are otherwise not answered: that is Socket.IO's custom.
  socket.onAny((event: string) => {
    if (Object.hasOwn(handles, event)) return
    try {
      peer.take()
    } catch (error) {
      peer.refuse(error)
    }
  })
  greeting(peer, parts).then(
    (hello) => peer.send(socketEvents.hello, hello),
    (error: unknown) => peer.refuse(error)
  )
}

function peerOf(socket: AnySocket, parts: GatewayParts): Peer {
  const gone = new AbortController()
  socket.once('disconnect', (reason) => {
    gone.abort()
    leaving.get(socket)?.()
    // There is no other namespace to go to: a connection that stayed would take up room without having a place.
    if (reason === 'client namespace disconnect') socket.conn.close()
  })
  const outgoing = watchPackets(socket.conn, parts.bounds)
  const wire = {
    send: (type: string, data: object) => void socket.emit(type, data),
    outgoing,
    proof: watchProof(socket),
    sayThenClose: (error: Parameters<typeof sayThenClose>[1]) => sayThenClose(socket, error)
  }
  return createPeer({ caller: socket.data.caller, wire, conduct: createConduct(parts.bounds, parts.clock), gone: gone.signal, parts })
}

/**
 * Engine.IO pings on its own time: the second pong from now answers a ping that went out behind what was sent. A client that
 * says goodbye was there to read what came before.
 */
function watchProof(socket: AnySocket): () => Promise<boolean> {
  let waiting: { pongs: number; readonly resolve: (isProven: boolean) => void }[] = []
  socket.conn.on('heartbeat', () => {
    for (const one of waiting) {
      one.pongs += 1
      if (one.pongs === 2) one.resolve(true)
    }
    waiting = waiting.filter(({ pongs }) => pongs < 2)
  })
  socket.on('disconnect', (reason) => {
    for (const { resolve } of waiting.splice(0)) resolve(reason === 'client namespace disconnect')
  })
  return () => (socket.connected ? new Promise((resolve) => void waiting.push({ pongs: 0, resolve })) : Promise.resolve(false))
}

function receive(peer: Peer, handle: Handle, args: readonly unknown[]): void {
  const last = args.at(-1)
  const ack = typeof last === 'function' ? (last as NonNullable<Ack>) : null
  const payload = typeof args[0] === 'function' ? undefined : args[0]
  const run = async (): Promise<void> => {
    peer.take()
    await handle(payload, ack)
  }
  run().catch((error: unknown) => {
    peer.refuse(error, turnIdIn(payload), { ack: (told) => told.error !== undefined && ack?.({ ok: false, error: told.error }) })
  })
}
