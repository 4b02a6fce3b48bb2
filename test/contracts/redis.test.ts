// The connection to Redis, against a real one: what people are told, and that nobody waits for a Redis that is away.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRedis, redisKey, type RedisConnection } from '../../src/service/store/redis.ts'
import type { CopilotError } from '../../src/shared/errors.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { hasRedisServer, startRedis } from '../servers/redis.ts'

async function opened(url: string, onError?: (error: CopilotError, kind: string) => void): Promise<RedisConnection & AsyncDisposable> {
  const connection = await openRedis({ url, ...(onError === undefined ? {} : { onError }) })
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.stop() })
}

const back = (connection: RedisConnection): Promise<void> =>
  new Promise((resolve) => {
    const end = connection.onBack(() => {
      end()
      resolve()
    })
  })

describe('an address of Redis', () => {
  it.each(['', 'localhost:6379', 'http://localhost', 'redis://', 'redis://user:hunter2@host:port', 'redis://host/words', '\u0000'])(
    'is refused in one sentence that names the setting and repeats no password: %j',
    async (url) => {
      const error = await openRedis({ url }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'invalid_request' })
      expect(String(error)).toMatch(/^CopilotError: Configuration: REDIS_URL is not an address such as redis:\/\/localhost:6379/)
      expect(String(error)).not.toContain('hunter2')
    }
  )

  it('where nobody is says so at once', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await expect(openRedis({ url: `redis://:hunter2@127.0.0.1:${port}` })).rejects.toMatchObject({
      code: 'unavailable',
      message: `Redis at 127.0.0.1:${port} can't be reached (ECONNREFUSED). What was saved is kept; try again in a moment.`
    })
  })
})

