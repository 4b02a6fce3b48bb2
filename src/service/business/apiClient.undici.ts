// Reads JSON from another system's API: remembered for a while, and longer where the API is away; behind a circuit breaker, so that an
// API that is down costs nothing.
import { LRUCache } from 'lru-cache'
import { errors, Pool, type Dispatcher } from 'undici'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { breakerRules, createBreaker, type BreakerRules } from '../orchestrator/breaker.ts'

export interface ApiClientOptions {
  /** For people. */
  readonly name: string
  /** Without a slash at the end. */
  readonly baseUrl: string
  readonly key: string | null
  readonly clock: Clock
  readonly timeoutMs?: number
  /** How long an answer is as good as new. */
  readonly freshMs?: number
  /** How long it may stand in for an API that is away. */
  readonly staleMs?: number
  readonly breaker?: BreakerRules
}

export interface ApiClient {
  /** JSON; null: there is no such thing. Throws `unavailable`, `timeout`, or `forbidden` where the API refuses the key. */
  get(path: string, signal: AbortSignal): Promise<unknown>
  stop(): Promise<void>
}

interface Kept {
  readonly value: unknown
  readonly at: number
}

const KEPT = 1_000
const LARGEST_BODY = 256_000

/** The caller stops it. */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const { name, baseUrl, key, clock, timeoutMs = 3_000, freshMs = 60_000, staleMs = 3_600_000 } = options
  const { origin, pathname } = new URL(baseUrl)
  const base = pathname.replace(/\/+$/, '')
  const pool = new Pool(origin, { connections: 8, connectTimeout: timeoutMs, headersTimeout: timeoutMs, bodyTimeout: timeoutMs })
  const breaker = createBreaker(options.breaker ?? { ...breakerRules, leastCalls: 5 }, clock)
  const kept = new LRUCache<string, Kept>({ max: KEPT })
  const asking = new Map<string, Promise<unknown>>()

  const ask = async (path: string): Promise<unknown> => {
    const permit = breaker.enter()
    if (permit === null) throw new CopilotError('unavailable', `The ${name} API is left alone for a moment, because it has failed again and again.`)
    try {
      const headers = { accept: 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) }
      const response = await pool.request({ method: 'GET', path: base + path, headers, signal: AbortSignal.timeout(timeoutMs) })
      const value = await read(response, name)
      permit.succeed()
      kept.set(path, { value, at: clock.now() })
      return value
    } catch (error) {
      // A refusal is an answer: the API is well.
      if (error instanceof CopilotError && error.code === 'forbidden') permit.succeed()
      else permit.fail()
      throw failure(error, name)
    }
  }

  /** However many want the same at once, it is asked once. */
  const shared = (path: string): Promise<unknown> => {
    const known = asking.get(path)
    if (known !== undefined) return known
    const asked = ask(path).finally(() => asking.delete(path))
    asking.set(path, asked)
    return asked
  }

  return {
    async get(path, signal) {
      signal.throwIfAborted()
      const old = kept.get(path)
      if (old !== undefined && clock.now() - old.at < freshMs) return old.value
      try {
        return await until(shared(path), signal)
      } catch (error) {
        const isAway = error instanceof CopilotError && (error.code === 'unavailable' || error.code === 'timeout')
        if (isAway && old !== undefined && clock.now() - old.at < staleMs) return old.value
        throw error
      }
    },
    stop: () => pool.destroy()
  }
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData, name: string): Promise<unknown> {
  if (statusCode !== 200) await body.dump()
  if (statusCode === 404) return null
  if (statusCode === 401 || statusCode === 403) throw new CopilotError('forbidden', `The ${name} API refuses the service’s key.`)
  if (statusCode !== 200) throw new CopilotError('unavailable', `The ${name} API answered ${statusCode}.`)
  if (!String(headers['content-type'] ?? '').includes('json')) {
    await body.dump()
    throw new CopilotError('unavailable', `The ${name} API did not answer with JSON.`)
  }
  let text = ''
  body.setEncoding('utf8')
  for await (const piece of body) {
    text += String(piece)
    if (text.length > LARGEST_BODY) throw new CopilotError('unavailable', `The ${name} API’s answer is too large.`)
  }
  return JSON.parse(text)
}

function failure(error: unknown, name: string): unknown {
  if (error instanceof CopilotError) return error
  if (error instanceof SyntaxError) return new CopilotError('unavailable', `The ${name} API did not answer with JSON.`, { cause: error })
  const isLate =
    (error instanceof DOMException && error.name === 'TimeoutError') ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError
  if (isLate) return new CopilotError('timeout', `The ${name} API did not answer in time.`, { cause: error })
  return new CopilotError('unavailable', `The ${name} API can’t be reached.`, { cause: error })
}

/** What is shared goes on for the others; this one stops waiting. */
function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
