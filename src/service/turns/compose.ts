// Puts the turns of a service of several processes together: the log on Redis, who owns which turn, and the broker on both.
import type { Random } from '../../shared/kit/clock.ts'
import { errorFields } from '../logging.ts'
import type { Sealer } from '../keys/sealer.ts'
import type { PersonalStore } from '../person/person.ts'
import type { RedisConnection } from '../store/redis.ts'
import { createBroker, type Broker, type BrokerOptions } from './broker.ts'
import { readDurability } from './durability.redis.ts'
import { createHeldTurns } from './heldTurns.ts'
import { openRedisOwnership, type OwnershipTiming } from './ownership.redis.ts'
import { createPatience } from './patience.ts'
import { createRedisTurnStore } from './person.redis.ts'
import type { TurnLog } from './turnLog.ts'
import { createRedisTurnLog } from './turnLog.redis.ts'
import { openTurnNews } from './turnNews.redis.ts'

export interface ComposeTurnsOptions extends Omit<BrokerOptions, 'log' | 'ownership'> {
  /** Stays the caller's. */
  readonly redis: RedisConnection
  /** The same key in all processes; null: questions and answers are in Redis as they are. */
  readonly sealer: Sealer | null
  /** Told how many turns of others this process took up. */
  readonly onTakenUp?: (turns: number) => void
  readonly random?: Random
  /** How long answers under way wait for a Redis that is away. */
  readonly patienceMs?: number
  readonly timing?: Partial<OwnershipTiming>
}

export interface ComposedTurns {
  /** Takes turns up that others left behind from its first `revive` on. */
  readonly broker: Broker
  readonly log: TurnLog
  /** What is kept of a person here, for export and erasure. */
  readonly personal: readonly PersonalStore[]
}

const PATIENCE_MS = 10_000

/** Stopped with `started`, which must happen after the broker is. */
export async function composeTurns(options: ComposeTurnsOptions, started: AsyncDisposableStack): Promise<ComposedTurns> {
  const { redis, sealer, logger, newId, random = Math.random, patienceMs = PATIENCE_MS, timing } = options
  const { writes, evicts } = await readDurability(redis)
  if (writes !== 'always' || evicts) logger.warn({ writes, evicts }, 'redis.durability')

  const hasWaited = new AbortController()
  const held = createHeldTurns(newId())
  const patience = createPatience({ forMs: patienceMs, signal: hasWaited.signal, onBack: redis.onBack })
  const log = createRedisTurnLog({ redis, held, patience, sealer })
  /** Turns may be left by others before this process can take any. */
  let sweep = (): void => undefined
  const news = await openTurnNews({
    redis,
    owner: held.owner,
    onAsked: ({ turnId, userId }) => {
      broker.cancel({ userId, role: 'user', expiresAt: null }, turnId).catch((error: unknown) => logger.error(errorFields(error), 'turns.asked'))
    },
    onLeft: () => sweep(),
    onError: (error) => logger.debug(errorFields(error), 'turns.news')
  })
  started.defer(() => news.stop())
  const ownership = await openRedisOwnership({ redis, held, log, news, patience, logger, random, ...(timing === undefined ? {} : { timing }) })
  started.defer(() => ownership.stop())
  sweep = ownership.sweep
  const broker = createBroker({ ...options, log, ownership })

  return {
    log,
    personal: [createRedisTurnStore({ redis, log })],
    broker: {
      ...broker,
      get liveTurns() {
        return broker.liveTurns
      },
      async revive() {
        ownership.start(async () => {
          const counts = await broker.revive()
          const turns = counts.restarted + counts.ended
          if (turns === 0) return
          logger.info(counts, 'turns.taken_up')
          options.onTakenUp?.(turns)
        })
        return await broker.revive()
      },
      async stop(withinMs) {
        // Whoever must stop can't wait for Redis on top.
        const timer = setTimeout(() => hasWaited.abort(), withinMs)
        await broker.stop(withinMs).finally(() => clearTimeout(timer))
        hasWaited.abort()
      }
    }
  }
}
