// The turn log's contract on a real Redis, and what only a log for several processes promises.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeyFileSealer } from '../../src/service/keys/sealer.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { CopilotError } from '../../src/shared/errors.ts'
import { createHeldTurns, type HeldTurns } from '../../src/service/turns/heldTurns.ts'
import { createPatience } from '../../src/service/turns/patience.ts'
import { APPEND } from '../../src/service/turns/turnKeys.ts'
import { createRedisTurnLog, type RedisTurnLog } from '../../src/service/turns/turnLog.redis.ts'
import type { TurnRecord } from '../../src/service/turns/turnLog.ts'
import { numbered } from '../fakes/arbitraries.ts'
import { aQuestion, never } from '../fakes/service-parts.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'
import { turnLogContract } from './turn-log.ts'

interface Opened extends AsyncDisposable {
  readonly log: RedisTurnLog
  readonly held: HeldTurns
  readonly redis: RedisConnection
}

const sealer = createKeyFileSealer('5e'.repeat(32))

async function opened(url: string, owner: string, forMs = 5_000): Promise<Opened> {
  const redis = await openRedis({ url })
  const held = createHeldTurns(owner)
  const log = createRedisTurnLog({ redis, held, sealer, patience: createPatience({ forMs, signal: never, onBack: redis.onBack }) })
  return { log, held, redis, [Symbol.asyncDispose]: () => redis.stop() }
}

function aRecord(part: Partial<TurnRecord> = {}): TurnRecord {
  const question = aQuestion()
  return { turnId: question.turnId, userId: 'anna', messageId: 'm', question, createdAt: 1_000, ...part }
}

const twoEvents = (turnId: string) =>
  numbered(turnId, [
    { type: 'accepted', messageId: 'm' },
    { type: 'delta', text: 'half an ans' }
  ])

describe.skipIf(!hasRedisServer)('turn log in Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  turnLogContract(async () => {
    const under = await opened(server.url, 'contract')
    await under.redis.run((client) => client.flushAll())
    return under
  })

  it('keeps a turn for a day and no longer, and its index does not grow by what expires', async () => {
    await using under = await opened(server.url, 'one')
    await under.redis.run((client) => client.flushAll())
    const own = aRecord()
    await under.log.open(own)
    await under.log.append(own.turnId, twoEvents(own.turnId))
    const names = await under.redis.run((client) => client.keys('aside:turn:*'))
    expect(names).toHaveLength(2)
    for (const name of names) {
      const leftMs = await under.redis.run((client) => client.pTTL(name))
      expect(leftMs).toBeGreaterThan(86_390_000)
      expect(leftMs).toBeLessThanOrEqual(86_400_000)
      await under.redis.run((client) => client.pExpire(name, 0))
    }
    expect(await under.log.unfinished()).toEqual([])
    expect(await under.redis.run((client) => client.zCard('aside:turns:unfinished'))).toBe(0)
  })

  it('takes no event from a process that does not hold the turn', async () => {
    await using one = await opened(server.url, 'one')
    await using other = await opened(server.url, 'other')
    const own = aRecord()
    const events = twoEvents(own.turnId)
    await one.log.open(own)
    await expect(other.log.append(own.turnId, events)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('Another process')
    })
    other.held.take(own.turnId, 1)
    await expect(other.log.append(own.turnId, events)).rejects.toMatchObject({ code: 'unavailable' })
    one.held.take(own.turnId, 0)
    await expect(one.log.append(own.turnId, events)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await one.log.read(own.turnId, 0)).toEqual([])
  })

  it('does an append once whose answer was lost and that is sent again', async () => {
    await using under = await opened(server.url, 'one')
    let lost = 0
    const deaf: RedisConnection = {
      ...under.redis,
      script(lua) {
        const run = under.redis.script(lua)
        return async (keys, values) => {
          const reply = await run(keys, values)
          if (lua === APPEND && lost++ === 0) throw new CopilotError('unavailable', 'The connection broke.')
          return reply
        }
      }
    }
    const log = createRedisTurnLog({
      ...under,
      sealer: null,
      redis: deaf,
      patience: createPatience({ forMs: 5_000, signal: never, onBack: () => () => undefined })
    })
    const own = aRecord()
    await log.open(own)
    const events = twoEvents(own.turnId)
    await log.append(own.turnId, events)
    expect(lost).toBe(2)
    expect(await log.read(own.turnId, 0)).toEqual(events)
  })

  it('leaves no word and no name in Redis, and gives nothing to a process with another key', async () => {
    await using under = await opened(server.url, 'one')
    await under.redis.run((client) => client.flushAll())
    const own = aRecord({ userId: 'anna.schmidt', question: aQuestion({ text: 'What does Harbor cost?' }) })
    await under.log.open(own)
    await under.log.append(own.turnId, twoEvents(own.turnId))
    const names = await under.redis.run((client) => client.keys('*'))
    const dumps = await Promise.all(names.map((name) => under.redis.run((client) => client.sendCommand(['DUMP', name]))))
    const all = [...names, ...dumps.map(String)].join('\n')
    expect(all).toContain(own.turnId)
    for (const word of ['Harbor', 'schmidt', 'half an ans']) expect(all).not.toContain(word)
    const { redis, held } = under
    const patience = createPatience({ forMs: 0, signal: never, onBack: redis.onBack })
    const stranger = createRedisTurnLog({ redis, held, patience, sealer: createKeyFileSealer('00'.repeat(32)) })
    await expect(stranger.find(own.turnId)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('token-key.json') })
    await expect(stranger.read(own.turnId, 0)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('forgets all turns of one person and none of another', async () => {
    await using under = await opened(server.url, 'one')
    await under.redis.run((client) => client.flushAll())
    const [first, second, others] = [aRecord(), aRecord({ createdAt: 2_000 }), aRecord({ userId: 'bob' })]
    for (const one of [second, first, others]) await under.log.open(one)
    await under.log.append(first.turnId, twoEvents(first.turnId))
    expect(await under.log.turnsOf('anna')).toEqual([first.turnId, second.turnId])
    expect(await under.log.erase('anna')).toBe(2)
    expect(await under.log.erase('anna')).toBe(0)
    expect(await under.log.find(first.turnId)).toBeNull()
    const left = await under.redis.run((client) => client.keys('aside:*'))
    expect(left.filter((name) => name.includes(first.turnId) || name.includes(second.turnId))).toEqual([])
    expect((await under.log.unfinished()).map(({ turnId }) => turnId)).toEqual([others.turnId])
  })
})