describe.skipIf(!hasRedisServer)('a connection to Redis', () => {
  it('says which password it wants or refuses, without telling it', async () => {
    await using server = await startRedis({ password: 'right' })
    const at = `127.0.0.1:${server.port}`
    const told = async (url: string): Promise<string> => await openRedis({ url }).then(String, (error: unknown) => String(error))
    expect(await told(`redis://${at}`)).toContain(`Redis at ${at} wants a password.`)
    const wrong = await told(`redis://:hunter2@${at}`)
    expect(wrong).toContain(`Redis at ${at} refused the user or password.`)
    expect(wrong).not.toContain('hunter2')
    await using connection = await opened(server.url)
    expect(await connection.run((redis) => redis.ping())).toBe('PONG')
  })

  it('also leads through a socket of the file system', async () => {
    await using folder = await tempFolder()
    const path = join(folder.path, 'redis.sock')
    await using server = await startRedis({ settings: ['--unixsocket', path] })
    await using connection = await opened(`unix://${path}`)
    await connection.run((redis) => redis.set(redisKey('by'), 'socket'))
    await using other = await opened(server.url)
    expect(await other.run((redis) => redis.get(redisKey('by')))).toBe('socket')
    expect(connection.address).toBe(path)
  })

  it('refuses at once while Redis is away, tells of it, and comes back by itself', async () => {
    await using server = await startRedis({ durability: 'always' })
    const faults: string[] = []
    await using connection = await opened(server.url, (_error, kind) => faults.push(kind))
    await connection.run((redis) => redis.set(redisKey('kept'), 'yes'))
    await server.kill()
    const startedAt = performance.now()
    await expect(connection.run((redis) => redis.get(redisKey('kept')))).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 })
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect(connection.steadyMs).toBe(0)
    const there = back(connection)
    await server.start()
    await there
    expect(connection.isAway).toBe(false)
    expect(await connection.run((redis) => redis.get(redisKey('kept')))).toBe('yes')
    expect(new Set(faults)).toEqual(new Set(['connection', 'command']))
  })

  it('gives up on a mute Redis, queues nothing more behind it, and goes on when it speaks again', async () => {
    await using server = await startRedis()
    await using connection = await opened(server.url)
    server.pause()
    await expect(connection.run((redis) => redis.ping(), { withinMs: 50 })).rejects.toMatchObject({ code: 'unavailable' })
    const startedAt = performance.now()
    await expect(connection.run((redis) => redis.ping())).rejects.toThrow('does not answer')
    expect(performance.now() - startedAt).toBeLessThan(50)
    server.resume()
    await expect.poll(() => connection.run((redis) => redis.ping()).catch(() => 'mute')).toBe('PONG')
  })

  it('runs scripts, also when Redis has forgotten them, and leaves their mistakes bugs', async () => {
    await using server = await startRedis()
    await using connection = await opened(server.url)
    const add = connection.script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    expect(await add([redisKey('sum')], ['2'])).toBe(2)
    await connection.run((redis) => redis.scriptFlush())
    expect(await add([redisKey('sum')], ['3'])).toBe(5)
    const wrong = connection.script('return nonsense()')
    await expect(wrong([], [])).rejects.not.toHaveProperty('code')
  })

  it('sends scripts that are asked for together in one call, in order, each with its own answer and its own fault', async () => {
    await using server = await startRedis()
    await using connection = await opened(server.url)
    const push = connection.script("return redis.call('RPUSH', KEYS[1], ARGV[1])")
    const pair = connection.script("return { redis.call('LRANGE', KEYS[1], 0, -1), redis.call('EXISTS', KEYS[2]) }")
    const nothing = connection.script('return false')
    const list = redisKey('list')
    // Redis learns the script first.
    await push([list], ['zero'])
    await connection.run((redis) => redis.configResetStat())
    const wrong = redisKey('wrong')
    const answers = await Promise.allSettled([
      connection.run((redis) => redis.set(wrong, 'text')).then(() => push([wrong], ['x'])),
      push([list], ['one']),
      pair([list, redisKey('nowhere')], []),
      nothing([], []),
      push([list], ['two'])
    ])
    expect(answers.slice(1)).toEqual([2, [['zero', 'one'], 0], null, 3].map((value) => ({ status: 'fulfilled', value })))
    expect(answers[0]).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('WRONGTYPE') } })
    await Promise.allSettled([...Array.from({ length: 1_000 }, (_, index) => push([list], [`${index}`])), push([wrong], ['x'])])
    expect(await connection.run((redis) => redis.lLen(list))).toBe(1_003)
    const commands = await connection.run((redis) => redis.info('commandstats'))
    // The first, the one that came late, and three of at most 512 steps.
    expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(commands)?.[1])).toBeLessThanOrEqual(5)
  })

  it('says when Redis is full', async () => {
    await using server = await startRedis({ settings: ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'] })
    await using connection = await opened(server.url)
    const fill = connection.run((redis) => redis.set(redisKey('big'), 'x'.repeat(2_000_000)))
    await fill.catch(() => undefined)
    await expect(connection.run((redis) => redis.set(redisKey('more'), 'x'))).rejects.toMatchObject({
      code: 'unavailable',
      message: `Redis at 127.0.0.1:${server.port} is full (maxmemory). What was saved is kept; give it more memory.`
    })
    const set = connection.script("return redis.call('SET', KEYS[1], 'x')")
    const [first, second] = await Promise.allSettled([set([redisKey('a')], []), set([redisKey('b')], [])])
    for (const answer of [first, second]) expect(answer).toMatchObject({ reason: { code: 'unavailable', details: { reason: 'OOM' } } })
  })

  it('stops at once, also with a blocked read and with Redis away', async () => {
    await using server = await startRedis()
    const [connection, other] = [await openRedis({ url: server.url }), await openRedis({ url: server.url })]
    const duplicate = await connection.duplicate()
    const blocked = duplicate.run((redis) => redis.blPop(redisKey('never'), 0), { withinMs: 60_000 })
    blocked.catch(() => undefined)
    const startedAt = performance.now()
    await duplicate.stop()
    await expect(blocked).rejects.toMatchObject({ code: 'unavailable' })
    await server.kill()
    await connection.stop()
    await other.stop()
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  })
})
