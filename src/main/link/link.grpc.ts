// The link over gRPC: `ai.AICopilot` as our own service speaks it, and as foreign services do that know only the base
// fields. One channel, made anew whenever it broke, so that the supervisor's waiting rules and not the library's.
import {
  connectivityState,
  credentials,
  Metadata,
  status,
  type CallOptions,
  type ChannelOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ServiceError
} from '@grpc/grpc-js'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { isTerminal, turnEventSchema, type Question, type TurnEvent } from '../../shared/turn.ts'
import { AICopilotClient, type HealthResponse, type StreamRequest, type StreamResponse } from '../../shared/wire/gen/ai.ts'
import { ERROR_TRAILER, fromStreamResponse } from '../../shared/wire/grpc.ts'
import { onAbort, stopped, throwIfStopped } from './abort.ts'
import { createBaseTurn } from './basePieces.ts'
import type { ServiceAddress, ServiceHello, Transport } from './link.ts'
import { isLoopback } from './loopback.ts'
import { createSilenceWatch, SILENCE_LIMIT_MS } from './silence.ts'
import type { Timers } from './timers.ts'
import { cutShort, fromGrpc, offline, silent, unreadable } from './wireErrors.ts'

export interface GrpcTransportOptions {
  readonly address: ServiceAddress
  readonly clock: Clock
  readonly timers: Timers
  /** How long a base peer may send nothing in mid-turn; ours says itself when it gives up. Default: two minutes. */
  readonly silenceLimitMs?: number
}

const PROTOCOL_METADATA = 'aside-protocol'

/**
 * Keepalive only while a call is open, and seldom: servers on gRPC's C core end connections that ping more often than
 * they like (grpc/doc/keepalive.md). Idle connections are probed by the supervisor's own heartbeat.
 */
function channelOptions(target: string): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': isLoopback(target) ? 0 : 1
  }
}

interface Channel {
  readonly target: string
  readonly client: AICopilotClient
}

/** How long a call may take to end by itself after the turn's last event. */
const SETTLE_MS = 5_000