describe.skipIf(!hasRedisServer)('turn log in a Redis that dies', () => {
  it('still has everything that was said to be durable after kill -9 of Redis, in the midst of appends', { timeout: 30_000 }, async () => {
    await using server = await startRedis({ durability: 'always' })
    const durable = new Map<string, number>()
    const turns = Array.from({ length: 20 }, () => aRecord())
    {
      await using under = await opened(server.url, 'one', 0)
      for (const turn of turns) await under.log.open(turn)
      let appended = 0
      const killed = Promise.withResolvers<void>()
      const writing = turns.map(async ({ turnId }) => {
        for (let seq = 1; ; seq += 1) {
          await under.log.append(turnId, [{ type: 'delta', text: `piece ${seq}`, turnId, seq, at: 1 }])
          durable.set(turnId, seq)
          if (++appended === 300) server.kill().then(killed.resolve, killed.reject)
        }
      })
      const ends = await Promise.allSettled(writing)
      for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } })
      await killed.promise
    }
    await server.start()
    await using again = await opened(server.url, 'one')
    for (const [turnId, seq] of durable) {
      const events = await again.log.read(turnId, 0)
      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
      // One more may have been written whose answer was lost.
      expect([seq, seq + 1]).toContain(events.length)
    }
    expect(durable.size).toBe(turns.length)
  })

  it('waits for a Redis that starts again in mid-answer, and then has each append once', async () => {
    await using server = await startRedis({ durability: 'always' })
    await using under = await opened(server.url, 'one', 15_000)
    const own = aRecord()
    await under.log.open(own)
    const events = Array.from({ length: 60 }, (_, index) => ({ type: 'delta' as const, text: `${index}`, turnId: own.turnId, seq: index + 1, at: 1 }))
    let restarted: Promise<void> = Promise.resolve()
    for (const event of events) {
      const appending = under.log.append(own.turnId, [event])
      if (event.seq % 20 === 0) restarted = server.kill().then(() => server.start())
      await appending
      await restarted
    }
    expect(await under.log.read(own.turnId, 0)).toEqual(events)
  })

  it('gives up after its patience, and says so', async () => {
    await using server = await startRedis()
    await using under = await opened(server.url, 'one', 300)
    const own = aRecord()
    await under.log.open(own)
    await server.kill()
    await expect(under.log.append(own.turnId, twoEvents(own.turnId))).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 })
    await expect(under.log.open(aRecord())).rejects.toMatchObject({ code: 'unavailable' })
  })
})
