// A remote `ai.AICopilot` as a provider: several hosts in turn, each watched by the standard health service, each with
// connections of its own. It finds its own facts and keeps its own memory; it is sent the question and what was gathered here.
import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  status,
  type ChannelOptions,
  type Client,
  type ClientReadableStream,
  type ServiceError
} from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { CopilotError } from '../../shared/errors.ts'
import { AICopilotClient, type StreamRequest, type StreamResponse } from '../../shared/wire/gen/ai.ts'
import { correlationId, CORRELATION_HEADER } from '../correlation.ts'
import { ProviderFailure, type FailureKind } from './failure.ts'
import { modelFacts } from './models.ts'
import type { Provider, ProviderCaller, ProviderPart, ProviderProfile, ProviderRequest, ProviderTimeouts } from './provider.ts'
import { createStallWatch } from './stallWatch.ts'
import { remoteRequest } from './remoteRequest.ts'

export interface RemoteCopilotOptions {
  readonly id: string
  readonly name: string
  /** `host:port` each; asked in turn. */
  readonly hosts: readonly string[]
  /** TLS to all of them; false only on networks that are one's own. */
  readonly isSecure: boolean
  readonly token: (caller: ProviderCaller | undefined) => string | null
  /** Connections to all hosts together; at least one to each. */
  readonly poolSize: number
  readonly timeouts: ProviderTimeouts
  /** Between two looks at a host's health. */
  readonly healthEveryMs?: number
}

interface Connection {
  readonly copilot: AICopilotClient
  inFlight: number
}

interface Host {
  readonly address: string
  readonly connections: readonly Connection[]
  readonly health: HealthClient
  isWell: boolean
}

interface HealthClient extends Client {
  check(
    request: { service: string },
    options: { deadline: number },
    callback: (error: ServiceError | null, answer?: { status: string }) => void
  ): void
}
const HealthClient = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health') as unknown as new (
  ...parameters: ConstructorParameters<typeof Client>
) => HealthClient

/** It does not say which model it asks. */
const MODEL = 'remote copilot'
const HEALTH_EVERY_MS = 5_000
const HEALTH_DEADLINE_MS = 1_000
const channelOptions: ChannelOptions = {
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // Each client has a connection of its own; otherwise all to one host would share one.
  'grpc.use_local_subchannel_pool': 1
}

