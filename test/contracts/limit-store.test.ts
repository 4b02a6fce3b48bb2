// The contract of the stores of limits on every adapter; and what only several processes on one Redis can get wrong.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryAnswering } from '../../src/service/limits/answering.memory.ts'
import { createRedisAnswering } from '../../src/service/limits/answering.redis.ts'
import { createMemoryLimitStore } from '../../src/service/limits/limitStore.memory.ts'
import { createRedisLimitStore } from '../../src/service/limits/limitStore.redis.ts'
import type { Charge, LimitStore } from '../../src/service/limits/limitStore.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'
import { answeringContract } from './answering.ts'
import { limitStoreContract } from './limit-store.ts'

const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() }

describe('limits in memory', () => {
  limitStoreContract(async () => ({ store: createMemoryLimitStore(), ...nothing }))
})
describe('answers under way in memory', () => {
  answeringContract(async () => ({ answering: createMemoryAnswering(), ...nothing }))
})

describe.runIf(hasRedisServer)('on Redis', () => {
  let server: RedisServer
  let redis: RedisConnection
  let other: RedisConnection
  beforeAll(async () => {
    server = await startRedis()
    redis = await openRedis({ url: server.url })
    other = await redis.duplicate()
  })
  afterAll(async () => {
    await other.stop()
    await redis.stop()
    await server[Symbol.asyncDispose]()
  })
  const empty = async (): Promise<void> => void (await redis.client.flushAll())
  const aways: unknown[] = []
  const onAway = (error: unknown): void => void aways.push(error)
  const storeOn = (connection: RedisConnection): LimitStore => createRedisLimitStore({ redis: connection, alone: createMemoryLimitStore(), onAway })
  let ids = 0
  const answeringOn = (connection: RedisConnection, leaseMs = 15_000) =>
    createRedisAnswering({ redis: connection, alone: createMemoryAnswering(), newId: () => `lease-${(ids += 1)}`, onAway, leaseMs })

  describe('limits', () => {
    limitStoreContract(
      async () => {
        await empty()
        return { store: storeOn(redis), ...nothing }
      },
      { runs: 60 }
    )

    it('lets two processes that race through no more than the limit', async () => {
      await empty()
      const stores = [storeOn(redis), storeOn(other)] as const
      const minute: Charge = { key: 'k', rule: { kind: 'bucket', limit: 40, windowMs: 60_000, burst: 40 }, cost: 1 }
      const day: Charge = { key: 'd', rule: { kind: 'window', limit: 25, windowMs: 86_400_000 }, cost: 1 }
      const now = Date.now()
      const all = await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? stores[0] : stores[1]).take([minute, day], now)))
      expect(all.filter((shortage) => shortage === null)).toHaveLength(25)
      // All or nothing: those that the day refused took nothing of the minute.
      const left = await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? stores[0] : stores[1]).take([minute], now)))
      expect(left.filter((shortage) => shortage === null)).toHaveLength(15)
    })

    it('counts a day once although the clocks of two processes differ at its turn', async () => {
      await empty()
      const day: Charge = { key: 'd', rule: { kind: 'window', limit: 2, windowMs: 1_000 }, cost: 1 }
      const results = [await storeOn(redis).take([day], 5_999), await storeOn(other).take([day], 6_001), await storeOn(redis).take([day], 5_999)]
      expect(results).toEqual([null, null, null])
      expect(await storeOn(other).take([day], 5_999)).toMatchObject({ index: 0 })
    })

    it('leaves nothing behind that outlives its use by more than a minute', async () => {
      await empty()
      await storeOn(redis).take([{ key: 'k', rule: { kind: 'bucket', limit: 1, windowMs: 10_000, burst: 5 }, cost: 2 }], 5_000)
      const keys = await redis.client.keys('*')
      expect(keys).toEqual(['aside:limit:k'])
      const ttl = await redis.client.pTTL(keys[0] ?? '')
      expect(ttl).toBeGreaterThan(70_000)
      expect(ttl).toBeLessThanOrEqual(80_000)
    })

    it('counts rates alone, refuses what is paid for, and remembers what was used, while Redis is away', async () => {
      await empty()
      aways.length = 0
      await using mortal = await startRedis({ durability: 'always' })
      const connection = await openRedis({ url: mortal.url })
      try {
        const store = storeOn(connection)
        const now = Date.now()
        const rate: Charge = { key: 'r', rule: { kind: 'window', limit: 3, windowMs: 86_400_000 }, cost: 1 }
        const spent: Charge = { key: 's', rule: { kind: 'window', limit: 3, windowMs: 86_400_000 }, cost: 1, spends: true }
        expect(await store.take([rate, spent], now)).toBeNull()
        await mortal.kill()
        const alone = [await store.take([rate], now), await store.take([rate], now), await store.take([rate], now), await store.take([rate], now)]
        expect(alone.map((shortage) => shortage === null)).toEqual([true, true, true, false])
        await expect(store.take([rate, spent], now)).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) })
        await store.add(spent, now)
        await store.seed({ ...spent, cost: 3 }, now)
        expect(aways).toHaveLength(1)

        const back = new Promise<void>((resolve) => void connection.onBack(resolve))
        await mortal.start()
        await back
        // One before the outage, one used in it, one now.
        expect(await store.take([spent], now)).toBeNull()
        expect(await store.take([spent], now)).toMatchObject({ index: 0 })
        expect(await store.take([rate], now)).toBeNull()
      } finally {
        await connection.stop()
      }
    })
  })

  describe('answers under way', () => {
    answeringContract(async () => {
      await empty()
      const answering = answeringOn(redis)
      return { answering, [Symbol.asyncDispose]: async () => answering.stop() }
    })

    it('are counted over all processes', async () => {
      await empty()
      const both = [answeringOn(redis), answeringOn(other)] as const
      const all = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? both[0] : both[1]).begin('anna', 5)))
      const begun = all.filter((end) => end !== null)
      expect(begun).toHaveLength(5)
      begun[0]?.()
      // Given back over the other connection: it may take a moment longer.
      await expect.poll(() => both[1].begin('anna', 5)).not.toBeNull()
      for (const one of both) one.stop()
    })

    it('that a killed process held are free after their lease, those of a living one stay taken', async () => {
      await empty()
      const [living, killed] = [answeringOn(redis, 300), answeringOn(other, 300)]
      expect(await living.begin('anna', 2)).not.toBeNull()
      expect(await killed.begin('anna', 2)).not.toBeNull()
      // A process that is killed renews nothing any more.
      killed.stop()
      expect(await living.begin('anna', 2)).toBeNull()
      await expect.poll(() => living.begin('anna', 2), { timeout: 3_000, interval: 20 }).not.toBeNull()
      const until = Date.now() + 700
      while (Date.now() < until) {
        expect(await killed.begin('anna', 2)).toBeNull()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      living.stop()
    })

    it('are counted by each process alone while Redis is away', async () => {
      await using mortal = await startRedis()
      const connection = await openRedis({ url: mortal.url })
      const answering = answeringOn(connection)
      try {
        expect(await answering.begin('anna', 2)).not.toBeNull()
        await mortal.kill()
        const end = await answering.begin('anna', 1)
        expect(end).not.toBeNull()
        expect(await answering.begin('anna', 1)).toBeNull()
        end?.()
        expect(await answering.begin('anna', 1)).not.toBeNull()
      } finally {
        answering.stop()
        await connection.stop()
      }
    })
  })
})
