// News between processes on one Redis: who hears what, and that every gap is told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CopilotError } from '../../src/shared/errors.ts'
import { openRedisFanout, type RunningFanout } from '../../src/service/fanout/fanout.redis.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'

interface Ear {
  readonly heard: string[]
  missed: number
  readonly end: () => void
}

/** Listens; resolves when the subscription holds. */
async function listen(fanout: RunningFanout, channel: string): Promise<Ear> {
  const heard: string[] = []
  let ring = (): void => undefined
  const holds = new Promise<void>((resolve) => (ring = resolve))
  const hearing = {
    heard: (text: string) => void heard.push(text),
    missed: () => {
      ear.missed += 1
      ring()
    }
  }
  const ear: Ear = { heard, missed: 0, end: fanout.subscribe(channel, hearing) }
  await holds
  ear.missed = 0
  return ear
}

describe.runIf(hasRedisServer)('news between processes', () => {
  let server: RedisServer
  let redis: RedisConnection
  let other: RedisConnection
  const faults: unknown[] = []
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
  let ids = 0
  const open = (connection: RedisConnection): Promise<RunningFanout> =>
    openRedisFanout({ redis: connection, newId: () => `process-${(ids += 1)}:`, onFault: (error) => void faults.push(error) })

  it('reach who listens on their channel in another process, in order, and nobody else', async () => {
    const [here, there] = [await open(redis), await open(other)]
    const [own, first, second, elsewhere] = [
      await listen(here, 'anna'),
      await listen(there, 'anna'),
      await listen(there, 'anna'),
      await listen(there, 'bob')
    ]
    const said = Array.from({ length: 200 }, (_, index) => `${index} Ünicode 🚢\n`)
    for (const text of said) here.publish('anna', text)
    await expect.poll(() => second.heard.length).toBe(200)
    expect([own.heard, first.heard, second.heard, elsewhere.heard]).toEqual([[], said, said, []])
    first.end()
    first.end()
    here.publish('anna', 'after')
    await expect.poll(() => second.heard.at(-1)).toBe('after')
    expect(first.heard).toHaveLength(200)
    await here.stop()
    await there.stop()
  })

  it('keep channels apart that only differ in what can’t be written to Redis', async () => {
    const [here, there] = [await open(redis), await open(other)]
    const [one, two] = [await listen(there, '\ud800'), await listen(there, '\ud801')]
    here.publish('\ud800', 'x')
    await expect.poll(() => one.heard).toEqual(['x'])
    expect(two.heard).toEqual([])
    await here.stop()
    await there.stop()
  })

  it('tell all that they have missed something when one process could not publish', async () => {
    let isCut = false
    const cut = new CopilotError('unavailable', 'Cut.')
    const half: RedisConnection = { ...redis, run: (command, options) => (isCut ? Promise.reject(cut) : redis.run(command, options)) }
    const [here, there] = [await open(half), await open(other)]
    const [ear, bystander] = [await listen(there, 'anna'), await listen(there, 'bob')]
    isCut = true
    here.publish('anna', 'lost')
    await expect.poll(() => faults.includes(cut)).toBe(true)
    expect(ear.missed).toBe(0)
    isCut = false
    await expect.poll(() => [ear.missed, bystander.missed], { timeout: 5_000 }).toEqual([1, 1])
    expect(ear.heard).toEqual([])
    await here.stop()
    await there.stop()
  })

  it('tell who was cut off from Redis that it has missed something, and go on', async () => {
    await using mortal = await startRedis()
    const [first, second] = [await openRedis({ url: mortal.url }), await openRedis({ url: mortal.url })]
    const [here, there] = [await open(first), await open(second)]
    try {
      const ear = await listen(there, 'anna')
      await mortal.kill()
      await mortal.start()
      await expect.poll(() => ear.missed, { timeout: 10_000 }).toBe(1)
      await expect.poll(() => first.isAway).toBe(false)
      here.publish('anna', 'back')
      await expect.poll(() => ear.heard).toEqual(['back'])
    } finally {
      await here.stop()
      await there.stop()
      await first.stop()
      await second.stop()
    }
  })
})
