// The contract of the caches of answers on every adapter; and what only a cache that processes share can get wrong.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryAnswerCache } from '../../src/service/cache/answerCache.memory.ts'
import { createRedisAnswerCache } from '../../src/service/cache/answerCache.redis.ts'
import type { AnswerCache } from '../../src/service/cache/answerCache.ts'
import { createKeyFileSealer } from '../../src/service/keys/sealer.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { fakeClock } from '../fakes/service-parts.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'
import { anAnswer, answerCacheContract } from './answer-cache.ts'

const TTL_MS = 1_000

describe('in memory', () => {
  answerCacheContract(
    async () => {
      const clock = fakeClock()
      const pass = async (ms: number): Promise<void> => clock.set(clock.now() + ms)
      return { cache: createMemoryAnswerCache({ ttlMs: TTL_MS, clock }), pass, [Symbol.asyncDispose]: () => Promise.resolve() }
    },
    { ttlMs: TTL_MS }
  )
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
  const aways: unknown[] = []
  const cacheOn = (connection: RedisConnection, { key = 'a', most = 200, ttlMs = 60_000 } = {}): AnswerCache =>
    createRedisAnswerCache({
      redis: connection,
      ttlMs,
      sealer: createKeyFileSealer(key.repeat(64)),
      onAway: (error) => void aways.push(error),
      most
    })

  answerCacheContract(
    async () => {
      await redis.client.flushAll()
      const pass = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))
      return { cache: cacheOn(redis, { ttlMs: TTL_MS }), pass, [Symbol.asyncDispose]: () => Promise.resolve() }
    },
    { ttlMs: TTL_MS }
  )

  it('shares answers between processes, and a context that changes at one drops them at all', async () => {
    await redis.client.flushAll()
    const [here, there] = [cacheOn(redis), cacheOn(other)]
    await here.noteContext('anna', 's1', 'context 1')
    await here.set('anna', 'h1', anAnswer())
    expect(await there.get('anna', 'h1')).toEqual(anAnswer())
    await there.noteContext('anna', 's1', 'context 2')
    expect(await here.get('anna', 'h1')).toBeNull()
  })

  it('keeps nothing that can be read, nor opened as another’s', async () => {
    await redis.client.flushAll()
    const cache = cacheOn(redis)
    await cache.set('anna', 'h1', anAnswer())
    expect(await redis.client.keys('*')).toEqual(expect.arrayContaining(['aside:ai_response:anna:h1']))
    const sealed = (await redis.client.get('aside:ai_response:anna:h1')) ?? ''
    expect(sealed).not.toMatch(/harbor|openai/i)
    // Put under another's key by whoever can write there; and ids that become one only on the way to Redis.
    await redis.client.set('aside:ai_response:bob:h1', sealed)
    expect(await cache.get('bob', 'h1')).toBeNull()
    await cache.set('\ud800', 'h1', anAnswer())
    expect(await cache.get('\ud801', 'h1')).toBeNull()
    expect(await cacheOn(redis, { key: 'b' }).get('anna', 'h1')).toBeNull()
  })

  it('keeps no more than so many answers of a user: the oldest go', async () => {
    await redis.client.flushAll()
    const cache = cacheOn(redis, { most: 3 })
    for (let index = 1; index <= 5; index += 1) {
      await cache.set('anna', `h${index}`, anAnswer({ text: String(index) }))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect((await cache.inScope('anna', 's')).map(({ text }) => text)).toEqual(['5', '4', '3'])
    expect(await redis.client.dbSize()).toBe(4)
  })

  it('finds and keeps nothing while Redis is away, but says when something could not be dropped', async () => {
    await using mortal = await startRedis()
    const connection = await openRedis({ url: mortal.url })
    aways.length = 0
    try {
      const cache = cacheOn(connection)
      await cache.set('anna', 'h1', anAnswer())
      await mortal.kill()
      expect(await cache.get('anna', 'h1')).toBeNull()
      await cache.set('anna', 'h1', anAnswer())
      await cache.noteContext('anna', 's1', 'c')
      expect(await cache.inScope('anna', 's')).toEqual([])
      expect(aways).toHaveLength(1)
      await expect(cache.drop('anna')).rejects.toMatchObject({ code: 'unavailable' })
    } finally {
      await connection.stop()
    }
  })
})
