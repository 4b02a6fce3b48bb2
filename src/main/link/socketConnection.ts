// One Socket.IO connection from its first attempt to its end: who is at the other end, and which piece belongs to whom.
// Reconnecting is the supervisor's business, so the library does none.
import { io, type Socket } from 'socket.io-client'
import { CopilotError } from '../../shared/errors.ts'
import { aiAckSchema, aiHelloSchema, aiStreamPieceSchema, socketEvents, type AiStreamPiece, type AiStreamRequest } from '../../shared/wire/socket.ts'
import { onAbort, stopped } from './abort.ts'
import { createInbox, type Inbox } from './inbox.ts'
import type { Timers } from './timers.ts'
import { fromConnect, fromSocket, offline, unreadable } from './wireErrors.ts'

interface PeerHello {
  readonly protocol: number
  readonly version: string | null
  readonly answeredBy: string | null
}
const basePeer: PeerHello = { protocol: 0, version: null, answeredBy: null }

export interface SocketConnection {
  readonly hello: () => PeerHello
  readonly via: () => 'websocket' | 'polling'
  /** Sends the request and gives its pieces to the inbox, which fails when the connection does. */
  open(turnId: string, request: AiStreamRequest): Inbox<AiStreamPiece>
  /** Lets go of a turn's pieces. */
  close(turnId: string, inbox: Inbox<AiStreamPiece>): void
  /** Emits and resolves with what the ack carried; null when none came in time. */
  request(event: string, data: unknown, options: { readonly limitMs: number; readonly signal: AbortSignal }): Promise<unknown>
  /** When anything last came in, the peer's pings included. */
  lastHeardAt(): number
  /** Whether the peer has ever answered a `request` here: only then does silence mean something. */
  answersRequests(): boolean
  /** Called once, when the connection is over for whatever reason. */
  onEnd(listener: () => void): void
  end(): void
}

export interface ConnectOptions {
  readonly url: string
  readonly token: string | null
  readonly carrier: 'websocket' | 'polling'
  readonly connectLimitMs: number
  /** How long after connecting our own service has to say hello; a peer that stays silent is a base peer. */
  readonly helloGraceMs: number
  readonly timers: Timers
  readonly now: () => number
}

/** @throws CopilotError `offline`, `unauthenticated`, or what the server's refusal says. */
export function connect(options: ConnectOptions, signal: AbortSignal): Promise<SocketConnection> {
  const socket = io(options.url, {
    transports: [options.carrier],
    auth: options.token === null ? {} : { token: options.token },
    forceNew: true,
    reconnection: false,
    timeout: options.connectLimitMs,
    autoConnect: false
  })
  const connection = createConnection(socket, options.now)
  return new Promise((resolve, reject) => {
    let callOff: (() => void) | null = null
    const settle = (finish: () => void): void => {
      callOff?.()
      unwatch()
      finish()
    }
    const fail = (error: Error): void =>
      settle(() => {
        connection.end()
        reject(error)
      })
    const unwatch = onAbort(signal, () => queueMicrotask(() => fail(stopped(signal))))
    const ready = (): void => settle(() => resolve(connection))

    // `active` stays true while it is the transport that failed; the server's own refusal ends the socket.
    socket.on('connect_error', (error: Error) => fail(fromConnect(error, !socket.active)))
    socket.on('disconnect', () => fail(offline(new Error('disconnected while connecting'))))
    socket.on('connect', () => {
      callOff = options.timers.after(options.helloGraceMs, ready)
    })
    socket.once(socketEvents.hello, ready)
    socket.connect()
  })
}

