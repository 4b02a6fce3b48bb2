// The bus as a Redis stream, with foreign consumers: Redis' own command line, and another client that dies with an action in its hands.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRedisBus } from '../../src/service/actions/bus.redis.ts'
import type { ActionBus } from '../../src/service/actions/bus.ts'
import type { KeptAction } from '../../src/service/actions/outbox.ts'
import { startActionPump } from '../../src/service/actions/pump.ts'
import { createSqliteOutbox } from '../../src/service/actions/outbox.sqlite.ts'
import { targetsSchema } from '../../src/service/actions/targets.ts'
import { createSqliteWorklist } from '../../src/service/actions/worklist.sqlite.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { anAction, anInput, anOutput, toldBus } from '../fakes/action-target.ts'
import { keptLog, never, tempStore } from '../fakes/service-parts.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'

const STREAM = 'aside:actions'
const targets = targetsSchema.parse({ notification: { billing: 'https://billing.example/hook' } })
const kept = (id: string, part: Partial<KeptAction> = {}): KeptAction => ({
  action: anAction({ id, payload: { number: 17, words: 'Ünpaid 🚢\n"x"' } }),
  inputId: 'i1',
  businessId: 'acme',
  state: 'ready',
  attempts: 1,
  nextAt: 0,
  lastError: null,
  endedAt: null,
  ...part
})

describe.runIf(hasRedisServer)('actions on a stream', () => {
  let server: RedisServer
  let redis: RedisConnection
  beforeAll(async () => {
    server = await startRedis()
    redis = await openRedis({ url: server.url })
  })
  afterAll(async () => {
    await redis.stop()
    await server[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await redis.client.flushAll()
  })

  const setUp = (most?: number): { bus: ActionBus; posted: readonly string[] } => {
    const http = toldBus()
    return { bus: createRedisBus({ redis, targets, otherwise: http, ...(most === undefined ? {} : { most }) }), posted: http.sent }
  }
  const group = (name: string): Promise<string> => redis.client.xGroupCreate(STREAM, name, '$', { MKSTREAM: true })
  const cli = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('redis-cli', ['-p', String(server.port), '--json', ...args])).stdout
  const idsOn = async (): Promise<unknown> => (await redis.client.xRange(STREAM, '-', '+'))?.map(({ message }) => message['id'])

  it('go to whoever has a consumer group there, with everything that it needs, and by HTTP while nobody has', async () => {
    const { bus, posted } = setUp()
    await bus.deliver(kept('a1'), never)
    expect(posted).toEqual(['a1'])
    await group('workers')
    await bus.deliver(kept('a2', { attempts: 3 }), never)
    expect(posted).toEqual(['a1'])
    const read = JSON.parse(await cli('XREADGROUP', 'GROUP', 'workers', 'one', 'STREAMS', STREAM, '>')) as Record<string, [string, string[]][]>
    const fields = read[STREAM]?.[0]?.[1] ?? []
    const entry = Object.fromEntries(fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? '']] : [])))
    const payload = JSON.stringify({ number: 17, words: 'Ünpaid 🚢\n"x"' })
    expect(entry).toEqual({
      id: 'a2',
      type: 'notification',
      target: 'billing',
      priority: 'normal',
      payload,
      inputId: 'i1',
      businessId: 'acme',
      attempt: '3'
    })
  })

  it('are taken up by another consumer when the first is killed with them in its hands', async () => {
    await group('workers')
    const { bus } = setUp()
    for (const id of ['a1', 'a2', 'a3']) await bus.deliver(kept(id), never)
    const mortal = await createClient({ url: server.url, RESP: 2 }).connect()
    await mortal.xReadGroup('workers', 'mortal', { key: STREAM, id: '>' }, { COUNT: 2 })
    mortal.destroy()
    const claimed = await redis.client.xAutoClaim(STREAM, 'workers', 'heir', 0, '0')
    const fresh = JSON.parse(await cli('XREADGROUP', 'GROUP', 'workers', 'heir', 'STREAMS', STREAM, '>')) as Record<string, [string, string[]][]>
    expect([...claimed.messages.map((message) => message?.message['id']), fresh[STREAM]?.[0]?.[1]?.[1]]).toEqual(['a1', 'a2', 'a3'])
  })

  it('stay on the stream until every group has acknowledged them, and go then', async () => {
    await group('workers')
    await group('auditors')
    const { bus } = setUp()
    for (const id of ['a1', 'a2', 'a3']) await bus.deliver(kept(id), never)
    const take = async (name: string, acknowledges: boolean): Promise<void> => {
      const read = (await redis.client.xReadGroup(name, 'one', { key: STREAM, id: '>' })) as { messages: { id: string }[] }[] | null
      if (acknowledges) for (const { id } of read?.[0]?.messages ?? []) await redis.client.xAck(STREAM, name, id)
    }
    await take('workers', true)
    await bus.deliver(kept('a4'), never)
    expect(await idsOn()).toEqual(['a1', 'a2', 'a3', 'a4'])
    await take('auditors', false)
    await bus.deliver(kept('a5'), never)
    expect(await idsOn()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5'])
    await redis.client.xAutoClaim(STREAM, 'auditors', 'one', 0, '0').then(async ({ messages }) => {
      for (const message of messages) if (message !== null) await redis.client.xAck(STREAM, 'auditors', message.id)
    })
    await take('workers', true)
    await bus.deliver(kept('a6'), never)
    expect(await idsOn()).toEqual(['a4', 'a5', 'a6'])
  })

  it('wait in the outbox while too many are on the stream, whatever their group does', async () => {
    await group('workers')
    const { bus, posted } = setUp(2)
    await bus.deliver(kept('a1'), never)
    await bus.deliver(kept('a2'), never)
    await expect(bus.deliver(kept('a3'), never)).rejects.toMatchObject({ code: 'unavailable', retryAfterMs: expect.any(Number) })
    expect([await idsOn(), posted]).toEqual([['a1', 'a2'], []])
  })

  it('go nowhere that is not on the list', async () => {
    await group('workers')
    await expect(setUp().bus.deliver(kept('a1', { action: anAction({ target: 'elsewhere' }) }), never)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await idsOn()).toEqual([])
  })

  it('are not lost while Redis is away: the outbox sends them when it is back', async () => {
    await using mortal = await startRedis({ durability: 'always' })
    const connection = await openRedis({ url: mortal.url })
    await using temp = await tempStore()
    const [list, outbox] = [createSqliteWorklist(temp.store), createSqliteOutbox(temp.store)]
    try {
      await connection.client.xGroupCreate(STREAM, 'workers', '$', { MKSTREAM: true })
      await mortal.kill()
      await list.accept(anInput(), 5)
      await list.decided(anOutput({ actions: [anAction({ retryPolicy: { maxAttempts: 20, backoffMs: 20 } })] }), 7)
      const http = toldBus()
      const bus = createRedisBus({ redis: connection, targets, otherwise: http })
      const audit = { record: () => Promise.resolve() }
      const pump = startActionPump({ outbox, bus, audit, clock: { now: Date.now }, random: Math.random, logger: keptLog() })
      try {
        await expect.poll(async () => (await outbox.ofInput('i1'))[0]?.lastError).toMatch(/Redis/)
        await mortal.start()
        await expect.poll(async () => (await outbox.ofInput('i1'))[0]?.state, { timeout: 10_000 }).toBe('done')
        expect((await connection.client.xRange(STREAM, '-', '+'))?.map(({ message }) => message['id'])).toEqual(['i1:a0'])
        expect(http.sent).toEqual([])
      } finally {
        await pump.stop()
      }
    } finally {
      await connection.stop()
    }
  })
})
