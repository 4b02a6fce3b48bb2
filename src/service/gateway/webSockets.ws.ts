// Plain WebSockets: one door for the dialects that speak JSON frames, each at its path. A client is let in before its token is
// read, so that a refusal arrives as an `error` event and a close code, which is all that a browser can see.
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import { bearerToken, protocolToken, refuseTokenInUrl } from '../auth/verifier.ts'
import { acceptedId, correlated, offeredIn } from '../correlation.ts'
import { errorFields } from '../logging.ts'
import { createConduct } from './conduct.ts'
import { roomOf } from './dismissals.ts'
import { toRestError, toSocketError, type AiError } from './foreignErrors.ts'
import type { FrameDialect } from './frames.ts'
import type { GatewayParts } from './gateway.ts'
import { watchBytes } from './outgoing.ts'
import { createPeer, type Peer } from './peer.ts'
import { TickWebSocketServer } from './tickWrites.ts'

/** A client that does not close from its side is cut after this. */
const CLOSE_MS = 2_000
/** Engine.IO's own path. */
const SOCKET_IO = '/socket.io/'

export function attachWebSockets(server: HttpServer, parts: GatewayParts, dialects: readonly FrameDialect[]): () => Promise<void> {
  const { bounds, newId } = parts
  const byPath = new Map(dialects.map((dialect) => [dialect.path, dialect]))
  const door = new TickWebSocketServer({
    noServer: true,
    maxPayload: bounds.frameBytes,
    perMessageDeflate: false,
    closeTimeout: CLOSE_MS,
    handleProtocols: (protocols) => protocolToken(protocols).protocol ?? false
  } as ConstructorParameters<typeof TickWebSocketServer>[0])
  const silent = new WeakSet<WebSocket>()

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const address = URL.parse(request.url ?? '/', 'http://service')
    if (address?.pathname.startsWith(SOCKET_IO) === true) return
    const dialect = byPath.get(address?.pathname ?? '')
    if (address === null || dialect === undefined) return refuseUpgrade(socket, newId())
    door.handleUpgrade(request, socket, head, (client) => {
      client.on('pong', () => silent.delete(client))
      const visit: Visit = { client, request, dialect, address }
      greet(visit, parts).catch((error: unknown) => {
        parts.logger.error(errorFields(error), 'socket.bug')
        client.terminate()
      })
    })
  }
  server.on('upgrade', upgrade)

  const heartbeat = setInterval(() => {
    for (const client of door.clients) {
      if (silent.has(client)) client.terminate()
      else if (client.readyState === client.OPEN) {
        silent.add(client)
        client.ping()
      }
    }
  }, bounds.heartbeatMs)
  heartbeat.unref()

  const leaveDismissals = parts.dismissals.attend({
    reach: 'process',
    end(room, told) {
      for (const client of door.clients) if (rooms.get(client) === room) enders.get(client)?.(told)
    }
  })
  return async () => {
    leaveDismissals()
    clearInterval(heartbeat)
    server.off('upgrade', upgrade)
    const stopping = new CopilotError('unavailable', 'The service is restarting. Questions are kept; connect again in a moment.', {
      retryAfterMs: 1_000
    })
    const closed = [...door.clients].map((client) => new Promise<void>((resolve) => void client.once('close', () => resolve())))
    for (const client of door.clients) enders.get(client)?.(toSocketError(stopping, { correlationId: newId() }))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([Promise.all(closed), new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MS / 4)))])
    clearTimeout(timer)
    for (const client of door.clients) client.terminate()
    door.close()
  }
}

/** How to end a connection in its own dialect, for when the service stops or its person is sent away. */
const enders = new WeakMap<WebSocket, (error: AiError) => void>()
/** Whose it is, once that is known. */
const rooms = new WeakMap<WebSocket, string>()

interface Visit {
  readonly client: WebSocket
  readonly request: IncomingMessage
  readonly dialect: FrameDialect
  readonly address: URL
}

