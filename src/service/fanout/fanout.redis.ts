// News between processes by Redis' publish and subscribe: only who listens on a channel is sent what is said there. It forgets, so
// every gap is told: to a process whose subscription was down, and to all when one of them could not publish.
import { createHash } from 'node:crypto'
import type { NewId } from '../../shared/kit/clock.ts'
import { redisKey, type RedisConnection } from '../store/redis.ts'
import type { Fanout, Hearing } from './fanout.ts'

export interface RedisFanoutOptions {
  readonly redis: RedisConnection
  readonly newId: NewId
  /** Told of each subscription or message that failed; what was missed is made good by itself. */
  readonly onFault: (error: unknown) => void
}

export interface RunningFanout extends Fanout {
  stop(): Promise<void>
}

/** Where a process says that it could not say everything. */
const GAPS = redisKey('fanout')
const RETRY_MS = 500

/** Opens a connection of its own for the subscriptions; the caller stops the result, and `redis` after it. Rejects with `unavailable`. */
export async function openRedisFanout({ redis, newId, onFault }: RedisFanoutOptions): Promise<RunningFanout> {
  const own = newId()
  const listening = await redis.duplicate()
  const hearings = new Set<Hearing>()
  let isStopped = false
  let retry: NodeJS.Timeout | null = null

  const tellAllMissed = (): void => {
    for (const { missed } of hearings) missed()
  }
  /** What did not get out is made good by a word to everybody that there was something, as soon as one gets out. */
  const sayGap = (): void => {
    if (retry !== null || isStopped) return
    retry = setTimeout(() => {
      retry = null
      redis.run((client) => client.publish(GAPS, own)).catch(sayGap)
    }, RETRY_MS)
    retry.unref()
  }

  listening.onBack(tellAllMissed)
  try {
    await listening.client.subscribe(GAPS, (from) => {
      if (from !== own) tellAllMissed()
    })
  } catch (error) {
    await listening.stop()
    throw error
  }

  return {
    publish(channel, text) {
      redis
        .run((client) => client.publish(nameOf(channel), own + text))
        .catch((error: unknown) => {
          onFault(error)
          sayGap()
        })
    },
    subscribe(channel, hearing) {
      const name = nameOf(channel)
      const hear = (message: string): void => {
        if (!message.startsWith(own)) hearing.heard(message.slice(own.length))
      }
      hearings.add(hearing)
      let isOver = false
      let again: NodeJS.Timeout | undefined
      const faulty = (error: unknown): void => {
        if (!isStopped) onFault(error)
      }
      const begin = async (): Promise<void> => {
        if (isOver || isStopped) return
        try {
          await listening.client.subscribe(name, hear)
          // What was said before the subscription held is only in the store.
          if (!isOver) hearing.missed()
        } catch (error) {
          faulty(error)
          again = setTimeout(() => void begin(), RETRY_MS)
          again.unref()
        }
      }
      void begin()
      return () => {
        if (isOver) return
        isOver = true
        clearTimeout(again)
        hearings.delete(hearing)
        if (!isStopped) listening.client.unsubscribe(name, hear).catch(faulty)
      }
    },
    async stop() {
      isStopped = true
      if (retry !== null) clearTimeout(retry)
      await listening.stop()
    }
  }
}

/** A digest: channels are named by people's ids, which may hold anything, and two of them must never be one. */
function nameOf(channel: string): string {
  return redisKey('fanout', createHash('sha256').update(JSON.stringify(channel)).digest('base64url'))
}
