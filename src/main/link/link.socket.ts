// The link over Socket.IO (WebSocket, else HTTP long polling) in the ERP dialect, with our own service and with foreign
// servers that know only the base events.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { isTerminal, type Question, type TurnEvent } from '../../shared/turn.ts'
import { PROTOCOL_VERSION, socketEvents, type AiStreamPiece, type AiStreamRequest } from '../../shared/wire/socket.ts'
import { abortable, stopped } from './abort.ts'
import { createBaseTurn, type BasePiece } from './basePieces.ts'
import type { ServiceAddress, Transport } from './link.ts'
import { createSilenceWatch, SILENCE_LIMIT_MS } from './silence.ts'
import { connect, type SocketConnection } from './socketConnection.ts'
import type { Timers } from './timers.ts'
import { offline, silent } from './wireErrors.ts'

export interface SocketTransportOptions {
  readonly address: ServiceAddress
  readonly clock: Clock
  readonly timers: Timers
  /** How long a base peer may send nothing in mid-turn. Default: two minutes. */
  readonly silenceLimitMs?: number
  /** For each carrier. Default: five seconds. */
  readonly connectLimitMs?: number
  /** How long a connected peer is given to say that it speaks our protocol. Default: 300 ms. */
  readonly helloGraceMs?: number
  /** Tried in this order; a test may leave one out. */
  readonly carriers?: readonly ('websocket' | 'polling')[]
}

/** How long our own service has to acknowledge. */
const ACK_LIMIT_MS = 3_000
/** Engine.IO servers ping every 25 s and give 20 s by default: without a sign for longer than this the link is dead. */
const ENGINE_SILENCE_MS = 45_000