/** Reads who it is and begins the dialect. Frames that come meanwhile wait in the socket. */
async function greet(visit: Visit, parts: GatewayParts): Promise<void> {
  const { client, request, dialect } = visit
  const { verifier, newId, logger, places, bounds } = parts
  const outgoing = watchBytes(client, bounds)
  const send = (type: string, data: object): void => client.send(JSON.stringify(dialect.frame(type, data)), () => outgoing.left())
  const sayThenClose = (error: AiError): void => {
    if (client.readyState !== client.OPEN) return
    send('error', error)
    // What was written before has left when the close frame goes; a reader who takes nothing is cut by the close timeout.
    client.close(error.code, closeReason(error))
  }
  enders.set(client, sayThenClose)
  const gone = new AbortController()
  client.once('close', () => gone.abort())
  // A frame that breaks the protocol, or is too large: ws answers with 1002, 1007 or 1009 by itself.
  client.on('error', (error) => logger.debug(errorFields(error), 'socket.protocol'))
  client.pause()
  try {
    const caller = await callerOf(request, verifier)
    client.once('close', places.enter(caller))
    rooms.set(client, roomOf(caller.userId))
    client.once('close', dialect.meter.connected())
    const wire = {
      send,
      outgoing,
      proof: watchProof(client),
      sayThenClose
    }
    const peer = createPeer({
      caller,
      wire,
      conduct: createConduct(bounds, parts.clock),
      gone: gone.signal,
      parts: { ...parts, meter: dialect.meter }
    })
    serve(visit, peer, { idleMs: bounds.idleMs, newId })
  } catch (error) {
    const correlationId = newId()
    dialect.meter.refused(toCopilotError(error).code)
    const told = toSocketError(error, { correlationId })
    if (told.error?.code === 'internal') logger.error({ correlationId, ...errorFields(error) }, 'socket.bug')
    sayThenClose(told)
  } finally {
    client.resume()
  }
}

/** A ping goes out behind what was sent; its pong has read it. So has a client that closes in order. */
function watchProof(client: WebSocket): () => Promise<boolean> {
  const waiting = new Map<string, (isProven: boolean) => void>()
  let pings = 0
  client.on('pong', (data) => {
    const mark = data.toString()
    waiting.get(mark)?.(true)
    waiting.delete(mark)
  })
  client.once('close', (code) => {
    for (const resolve of waiting.values()) resolve(code === 1000 || code === 1001)
    waiting.clear()
  })
  return () => {
    if (client.readyState !== client.OPEN) return Promise.resolve(false)
    pings += 1
    const mark = String(pings)
    return new Promise((resolve) => {
      waiting.set(mark, resolve)
      client.ping(mark)
    })
  }
}

async function callerOf(request: IncomingMessage, verifier: GatewayParts['verifier']): Promise<Caller> {
  refuseTokenInUrl(request.url)
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((entry) => entry.trim())
  return await verifier.verify(bearerToken(request.headers.authorization) ?? protocolToken(offered).token)
}

function serve({ client, dialect, address }: Visit, peer: Peer, { idleMs, newId }: { idleMs: number; newId: GatewayParts['newId'] }): void {
  const receive = dialect.open(peer, address)
  const idle = setTimeout(() => client.close(1000, 'Nothing was said for long.'), idleMs)
  peer.gone.addEventListener('abort', () => clearTimeout(idle), { once: true })
  const take = async (data: RawData, isBinary: boolean): Promise<void> => {
    peer.take()
    const frame = parse(data, isBinary)
    await correlated(acceptedId(offeredIn(frame), newId), async () => {
      try {
        await receive(frame)
      } catch (error) {
        peer.refuse(error)
      }
    })
  }
  client.on('message', (data, isBinary) => {
    idle.refresh()
    take(data, isBinary).catch((error: unknown) => peer.refuse(error))
  })
}

function parse(data: RawData, isBinary: boolean): unknown {
  if (isBinary) throw new CopilotError('invalid_request', 'Binary frames are not taken. Send JSON as text.')
  try {
    // ws hands text over as one buffer, already checked to be UTF-8.
    return JSON.parse((data as Buffer).toString())
  } catch (error) {
    throw new CopilotError('invalid_request', 'The frame is not JSON.', { cause: error })
  }
}

/** A close frame has room for 123 bytes. */
function closeReason({ message }: AiError): string {
  const bytes = Buffer.from(message)
  return bytes.length <= 123 ? message : `${new TextDecoder().decode(bytes.subarray(0, 117)).replace(/\uFFFD+$/, '')}…`
}

function refuseUpgrade(socket: Duplex, correlationId: string): void {
  const { status, body } = toRestError(new CopilotError('not_found', 'There is no WebSocket at this address.'), correlationId)
  const text = JSON.stringify(body)
  socket.on('error', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} Not Found\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nX-Correlation-Id: ${correlationId}\r\nConnection: close\r\n\r\n${text}`
  )
}
