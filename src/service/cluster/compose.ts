// What the processes of one service share through Redis, put together: counts of limits, cached answers, news, rooms of Socket.IO.
// A process that runs alone keeps the same in its memory.
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import type { SigningKeys } from '../auth/keys.ts'
import { createMemoryAnswerCache } from '../cache/answerCache.memory.ts'
import { createRedisAnswerCache } from '../cache/answerCache.redis.ts'
import type { AnswerCache } from '../cache/answerCache.ts'
import { openRedisFanout } from '../fanout/fanout.redis.ts'
import { aloneFanout, type Fanout } from '../fanout/fanout.ts'
import { sharedSealer } from '../keys/sharedSealer.ts'
import { createMemoryAnswering } from '../limits/answering.memory.ts'
import { createRedisAnswering } from '../limits/answering.redis.ts'
import type { Answering } from '../limits/answering.ts'
import { createMemoryLimitStore } from '../limits/limitStore.memory.ts'
import { createRedisLimitStore } from '../limits/limitStore.redis.ts'
import type { LimitStore } from '../limits/limitStore.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { RedisConnection } from '../store/redis.ts'
import { openSocketAdapter } from './socketAdapter.redis.ts'
import type { SocketAdapter } from './socketAdapter.ts'

export interface ClusterParts {
  /** Null: this process runs alone. */
  readonly redis: RedisConnection | null
  readonly keys: SigningKeys
  readonly cacheTtlMs: number
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
}

export interface Cluster {
  readonly limitStore: LimitStore
  readonly answering: Answering
  readonly answerCache: AnswerCache
  readonly fanout: Fanout
  /** Null: Socket.IO's own, in memory. */
  readonly socketAdapter: SocketAdapter | null
}

/** What is started is stopped with `started`, before Redis. Throws `unavailable` when Redis can't be reached. */
export async function composeCluster(parts: ClusterParts, started: AsyncDisposableStack): Promise<Cluster> {
  const { redis, keys, cacheTtlMs, clock, newId, logger } = parts
  const alone = { limitStore: createMemoryLimitStore(), answering: createMemoryAnswering() }
  if (redis === null) {
    return { ...alone, answerCache: createMemoryAnswerCache({ ttlMs: cacheTtlMs, clock }), fanout: aloneFanout, socketAdapter: null }
  }

  const away = (what: string) => (error: unknown) => logger.warn({ what, ...errorFields(error) }, 'redis.without')
  const answering = createRedisAnswering({ redis, alone: alone.answering, newId, onAway: away('answers under way') })
  started.defer(() => answering.stop())
  const fanout = await openRedisFanout({ redis, newId, onFault: (error) => logger.debug(errorFields(error), 'fanout.fault') })
  started.defer(() => fanout.stop())
  const sockets = await openSocketAdapter({ redis, onFault: (error) => logger.debug(errorFields(error), 'sockets.fault') })
  started.defer(() => sockets.stop())
  return {
    limitStore: createRedisLimitStore({ redis, alone: alone.limitStore, onAway: away('limits') }),
    answering,
    answerCache: createRedisAnswerCache({
      redis,
      ttlMs: cacheTtlMs,
      sealer: await sharedSealer(keys, 'answer cache'),
      onAway: away('cached answers')
    }),
    fanout,
    socketAdapter: sockets.adapter
  }
}