function createConnection(socket: Socket, now: () => number): SocketConnection {
  let hello = basePeer
  let heardAt = now()
  let ended = false
  let answered = false
  /** An `error` event that named no turn: the reason of a disconnect that follows it. */
  let lastError: CopilotError | null = null
  const turns = new Map<string, Inbox<AiStreamPiece>>()
  const endListeners: (() => void)[] = []

  /** A base peer doesn't say which turn a piece belongs to; on its connection there is only one. */
  const inboxOf = (turnId: string | undefined): Inbox<AiStreamPiece> | undefined =>
    turnId === undefined ? (turns.size === 1 ? turns.values().next().value : undefined) : turns.get(turnId)

  function finish(): void {
    if (ended) return
    ended = true
    for (const inbox of turns.values()) inbox.fail(lastError ?? offline(new Error('the socket closed')))
    turns.clear()
    for (const listener of endListeners) listener()
  }

  socket.onAny(() => (heardAt = now()))
  socket.io.on('ping', () => (heardAt = now()))
  socket.on('disconnect', finish)
  socket.on(socketEvents.hello, (data: unknown) => {
    const said = aiHelloSchema.safeParse(data)
    if (said.success) hello = { protocol: said.data.protocol, version: said.data.version, answeredBy: said.data.answered_by }
  })
  /** A peer shows that it speaks our protocol also by what it sends, when its hello is late. */
  const seen = (protocol: number): void => {
    if (protocol > hello.protocol) hello = { ...hello, protocol }
  }
  socket.on(socketEvents.stream, (data: unknown) => {
    const piece = aiStreamPieceSchema.safeParse(data)
    if (piece.success && piece.data.event !== undefined) seen(1)
    if (piece.success) inboxOf(piece.data.turn_id)?.push(piece.data)
    else inboxOf(turnIdIn(data))?.fail(unreadable(piece.error))
  })
  socket.on(socketEvents.error, (data: unknown) => {
    const error = fromSocket(data)
    const turnId = turnIdIn(data)
    const inbox = inboxOf(turnId)
    if (inbox !== undefined) inbox.fail(error)
    else if (turnId === undefined) lastError = error
  })

  return {
    hello: () => hello,
    via: () => (socket.io.engine.transport.name === 'polling' ? 'polling' : 'websocket'),
    lastHeardAt: () => heardAt,
    answersRequests: () => answered,
    onEnd: (listener) => void endListeners.push(listener),
    open(turnId, request) {
      const inbox = createInbox<AiStreamPiece>()
      if (ended) {
        inbox.fail(offline(new Error('the socket closed')))
        return inbox
      }
      turns.set(turnId, inbox)
      socket.emit(socketEvents.stream, request, (ack: unknown) => {
        heardAt = now()
        const ours = aiAckSchema.safeParse(ack)
        if (ours.success && ours.data.ok) return seen(ours.data.protocol ?? 0)
        const refusal = ours.success && !ours.data.ok ? CopilotError.fromWire(ours.data.error) : refusalIn(ack)
        if (refusal !== null) inbox.fail(refusal)
      })
      return inbox
    },
    close(turnId, inbox) {
      if (turns.get(turnId) === inbox) turns.delete(turnId)
    },
    request: (event, data, { limitMs, signal }) =>
      new Promise((resolve, reject) => {
        const unwatch = onAbort(signal, () => reject(stopped(signal)))
        socket.timeout(limitMs).emit(event, data, (late: Error | null, ack: unknown) => {
          unwatch()
          if (late === null) {
            answered = true
            heardAt = now()
          }
          resolve(late === null ? (ack ?? true) : null)
        })
      }),
    end() {
      socket.disconnect()
      finish()
    }
  }
}

function turnIdIn(data: unknown): string | undefined {
  return typeof data === 'object' && data !== null && 'turn_id' in data && typeof data.turn_id === 'string' ? data.turn_id : undefined
}

/** Base peers acknowledge with nothing, with something of their own, or not at all: only a told error is a refusal. */
function refusalIn(ack: unknown): CopilotError | null {
  const told =
    typeof ack === 'object' &&
    ack !== null &&
    (('error' in ack && ack.error !== null && ack.error !== undefined) || ('ok' in ack && ack.ok === false))
  return told ? fromSocket(ack) : null
}
