// A WebSocket "canister": one connection, questions and answers matched by request id, several on their way at once. Its answers
// come whole. It is kept alive by pings and made anew whenever it breaks; the protocol has no way to stop an answer.
import { WebSocket } from 'ws'
import { CopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Clock, NewId, Random } from '../../shared/kit/clock.ts'
import { estimateTokens } from '../cost/tokens.ts'
import { ProviderFailure } from './failure.ts'
import { countOf, fieldsOf, parseJson, textOf, type Fields } from './json.ts'
import { modelFacts } from './models.ts'
import type { Provider, ProviderPart, ProviderProfile, ProviderRequest } from './provider.ts'
import { shapePrompt } from './shape.ts'

export interface CanisterOptions {
  readonly id: string
  readonly name: string
  /** `ws:` or `wss:`. */
  readonly url: string
  /** To the whole answer. */
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly heartbeatMs?: number
  readonly reconnect?: { readonly baseMs: number; readonly capMs: number }
  readonly clock: Clock
  readonly newId: NewId
  readonly random: Random
}

interface Waiting {
  resolve(answer: Fields): void
  reject(error: Error): void
}

const HEARTBEAT_MS = 15_000
const RECONNECT = { baseMs: 250, capMs: 15_000 }
const MOST_BYTES = 4_000_000

export function createCanister(options: CanisterOptions): Provider & { stop(): Promise<void> } {
  const { name, clock, newId, timeoutMs } = options
  const waiting = new Map<string, Waiting>()
  const profile: ProviderProfile = {
    ...modelFacts(null, { streaming: false, quality: 2, contextWindow: 32_768 }),
    model: null,
    priceKey: null,
    timeouts: { firstTextMs: timeoutMs, betweenTextMs: timeoutMs }
  }
  let socket: WebSocket | null = null
  let attempt = 0
  let isStopped = false
  let retry: NodeJS.Timeout | undefined
  let beat: NodeJS.Timeout | undefined
  let model: string | null = null

  const connect = (): void => {
    const next = new WebSocket(options.url, { handshakeTimeout: options.connectTimeoutMs, maxPayload: MOST_BYTES, perMessageDeflate: false })
    let isAlive = true
    socket = next
    next.on('open', () => {
      attempt = 0
      beat = setInterval(() => {
        if (!isAlive) return next.terminate()
        isAlive = false
        next.ping()
      }, options.heartbeatMs ?? HEARTBEAT_MS).unref()
    })
    next.on('pong', () => (isAlive = true))
    next.on('message', (data) => {
      isAlive = true
      // A Buffer, since `binaryType` is its default.
      receive(String(data as Buffer))
    })
    // `close` follows and says what is to be done; without a listener the process would end.
    next.on('error', () => undefined)
    next.on('close', () => {
      clearInterval(beat)
      for (const { reject } of waiting.values()) reject(lost())
      waiting.clear()
      if (isStopped) return
      attempt += 1
      retry = setTimeout(connect, backoffMs(attempt, options.random, options.reconnect ?? RECONNECT)).unref()
    })
  }

  const receive = (text: string): void => {
    const message = fieldsOf(parseJson(text))
    const id = textOf(message?.['request_id'])
    const asker = waiting.get(id)
    // Late ones, and other kinds of message: nobody waits for them.
    if (message === null || asker === undefined) return
    waiting.delete(id)
    if (message['type'] === 'response') asker.resolve(message)
    else asker.reject(new ProviderFailure('unavailable', `${name} failed.`))
  }

  const lost = (): ProviderFailure => new ProviderFailure('cut', `${name} broke off before its answer was complete.`)
  const isOpen = (): boolean => socket?.readyState === WebSocket.OPEN

  const send = (request: ProviderRequest, signal: AbortSignal): Promise<Fields> => {
    const id = newId()
    const { promise, resolve, reject } = Promise.withResolvers<Fields>()
    const limitMs = request.timeouts?.firstTextMs ?? timeoutMs
    const timer = setTimeout(() => reject(new ProviderFailure('timeout', `${name} did not answer within ${limitMs / 1_000} seconds.`)), limitMs)
    const leave = (): void => reject(new CopilotError('cancelled', 'Stopped.'))
    signal.addEventListener('abort', leave, { once: true })
    waiting.set(id, { resolve, reject })
    socket?.send(JSON.stringify(messageFor(request, id, clock.now())))
    return promise.finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
      waiting.delete(id)
    })
  }

  connect()
  return {
    id: options.id,
    name,
    kind: 'model',
    ready: () => Promise.resolve(isOpen()),
    model: () => model,
    profile: () => (model === null ? profile : { ...profile, model }),
    async probe() {
      if (!isOpen()) throw new ProviderFailure('unavailable', `${name} can’t be reached.`)
    },
    async *stream(request, signal) {
      if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
      if (!isOpen()) throw new ProviderFailure('unavailable', `${name} can’t be reached. It is tried again by itself.`)
      const answer = await send(request, signal)
      const text = textOf(answer['response'])
      if (text === '') throw new ProviderFailure('unavailable', `${name} sent something that is not an answer.`)
      const used = textOf(answer['model_used'])
      if (used !== '') model = used
      yield { type: 'text', text }
      if (signal.aborted) throw new CopilotError('cancelled', 'Stopped.')
      yield usageOf(answer, request, used)
      yield { type: 'finish', reason: 'stop' }
    },
    async stop() {
      isStopped = true
      clearTimeout(retry)
      clearInterval(beat)
      const open = socket
      if (open === null || open.readyState === WebSocket.CLOSED) return
      const closed = new Promise((resolve) => open.once('close', resolve))
      open.terminate()
      await closed
    }
  }
}

function messageFor(request: ProviderRequest, requestId: string, now: number): object {
  const { instructions, messages } = shapePrompt(request.prompt, { prefill: false })
  return {
    type: 'process',
    request_id: requestId,
    conversation_id: request.caller?.sessionId ?? requestId,
    user_id: request.caller?.userId ?? '',
    system_prompt: instructions ?? '',
    messages: messages.map(({ role, content }) => ({ role, content, timestamp: now })),
    context_metadata: {
      thread_title: '',
      user_tier: '',
      timestamp: now,
      message_count: messages.length,
      estimated_tokens: messages.reduce((sum, { content }) => sum + estimateTokens(content, 'other'), estimateTokens(instructions ?? '', 'other'))
    }
  }
}

/** The protocol tells one number, of the answer and what was asked together; what was asked is estimated. */
function usageOf(answer: Fields, request: ProviderRequest, model: string): ProviderPart {
  const total = countOf(answer['token_count'])
  const asked = request.prompt.reduce((sum, { content }) => sum + estimateTokens(content, 'other'), 0)
  const inputTokens = Math.min(asked, total)
  return { type: 'usage', inputTokens, outputTokens: total - inputTokens, cachedTokens: 0, ...(model === '' ? {} : { model }) }
}
