// The way to Redis, for services of several processes: one connection that comes back by itself, says in one sentence what is
// wrong with it, and refuses at once while Redis is away instead of letting commands pile up.
import { createClient, ErrorReply } from 'redis'
import { CopilotError } from '../../shared/errors.ts'
import type { Random } from '../../shared/kit/clock.ts'
import { createRedisSteps, type RedisScript } from './redisSteps.ts'

/** Every key and channel of ours begins with it, so that the database can be shared. */
export const REDIS_PREFIX = 'aside:'

/** `redisKey('turn', id)` is `aside:turn:<id>`. */
export function redisKey(first: string, ...further: readonly string[]): string {
  let key = REDIS_PREFIX + first
  for (const part of further) key += `:${part}`
  return key
}

/** The library's client, speaking RESP 2: what the Socket.IO adapter understands. Its listeners are called as it reads. */
export type RedisClient = ReturnType<typeof newClient>

export interface RedisConnection {
  /** For libraries that want the client itself, and for subscriptions on a duplicate. Our own commands go through `run`. */
  readonly client: RedisClient
  /** Where it leads, without user and password: `localhost:6379`. */
  readonly address: string
  readonly isAway: boolean
  /** For how long it has been there without a break, in ms; 0 while away. */
  readonly steadyMs: number
  /**
   * Commands of the same tick travel together. Rejects with `unavailable` when Redis is away, mute for `withinMs` (5 s), full or
   * not to be written to; whether a command that was on its way has been carried out is not known then.
   */
  run<T>(command: (client: RedisClient) => Promise<T>, options?: { readonly withinMs?: number }): Promise<T>
  /** A script of Lua, which runs as one step; scripts asked for one shortly after another travel together, in order. Rejects like `run`. */
  script(lua: string): RedisScript
  /** Calls back each time the connection is there again after it was lost; the result ends it. */
  onBack(listener: () => void): () => void
  /** Another connection to the same place, for reads that block and for subscriptions. Whoever asks for it stops it. */
  duplicate(): Promise<RedisConnection>
  /** Lets what is on its way come back, for a moment. Twice is once. */
  stop(): Promise<void>
}

export interface RedisOptions {
  /** `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, `unix:///path` for a socket. */
  readonly url: string
  /** Told of each lost or refused connection, and of each command that failed for a fault of Redis. */
  readonly onError?: (error: CopilotError, kind: 'connection' | 'command') => void
  readonly random?: Random
  /** Ms, only differences count. */
  readonly monotonic?: () => number
}

const CONNECT_WITHIN_MS = 5_000
const ANSWER_WITHIN_MS = 5_000
const STOP_WITHIN_MS = 500
const LONGEST_PAUSE_MS = 1_000

/** The caller stops it. Throws `CopilotError` with one sentence: the URL is wrong, the password refused, nobody there. */
export async function openRedis(options: RedisOptions): Promise<RedisConnection> {
  const { url, onError = () => undefined, random = Math.random, monotonic = () => performance.now() } = options
  const address = addressOf(url)
  let hasConnected = false
  let readyAt: number | null = null
  /** Commands that were given up on and may yet be answered: until one is, others would only wait behind them. */
  let unanswered = 0
  let stopping: Promise<void> | null = null
  const backListeners = new Set<() => void>()

  const pauseBefore = (retries: number, cause: Error): number | Error =>
    hasConnected ? Math.min(LONGEST_PAUSE_MS, 50 * 2 ** Math.min(retries, 10)) * (0.5 + random() / 2) : cause
  const client = clientFor(url, pauseBefore)
  client.on('error', (error: unknown) => {
    readyAt = null
    if (stopping === null && hasConnected) onError(expected(error, address) ?? away(address, error), 'connection')
  })
  client.on('ready', () => {
    readyAt = monotonic()
    if (hasConnected) for (const listener of backListeners) listener()
    hasConnected = true
  })
  try {
    await client.connect()
    // Without a password nothing is asked of it at the door.
    await client.ping()
  } catch (error) {
    if (client.isOpen) client.destroy()
    throw refusedAtStart(causeOf(error), address)
  }

  const failed = (error: unknown): unknown => {
    const known = expected(error, address)
    if (known === null) return error
    if (stopping === null) onError(known, 'command')
    return known
  }

  const within = <T>(answer: Promise<T>, withinMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        unanswered += 1
        reject(mute(address))
      }, withinMs)
      const settle = (): void => {
        if (isLate) unanswered -= 1
        else clearTimeout(timer)
      }
      answer.finally(settle).then(resolve, reject)
    })

  const run: RedisConnection['run'] = async (command, { withinMs = ANSWER_WITHIN_MS } = {}) => {
    try {
      if (stopping !== null || !client.isReady) throw away(address)
      if (unanswered > 0) throw mute(address)
      return await within(command(client), withinMs)
    } catch (error) {
      throw failed(error)
    }
  }

  const script = createRedisSteps({
    translate: failed,
    call: ({ name, text }, keys, values) =>
      run(async (redis) => {
        const given = { keys, arguments: values }
        try {
          return await redis.evalSha(name, given)
        } catch (error) {
          // Redis forgets scripts when it starts again.
          if (error instanceof ErrorReply && error.message.startsWith('NOSCRIPT')) return await redis.eval(text, given)
          throw error
        }
      })
  })

  return {
    client,
    address,
    run,
    get isAway() {
      return !client.isReady
    },
    get steadyMs() {
      return readyAt === null || !client.isReady ? 0 : monotonic() - readyAt
    },
    script,
    onBack(listener) {
      backListeners.add(listener)
      return () => backListeners.delete(listener)
    },
    duplicate: () => openRedis(options),
    stop() {
      stopping ??= (async () => {
        if (client.isReady && unanswered === 0) {
          let timer: NodeJS.Timeout | undefined
          await Promise.race([client.close(), new Promise((resolve) => (timer = setTimeout(resolve, STOP_WITHIN_MS)))])
          clearTimeout(timer)
        }
        client.destroy()
      })()
      return stopping
    }
  }
}