/** Created at rest; the first call connects. */
export function createGrpcTransport(options: GrpcTransportOptions): Transport {
  const { address, clock, timers, silenceLimitMs = SILENCE_LIMIT_MS } = options
  let channel: Channel | null = null
  /** Ends with `drop`, and every call of its time with it. */
  let era = new AbortController()
  /** What the peer last said of itself; decides how a quick action travels. */
  let protocol = 0
  let ended = false
  const lostListeners = new Set<() => void>()

  function connected(): Channel {
    if (ended) throw offline(new Error('the transport was stopped'))
    const target = address.grpc
    if (target === null) throw offline(new Error('the service has no gRPC door'))
    if (channel?.target !== target) {
      drop()
      const trust = address.secure ? credentials.createSsl() : credentials.createInsecure()
      channel = { target, client: new AICopilotClient(target, trust, channelOptions(target)) }
    }
    return channel
  }

  function drop(): void {
    era.abort()
    era = new AbortController()
    channel?.client.close()
    channel = null
  }

  /** After a call found the service gone the next one connects anew. Other streams go on: they may still be whole. */
  function letGo(used: Channel, failure: CopilotError): CopilotError {
    if (failure.code === 'offline' && channel === used) {
      channel = null
      used.client.close()
    }
    return failure
  }

  function watchForLoss(used: Channel): void {
    const inner = used.client.getChannel()
    if (channel !== used || inner.getConnectivityState(false) !== connectivityState.READY) return
    inner.watchConnectivityState(connectivityState.READY, Infinity, () => {
      if (channel === used) for (const listener of lostListeners) listener()
    })
  }

  async function callMetadata(signal: AbortSignal): Promise<Metadata> {
    const token = await address.token({ refresh: false, signal })
    throwIfStopped(signal)
    const metadata = new Metadata()
    if (token !== null) metadata.set('authorization', `Bearer ${token}`)
    return metadata
  }

  async function* ask(question: Question, { signal, afterSeq = 0 }: { signal: AbortSignal; afterSeq?: number }): AsyncGenerator<TurnEvent> {
    const metadata = await callMetadata(signal)
    const used = connected()
    const call = used.client.streamChat(requestOf(question, afterSeq, protocol), metadata)
    const unwatch = onAbort(AbortSignal.any([signal, era.signal]), () => call.cancel())
    const watch = createSilenceWatch(timers, silenceLimitMs, () => call.cancel())
    const base = createBaseTurn(question.turnId, afterSeq, clock)
    const pieces = call[Symbol.asyncIterator]() as AsyncIterator<StreamResponse>
    let ours = protocol > 0 // until its pieces say otherwise
    let complete = false
    try {
      while (!complete) {
        if (!ours) watch.arm()
        const next = await pieces.next()
        watch.disarm()
        if (next.done === true) throw ours ? offline(new Error('the stream ended early')) : cutShort()
        ours = next.value.seq !== 0
        if (ours) protocol = Math.max(protocol, 1)
        for (const event of ours ? [eventOf(next.value)] : base.take(next.value)) {
          complete = isTerminal(event)
          yield event
        }
      }
    } catch (error) {
      if (signal.aborted) throw stopped(signal)
      if (watch.expired()) throw silent()
      throw letGo(used, failureOf(error))
    } finally {
      watch.disarm()
      unwatch()
      if (complete) settle(call, pieces)
      else call.cancel()
    }
  }

  /** Lets the peer end the call in its own time, for it may still be storing the answer. How it ends says nothing more. */
  function settle(call: ClientReadableStream<StreamResponse>, pieces: AsyncIterator<StreamResponse>): void {
    const callOff = timers.after(SETTLE_MS, () => call.cancel())
    pieces.next().then(callOff, callOff)
  }

  /** One unary call: its answer, and the protocol its headers announce. */
  async function unary<T>(
    start: (client: AICopilotClient, call: UnaryCall<T>) => ClientUnaryCall,
    signal: AbortSignal
  ): Promise<{ value: T; announced: number }> {
    const metadata = await callMetadata(signal)
    const used = connected()
    let call: ClientUnaryCall | null = null
    let announced = 0
    const unwatch = onAbort(AbortSignal.any([signal, era.signal]), () => call?.cancel())
    try {
      const value = await new Promise<T>((resolve, reject) => {
        call = start(used.client, { metadata, done: (error, answer) => (error === null ? resolve(answer) : reject(error)) })
        call.on('metadata', (headers: Metadata) => (announced = announcedProtocol(headers)))
      })
      watchForLoss(used)
      return { value, announced }
    } catch (error) {
      if (signal.aborted) throw stopped(signal)
      if (!isUnimplemented(error)) throw letGo(used, failureOf(error))
      watchForLoss(used)
      throw error
    } finally {
      unwatch()
    }
  }

  async function health(signal: AbortSignal): Promise<ServiceHello> {
    const { value, announced } = await unary<HealthResponse>((to, { metadata, done }) => to.healthCheck({}, metadata, callOptions, done), signal)
    if (!value.healthy && value.status !== '') {
      throw new CopilotError(
        'unavailable',
        `The AI service says that it is not ready: “${value.status.slice(0, 200)}”. Questions are kept until it is.`
      )
    }
    return {
      version: value.version === '' ? null : value.version,
      protocol: Math.max(value.protocol, announced),
      answeredBy: value.answeredBy === '' ? null : value.answeredBy,
      via: 'grpc'
    }
  }

  return {
    kind: 'grpc',
    ask,
    drop,
    protocol: () => protocol,
    async hello(signal) {
      const said = await health(signal).catch((error: unknown): ServiceHello => {
        if (isUnimplemented(error)) return { version: null, protocol: 0, answeredBy: null, via: 'grpc' } // reachable, and that is all we wanted
        throw error
      })
      protocol = said.protocol
      return said
    },
    async cancel(turnId, signal) {
      try {
        const { value } = await unary<{ cancelled: boolean }>(
          (to, { metadata, done }) => to.cancelTurn({ turnId }, metadata, callOptions, done),
          signal
        )
        return value.cancelled
      } catch (error) {
        if (isUnimplemented(error)) return false
        throw error
      }
    },
    onLost(listener) {
      lostListeners.add(listener)
      return () => lostListeners.delete(listener)
    },
    stop() {
      ended = true
      lostListeners.clear()
      drop()
      return Promise.resolve()
    }
  }
}

const callOptions: Partial<CallOptions> = {}

interface UnaryCall<T> {
  readonly metadata: Metadata
  readonly done: (error: ServiceError | null, answer: T) => void
}

/** A base peer has no field for the quick action: there it goes along as context. */
function requestOf(question: Question, afterSeq: number, protocol: number): StreamRequest {
  const { quickAction = '' } = question
  const context = protocol === 0 && quickAction !== '' ? { ...question.context, quick_action: quickAction } : question.context
  return { message: question.text, context, userId: '', turnId: question.turnId, sessionId: question.sessionId, afterSeq, quickAction }
}

function eventOf(piece: StreamResponse): TurnEvent {
  const parsed = turnEventSchema.safeParse(fromStreamResponse(piece))
  if (!parsed.success) throw unreadable(parsed.error)
  return parsed.data
}

function announcedProtocol(headers: Metadata): number {
  const value = Number(headers.get(PROTOCOL_METADATA)[0]?.toString() ?? '0')
  return Number.isInteger(value) && value >= 0 ? value : 0
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error
}

const isUnimplemented = (error: unknown): boolean => isServiceError(error) && error.code === status.UNIMPLEMENTED

function failureOf(error: unknown): CopilotError {
  if (error instanceof CopilotError) return error
  if (!isServiceError(error)) return offline(error)
  return fromGrpc({ code: error.code, details: error.details, trailer: error.metadata?.get(ERROR_TRAILER)[0]?.toString() ?? null })
}
