// What joins the Socket.IO servers of all processes to one: Socket.IO's own adapter on a stream of Redis. The library reads, writes
// and subscribes through what is here, which is safe while Redis is away: nothing spins, nothing piles up, nothing is thrown unheard.
import { createAdapter } from '@socket.io/redis-streams-adapter'
import type { RedisArgument } from 'redis'
import { redisKey, type RedisClient, type RedisConnection } from '../store/redis.ts'
import type { SocketAdapter } from './socketAdapter.ts'

export interface SocketAdapterOptions {
  readonly redis: RedisConnection
  /** Told of each read, entry or subscription that failed; it is tried again by itself, but for what should have been said. */
  readonly onFault: (error: unknown) => void
}

export interface RunningSocketAdapter {
  /** For one Socket.IO server. */
  readonly adapter: SocketAdapter
  stop(): Promise<void>
}

/** The stream, and how its channels begin. */
export const SOCKETS = redisKey('sockets')
/** Roughly so many entries are kept: what a process that was cut off from Redis reads when it is back. */
const KEPT_ENTRIES = 10_000
const READ_AT_ONCE = 100
/** A read comes back empty after this. */
const BLOCK_MS = 5_000
const READ_WITHIN_MS = 2 * BLOCK_MS
const RETRY_MS = 500

interface Entry {
  readonly id: string
  readonly message: Readonly<Record<string, string>>
}
type Batch = readonly { readonly messages: readonly Entry[] }[]

/** Opens two connections of its own; the caller stops the result, and `redis` after it. Rejects with `unavailable`. */
export async function openSocketAdapter({ redis, onFault }: SocketAdapterOptions): Promise<RunningSocketAdapter> {
  const stopping = new AbortController()
  await using opened = new AsyncDisposableStack()
  const reading = await redis.duplicate()
  opened.defer(() => cut(reading))
  const hearing = await redis.duplicate()
  opened.defer(() => hearing.stop())
  /** From here on nothing is missed: also what is said between two reads, or while this process is cut off. */
  let cursor = (await redis.run((own) => own.xRevRange(SOCKETS, '+', '-', { COUNT: 1 })))?.[0]?.id ?? '0-0'
  const entries: Entry[] = []

  const faulty = (error: unknown): void => {
    if (!stopping.signal.aborted) onFault(error)
  }
  const subscribe = async (channels: string[], hear: (payload: Buffer) => void): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        return await hearing.client.subscribe(channels, hear, true)
      } catch (error) {
        faulty(error)
        await pause(stopping.signal)
      }
    }
  }
  const readOn = async (): Promise<void> => {
    try {
      const from = { key: SOCKETS, id: cursor }
      const read = await reading.run((client) => client.xRead(from, { COUNT: READ_AT_ONCE, BLOCK: BLOCK_MS }), { withinMs: READ_WITHIN_MS })
      entries.push(...((read as Batch | null)?.[0]?.messages ?? []))
      cursor = entries.at(-1)?.id ?? cursor
    } catch (error) {
      faulty(error)
      await pause(stopping.signal)
    }
  }

  /** As much of node-redis as the library calls, for all three of its clients. No promise that it leaves lying about is rejected. */
  const client = {
    // By which it knows node-redis; channels are never sharded.
    sSubscribe: (): never => {
      throw new TypeError('sharded channels are not used')
    },
    duplicate: (): object => client,
    on: (): object => client,
    connect: () => Promise.resolve(),
    // Connections are ended by `stop`.
    disconnect: () => Promise.resolve(),
    subscribe,
    publish: (channel: string, payload: Buffer): Promise<unknown> => redis.run((own) => own.publish(channel, payload)).catch(faulty),
    /** The library takes care of a refusal: sockets of this process are reached all the same. */
    xAdd: async (key: string, id: RedisArgument, message: Record<string, string>, options: Parameters<RedisClient['xAdd']>[3]): Promise<string> => {
      try {
        return await redis.run((own) => own.xAdd(key, id, message, options))
      } catch (error) {
        faulty(error)
        throw error
      }
    },
    sendCommand: (words: string[]): Promise<unknown> => redis.run((own) => own.sendCommand(words)),
    /**
     * One entry at a time, and each once: the library asks again and again, at once after a failure, for the last id that went
     * well, so an entry that it can't digest would come for ever.
     */
    xRead: async (): Promise<Batch | null> => {
      if (entries.length === 0) await readOn()
      // It would ask again.
      if (stopping.signal.aborted) return await new Promise(() => undefined)
      const next = entries.shift()
      return next === undefined ? null : [{ messages: [next] }]
    }
  }
  const adapter = createAdapter(client, { streamName: SOCKETS, channelPrefix: SOCKETS, maxLen: KEPT_ENTRIES })
  const connections = opened.move()
  return {
    adapter,
    async stop() {
      stopping.abort()
      await connections.disposeAsync()
    }
  }
}

/** Does not wait for a read that blocks. */
async function cut(connection: RedisConnection): Promise<void> {
  const stopped = connection.stop()
  connection.client.destroy()
  await stopped
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, RETRY_MS)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true }
    )
  })
}