function newClient(url: string, reconnectStrategy: (retries: number, cause: Error) => number | Error) {
  return createClient({
    url,
    RESP: 2,
    // A command that waits for a connection is one whose caller waits without knowing why.
    disableOfflineQueue: true,
    // `run` has a limit of its own; the library's is a signal for each command, which lives on for its whole time.
    commandOptions: { timeout: 0 },
    // Redis Enterprise's own; elsewhere it is a refused command at each connection.
    maintNotifications: 'disabled',
    socket: { connectTimeout: CONNECT_WITHIN_MS, reconnectStrategy, keepAlive: true, keepAliveInitialDelay: 5_000 }
  })
}

function clientFor(url: string, reconnectStrategy: (retries: number, cause: Error) => number | Error): RedisClient {
  try {
    return newClient(url, reconnectStrategy)
  } catch (error) {
    throw badUrl(error)
  }
}

function addressOf(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null || !['redis:', 'rediss:', 'unix:'].includes(parsed.protocol)) throw badUrl()
  if (parsed.protocol === 'unix:') return parsed.pathname
  if (parsed.hostname === '') throw badUrl()
  return `${parsed.hostname}:${parsed.port === '' ? '6379' : parsed.port}`
}

function badUrl(cause?: unknown): CopilotError {
  // The address itself is not repeated: it may hold a password.
  return new CopilotError('invalid_request', 'Configuration: REDIS_URL is not an address such as redis://localhost:6379 or rediss://host:6380.', {
    cause
  })
}

function away(address: string, cause?: unknown): CopilotError {
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
  return new CopilotError('unavailable', `Redis at ${address} can't be reached${code}. What was saved is kept; try again in a moment.`, {
    cause,
    retryAfterMs: 1_000
  })
}

function mute(address: string): CopilotError {
  return new CopilotError('unavailable', `Redis at ${address} does not answer. What was saved is kept; try again in a moment.`, {
    retryAfterMs: 2_000
  })
}

/** The library wraps what its reconnecting was told to end with. */
function causeOf(error: unknown): unknown {
  return error instanceof Error && 'originalError' in error ? error.originalError : error
}

function refusedAtStart(error: unknown, address: string): CopilotError {
  // "ERR AUTH <password> called without any password configured", and a database that is not there.
  if (error instanceof ErrorReply && error.message.startsWith('ERR')) {
    return new CopilotError('invalid_request', `Configuration: Redis at ${address} does not know the password or the database of REDIS_URL.`, {
      cause: error
    })
  }
  return expected(error, address) ?? away(address, error)
}

/** Null: a bug of ours, which keeps its own words. */
function expected(error: unknown, address: string): CopilotError | null {
  if (error instanceof CopilotError) return error
  if (!(error instanceof ErrorReply)) return error instanceof TypeError ? null : away(address, error)
  const word = error.message.split(' ', 1)[0] ?? ''
  const problem = refusals[word]
  return problem === undefined
    ? null
    : new CopilotError('unavailable', `Redis at ${address} ${problem}`, { cause: error, retryAfterMs: 5_000, details: { reason: word } })
}

/** By the first word of what Redis says. */
const refusals: Readonly<Record<string, string>> = {
  WRONGPASS: 'refused the user or password. Set REDIS_URL to redis://user:password@host:port.',
  NOAUTH: 'wants a password. Set REDIS_URL to redis://:password@host:port.',
  NOPERM: 'does not let this user do what Aside needs. Give the user all commands on the keys and channels aside:*.',
  OOM: 'is full (maxmemory). What was saved is kept; give it more memory.',
  MISCONF: 'can’t write to its disk. What was saved is kept; free some space there.',
  READONLY: 'is a replica that takes no writes. Set REDIS_URL to the one that does.',
  LOADING: 'is still reading its data. Try again in a moment.',
  BUSY: 'is busy with a script. Try again in a moment.',
  MASTERDOWN: 'has lost the one it follows. Set REDIS_URL to the one that takes writes.'
}