/** Created at rest; the first call connects. */
export function createSocketTransport(options: SocketTransportOptions): Transport {
  const {
    address,
    clock,
    timers,
    carriers = ['websocket', 'polling'],
    silenceLimitMs = SILENCE_LIMIT_MS,
    connectLimitMs = 5_000,
    helloGraceMs = 300
  } = options
  let connection: SocketConnection | null = null
  let connecting: Promise<SocketConnection> | null = null
  /** Ends with `drop`: what was begun before it must not come to life after it. */
  let era = new AbortController()
  let stoppedForGood = false
  /** Of the peer, as last seen: outlives the connection. */
  let protocol = 0
  const lostListeners = new Set<() => void>()
  /** The tail of the queue of turns on a base peer's connection, where only one may run at a time. */
  let queue: Promise<void> = Promise.resolve()

  async function dial(signal: AbortSignal): Promise<SocketConnection> {
    const token = await address.token({ refresh: false, signal })
    try {
      return await dialWith(token, signal)
    } catch (error) {
      // Another caller may have refreshed the token while this one was refused with the old one.
      const renewed = error instanceof CopilotError && error.code === 'unauthenticated' ? await address.token({ refresh: false, signal }) : token
      if (renewed === token) throw error
      return dialWith(renewed, signal)
    }
  }

  async function dialWith(token: string | null, signal: AbortSignal): Promise<SocketConnection> {
    const url = address.http
    if (url === null) throw offline(new Error('the service has no Socket.IO door'))
    let failure: CopilotError | null = null
    for (const carrier of carriers) {
      try {
        const dialed = await connect({ url, token, carrier, connectLimitMs, helloGraceMs, timers, now: () => clock.now() }, signal)
        dialed.onEnd(() => lost(dialed))
        protocol = dialed.hello().protocol
        return dialed
      } catch (error) {
        if (!(error instanceof CopilotError) || error.code !== 'offline') throw error
        failure = error
      }
    }
    throw failure ?? offline(new Error('no carrier'))
  }

  function lost(which: SocketConnection): void {
    if (connection !== which) return
    connection = null
    for (const listener of lostListeners) listener()
  }

  async function establish(era: AbortSignal): Promise<SocketConnection> {
    try {
      const dialed = await dial(era)
      if (!era.aborted) return (connection = dialed)
      dialed.end()
    } catch (error) {
      if (!era.aborted) throw error
    }
    throw offline(new Error('the connection was dropped while it was made'))
  }

  /** The connection there is, or the one being made; whoever waits may give up without ending it for the others. */
  function connected(signal: AbortSignal): Promise<SocketConnection> {
    if (stoppedForGood) return Promise.reject(offline(new Error('the transport was stopped')))
    if (connection !== null) return Promise.resolve(connection)
    const attempt = (connecting ??= establish(era.signal).finally(() => {
      if (connecting === attempt) connecting = null
    }))
    return abortable(attempt, signal)
  }

  function drop(): void {
    era.abort()
    era = new AbortController()
    connecting = null
    const old = connection
    connection = null
    old?.end()
  }

  /** Resolves when this turn may speak; what it resolves with must be called at the end, whatever happened. */
  async function turnToSpeak(signal: AbortSignal): Promise<() => void> {
    const before = queue
    const mine = Promise.withResolvers<void>()
    queue = Promise.all([before, mine.promise]).then(() => undefined)
    try {
      await abortable(before, signal)
      return mine.resolve
    } catch (error) {
      mine.resolve()
      throw error
    }
  }

  async function* ask(question: Question, { signal, afterSeq = 0 }: { signal: AbortSignal; afterSeq?: number }): AsyncGenerator<TurnEvent> {
    const first = await connected(signal)
    if (first.hello().protocol > 0) {
      yield* stream(first, question, afterSeq, signal)
      return
    }
    const done = await turnToSpeak(signal)
    try {
      yield* stream(await connected(signal), question, afterSeq, signal)
    } finally {
      done()
    }
  }

  async function* stream(used: SocketConnection, question: Question, afterSeq: number, signal: AbortSignal): AsyncGenerator<TurnEvent> {
    const peerIsBase = (): boolean => used.hello().protocol === 0
    const base = createBaseTurn(question.turnId, afterSeq, clock)
    const inbox = used.open(question.turnId, requestOf(question, afterSeq, peerIsBase()))
    const silence = new AbortController()
    const watch = createSilenceWatch(timers, silenceLimitMs, () => silence.abort())
    const pieces = inbox.read(AbortSignal.any([signal, silence.signal]))
    let complete = false
    try {
      while (!complete) {
        if (peerIsBase()) watch.arm()
        const { value: piece } = await pieces.next()
        watch.disarm()
        protocol = used.hello().protocol
        for (const event of piece.event === undefined ? base.take(baseFields(piece)) : [piece.event]) {
          complete = isTerminal(event)
          yield event
        }
      }
    } catch (error) {
      if (signal.aborted) throw stopped(signal)
      if (watch.expired()) throw silent()
      // The token is part of the handshake: a refused one needs a new connection.
      if (error instanceof CopilotError && error.code === 'unauthenticated') letGo(used)
      throw error
    } finally {
      watch.disarm()
      await pieces.return(undefined as never)
      used.close(question.turnId, inbox)
      // A base peer goes on sending a turn that nobody reads, and its pieces carry no turn id: never let them meet the next turn.
      if (peerIsBase() && !complete) letGo(used)
    }
  }

  function letGo(used: SocketConnection): void {
    if (connection === used) connection = null
    used.end()
  }

  return {
    kind: 'socket',
    ask,
    drop,
    protocol: () => protocol,
    async hello(signal) {
      const before = connection
      let used = await connected(signal)
      if (used === before && !(await alive(used, signal))) {
        letGo(used)
        used = await connected(signal)
      }
      protocol = used.hello().protocol
      return { ...used.hello(), via: used.via() }
    },
    async cancel(turnId, signal) {
      const used = await connected(signal)
      if (used.hello().protocol === 0) return false
      const ack = await used.request(socketEvents.cancel, { turn_id: turnId }, { limitMs: ACK_LIMIT_MS, signal })
      return ack !== null && !(typeof ack === 'object' && (('ok' in ack && ack.ok === false) || ('cancelled' in ack && ack.cancelled === false)))
    },
    onLost(listener) {
      lostListeners.add(listener)
      return () => lostListeners.delete(listener)
    },
    stop() {
      stoppedForGood = true
      lostListeners.clear()
      drop()
      return Promise.resolve()
    }
  }

  /** Ours acknowledges a hello. A base peer has nothing that it must answer, so there its pings have to do. */
  async function alive(used: SocketConnection, signal: AbortSignal): Promise<boolean> {
    if (clock.now() - used.lastHeardAt() > ENGINE_SILENCE_MS) return false
    if (used.hello().protocol === 0) return true
    const ack = await used.request(socketEvents.hello, { protocol: PROTOCOL_VERSION }, { limitMs: ACK_LIMIT_MS, signal })
    return connection === used && (ack !== null || !used.answersRequests())
  }
}

function requestOf(question: Question, afterSeq: number, peerIsBase: boolean): AiStreamRequest {
  const { quickAction } = question
  return {
    message: question.text,
    context: peerIsBase && quickAction !== undefined ? { ...question.context, quick_action: quickAction } : question.context,
    session_id: question.sessionId,
    turn_id: question.turnId,
    after_seq: afterSeq,
    ...(quickAction === undefined ? {} : { quick_action: quickAction })
  }
}

const baseFields = (piece: AiStreamPiece): BasePiece => ({ content: piece.content, isFinal: piece.is_final, messageId: piece.message_id })