export function createRemoteCopilot(options: RemoteCopilotOptions): Provider & { stop(): Promise<void> } {
  const { name, timeouts } = options
  const proof = options.isSecure ? credentials.createSsl() : credentials.createInsecure()
  const each = Math.max(1, Math.floor(options.poolSize / options.hosts.length))
  const hosts = options.hosts.map((address): Host => ({
    address,
    connections: Array.from({ length: each }, () => ({ copilot: new AICopilotClient(address, proof, channelOptions), inFlight: 0 })),
    health: new HealthClient(address, proof, channelOptions),
    isWell: false
  }))
  const profile: ProviderProfile = { ...modelFacts(null, { quality: 2, contextWindow: 32_768 }), model: MODEL, priceKey: null, timeouts }
  let turn = 0

  /** A host without the health service is judged by whether it answers at all. */
  const look = (host: Host): Promise<void> =>
    new Promise((resolve) => {
      host.health.check({ service: '' }, { deadline: Date.now() + HEALTH_DEADLINE_MS }, (error, answer) => {
        host.isWell = error === null ? answer?.status === 'SERVING' : error.code === status.UNIMPLEMENTED
        resolve()
      })
    })
  const lookAtAll = async (): Promise<void> => void (await Promise.all(hosts.map(look)))
  const first = lookAtAll()
  const timer = setInterval(() => void lookAtAll(), options.healthEveryMs ?? HEALTH_EVERY_MS).unref()

  /** The healthy ones in turn, then the others: a look may be old. */
  const order = (): readonly Host[] => {
    turn += 1
    const turned = hosts.map((_host, index) => hosts[(index + turn) % hosts.length] as Host)
    return [...turned.filter(({ isWell }) => isWell), ...turned.filter(({ isWell }) => !isWell)]
  }

  const metadataFor = (caller: ProviderCaller | undefined): Metadata => {
    const metadata = new Metadata()
    const token = options.token(caller)
    if (token !== null) metadata.set('authorization', `Bearer ${token}`)
    const id = correlationId()
    if (id !== undefined) metadata.set(CORRELATION_HEADER, id)
    return metadata
  }

  const open = (connection: Connection, request: ProviderRequest): ClientReadableStream<StreamResponse> => {
    const metadata = metadataFor(request.caller)
    const message = remoteRequest(request, metadata.get('authorization').length === 0)
    return connection.copilot.streamChat(message as StreamRequest, metadata)
  }

  const ask = async function* (host: Host, request: ProviderRequest, signal: AbortSignal): AsyncGenerator<ProviderPart> {
    const watch = createStallWatch({ ...timeouts, ...request.timeouts }, signal)
    const connection = host.connections.reduce((least, next) => (next.inFlight < least.inFlight ? next : least))
    connection.inFlight += 1
    const call = open(connection, request)
    const hangUp = (): void => call.cancel()
    watch.signal.addEventListener('abort', hangUp, { once: true })
    if (watch.signal.aborted) hangUp()
    let isFinal = false
    try {
      for await (const piece of call as AsyncIterable<StreamResponse>) {
        watch.progress()
        if (piece.content !== '') yield { type: 'text', text: piece.content }
        isFinal ||= piece.isFinal
      }
      if (!isFinal) throw new ProviderFailure('cut', `${name} broke off before its answer was complete.`)
    } catch (error) {
      if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.', { cause: error })
      if (watch.stalledMs !== null) throw new ProviderFailure('timeout', `${name} did not answer within ${watch.stalledMs / 1_000} seconds.`)
      throw failureOf(error, name)
    } finally {
      watch.stop()
      watch.signal.removeEventListener('abort', hangUp)
      connection.inFlight -= 1
      call.cancel()
    }
    yield { type: 'finish', reason: 'stop' }
  }

  return {
    id: options.id,
    name,
    kind: 'model',
    async ready() {
      await first
      return hosts.some(({ isWell }) => isWell)
    },
    model: () => MODEL,
    profile: () => profile,
    async probe() {
      await lookAtAll()
      if (!hosts.some(({ isWell }) => isWell)) throw new ProviderFailure('unavailable', `${name} can’t be reached at ${options.hosts.join(', ')}.`)
    },
    async *stream(request, signal) {
      if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
      const asked = order()
      for (const [index, host] of asked.entries()) {
        let hasBegun = false
        try {
          for await (const part of ask(host, request, signal)) {
            hasBegun = true
            yield part
          }
          return
        } catch (error) {
          const isLost = error instanceof ProviderFailure && error.kind === 'unavailable'
          if (isLost) host.isWell = false
          if (hasBegun || !isLost || index === asked.length - 1) throw error
        }
      }
    },
    async stop() {
      clearInterval(timer)
      await first
      for (const { connections, health } of hosts) {
        health.close()
        for (const { copilot } of connections) copilot.close()
      }
    }
  }
}

const kinds: Readonly<Partial<Record<number, FailureKind>>> = {
  [status.UNAUTHENTICATED]: 'unauthenticated',
  [status.PERMISSION_DENIED]: 'unauthenticated',
  [status.RESOURCE_EXHAUSTED]: 'rate_limited',
  [status.INVALID_ARGUMENT]: 'invalid',
  [status.OUT_OF_RANGE]: 'context_too_large',
  [status.FAILED_PRECONDITION]: 'refused',
  [status.DEADLINE_EXCEEDED]: 'timeout',
  [status.CANCELLED]: 'cut'
}
const words: Readonly<Record<FailureKind, string>> = {
  unauthenticated: 'refused the token. Check AI_REMOTE_TOKEN.',
  rate_limited: 'asks to wait.',
  overloaded: 'is overloaded.',
  invalid: 'did not accept the request.',
  context_too_large: 'takes no question as long as this with its context. Shorten it, or ask in parts; what you wrote is kept.',
  refused: 'refused this question by its content rules. Put it in other words.',
  timeout: 'took too long.',
  cut: 'broke off before its answer was complete.',
  unavailable: 'can’t be reached or failed.'
}

function failureOf(error: unknown, name: string): unknown {
  if (error instanceof CopilotError || !(error instanceof Error && 'code' in error && typeof error.code === 'number')) return error
  const kind = kinds[error.code] ?? 'unavailable'
  return new ProviderFailure(kind, `${name} ${words[kind]}`, { cause: error })
}
