// Whoever is sent away hears why on every socket that they have open and on every call under way, whatever its dialect and whichever
// process it is at, and is out; nobody else is.
import { Server } from 'socket.io'
import { status } from '@grpc/grpc-js'
import { v7 as uuidv7 } from 'uuid'
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addClientKey, revokeClientKey } from '../../src/service/auth/clientKeys.ts'
import { wireErrorSchema, type WireError } from '../../src/shared/errors.ts'
import { ERROR_TRAILER } from '../../src/shared/wire/grpc.ts'
import type { Caller } from '../../src/service/auth/caller.ts'
import { openSocketAdapter } from '../../src/service/cluster/socketAdapter.redis.ts'
import { openRedis } from '../../src/service/store/redis.ts'
import { frameClient, type FrameClient } from '../fakes/service-frames.ts'
import { tempFolder, type TempFolder } from '../fakes/service-parts.ts'
import { grpcClient, startHere, toldProvider, type ServiceHere, type ToldProvider } from '../fakes/service-running.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'

interface Heard extends Disposable {
  /** `error` events, then `disconnect`. */
  readonly said: unknown[]
  readonly socket: Socket
  /** Resolves with the reason of the disconnect. */
  readonly closed: Promise<string>
}

async function connect(
  here: ServiceHere,
  token: string,
  transport: 'websocket' | 'polling' = 'websocket',
  more: Partial<ManagerOptions & SocketOptions> = {}
): Promise<Heard> {
  const socket = io(`http://${here.service.http}`, { transports: [transport], auth: { token }, forceNew: true, reconnection: false, ...more })
  const said: unknown[] = []
  socket.on('error', (error: unknown) => said.push(error))
  const closed = new Promise<string>((resolve) => {
    socket.once('disconnect', (reason) => {
      said.push('disconnect')
      resolve(reason)
    })
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('ai_hello', () => resolve())
    socket.once('connect_error', reject)
  })
  return { said, socket, closed, [Symbol.dispose]: () => void socket.disconnect() }
}
const frames = async (here: ServiceHere, token: string, path: string): Promise<FrameClient> => {
  const client = await frameClient(`ws://${here.service.http}${path}`, { token })
  // It has been let in once it is answered.
  client.send(path === '/ws' ? { type: 'ai_status' } : { type: 'nothing' })
  await client.until(() => true)
  return client
}
const erase = async (here: ServiceHere, token: string, path = '/api/v1/me/data'): Promise<number> =>
  (await fetch(`http://${here.service.http}${path}`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })).status
const erased = { code: 4001, errorType: 'processing_error', retry_after: 1, error: { code: 'unavailable' } }
const SOON = { timeout: 10_000 }

/** Erases Anna at one process; what she has open at both is closed, what Bob has is not. */
async function eraseAnna(at: ServiceHere, other: ServiceHere): Promise<void> {
  const [anna, bob] = [await at.token('anna'), await at.token('bob')]
  await using plain = await frames(other, anna, '/ws')
  await using chat = await frames(at, anna, '/api/v1/admin/chat/ws')
  await using bobs = await frames(other, bob, '/ws')
  using first = await connect(at, anna)
  using second = await connect(other, anna)
  using third = await connect(other, anna, 'polling')
  using stays = await connect(other, bob)
  expect(await erase(at, await at.token('boss', 60_000, 'admin'), '/api/v1/persons/anna/data')).toBe(200)
  expect(await Promise.all([first.closed, second.closed, plain.closed, chat.closed])).toEqual([
    'io server disconnect',
    'io server disconnect',
    4001,
    4001
  ])
  await third.closed
  for (const { said } of [first, second, third]) expect(said).toMatchObject([erased, 'disconnect'])
  expect(plain.frames.at(-1)).toMatchObject({ type: 'error', data: erased })
  expect(chat.frames.at(-1)).toMatchObject({ type: 'error', metadata: { code: 4001 } })
  // Whoever has a good token begins anew.
  using again = await connect(other, anna)
  expect(again.socket.connected).toBe(true)
  expect([stays.socket.connected, stays.said]).toEqual([true, []])
  bobs.send({ type: 'ai_status' })
  await bobs.until(({ type }) => type === 'ai_status', 1)
}

interface UnderWay {
  /** Of gRPC: `StreamChat` that names its turn, one that does not, `Chat`. */
  readonly grpc: Promise<readonly { readonly status: number | undefined; readonly error: WireError }[]>
  /** Of HTTP: server-sent events, a chat, a message of the consultant chat. */
  readonly http: Promise<readonly { readonly status: number; readonly told: unknown }[]>
}

/** Calls of every kind that have been let in and wait for a model that says nothing more. */
async function callsUnderWay(here: ServiceHere, token: string, model: ToldProvider): Promise<UnderWay & AsyncDisposable> {
  const client = grpcClient(here.service.grpc, token)
  const before = model.asked.length
  const failureOf = (error: { code?: number; metadata: { get(key: string): unknown[] } } | null) => ({
    status: error?.code,
    error: wireErrorSchema.parse(JSON.parse(String(error?.metadata.get(ERROR_TRAILER)[0])))
  })
  const streamed = ['named', 'base'].map(async (message) => {
    const { error } = await client.stream({ message, turnId: message === 'named' ? uuidv7() : '' })
    return failureOf(error)
  })
  const unary = new Promise<ReturnType<typeof failureOf>>((resolve, reject) => {
    const asked = { message: 'whole', context: {}, userId: '', sessionId: '', turnId: '', quickAction: '' }
    client.client.chat(asked, client.metadata, (error) => (error === null ? reject(new Error('it was answered')) : resolve(failureOf(error))))
  })
  const post = (path: string, body: object): Promise<Response> =>
    fetch(`http://${here.service.http}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  const session = (await (await post('/api/v1/admin/chat/sessions', { client_name: 'Northwind' })).json()) as { session_id: string }
  const http = [
    post('/api/ai/stream', { message: 'streamed' }).then(async (response) => {
      const [, data] = /event: error\ndata: (.*)\n\n$/.exec(await response.text()) ?? []
      return { status: response.status, told: JSON.parse(data ?? 'null') as unknown }
    }),
    ...[post('/api/ai/chat', { message: 'asked' }), post(`/api/v1/admin/chat/sessions/${session.session_id}/messages`, { content: 'written' })].map(
      async (posted) => ({ status: (await posted).status, told: (await (await posted).json()) as unknown })
    )
  ]
  await expect.poll(() => model.asked.length - before, SOON).toBe(6)
  return { grpc: Promise.all([...streamed, unary]), http: Promise.all(http), [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
}

/** Room for more calls at once than people usually have. */
const manyCalls = { AI_RATE_LIMIT_STREAMS_PER_USER: '10' }

const toldOverHttp = (code: string): unknown => ({ error: expect.objectContaining({ code, correlation_id: expect.any(String) }) })

describe('a service that is one process', () => {
  it('ends the calls under way of who is erased, saying why, and of nobody else', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model], environment: manyCalls })
    await using annas = await callsUnderWay(here, await here.token('anna'), model)
    await using bob = grpcClient(here.service.grpc, await here.token('bob'))
    const bobs = bob.stream({ message: 'bob', turnId: uuidv7() })
    await expect.poll(() => model.asked.length, SOON).toBe(7)
    expect(await erase(here, await here.token('anna'))).toBe(200)
    for (const call of await annas.grpc)
      expect(call).toEqual({ status: status.UNAVAILABLE, error: expect.objectContaining({ code: 'unavailable', retryAfterMs: 1_000 }) })
    expect((await annas.http).map((call) => call.status)).toEqual([200, 503, 503])
    for (const { told } of await annas.http) expect(told).toEqual(toldOverHttp('AI_UNAVAILABLE'))
    // Nothing goes on being asked of the model for her.
    expect(model.signals.filter(({ aborted }) => aborted)).toHaveLength(6)
    model.say('hello Bob')
    model.finish()
    const { error, pieces } = await bobs
    expect([error, pieces.map(({ content }) => content).join('')]).toEqual([null, 'hello Bob'])
  })

  it('ends the calls under way of a client key that is revoked, within a second or two', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model], environment: manyCalls })
    const { id, key } = await addClientKey(here.dataDir, { name: 'Spent', now: Date.now(), ttlMs: null })
    await using calls = await callsUnderWay(here, key, model)
    expect(await revokeClientKey(here.dataDir, id, Date.now())).toBe(true)
    for (const call of await calls.grpc)
      expect(call).toEqual({ status: status.UNAUTHENTICATED, error: expect.objectContaining({ code: 'unauthenticated' }) })
    expect((await calls.http).map((call) => call.status)).toEqual([200, 401, 401])
    for (const { told } of await calls.http) expect(told).toEqual(toldOverHttp('UNAUTHENTICATED'))
    // Nobody can come back for an answer.
    await expect.poll(() => model.signals.filter(({ aborted }) => aborted), SOON).toHaveLength(6)
  })

  it('closes all sockets of who is erased, and keeps Socket.IO’s own adapter', async () => {
    await using here = await startHere()
    await eraseAnna(here, here)
  })

  it('closes the sockets of a client key that is revoked, within a second or two', async () => {
    await using here = await startHere()
    const add = (name: string) => addClientKey(here.dataDir, { name, now: Date.now(), ttlMs: null })
    const [lasting, spent] = [await add('Lasting'), await add('Spent')]
    using stays = await connect(here, lasting.key)
    using goes = await connect(here, spent.key)
    await using plain = await frames(here, spent.key, '/ws')
    expect(await revokeClientKey(here.dataDir, spent.id, Date.now())).toBe(true)
    await goes.closed
    expect(await plain.closed).toBe(1008)
    expect(goes.said).toEqual([expect.objectContaining({ code: 1008, errorType: 'auth_failed' }), 'disconnect'])
    expect([stays.socket.connected, stays.said]).toEqual([true, []])
  })
})

describe.skipIf(!hasRedisServer)('services on one Redis', () => {
  let redis: RedisServer
  let keys: TempFolder
  beforeAll(async () => {
    redis = await startRedis()
    keys = await tempFolder()
  })
  afterAll(async () => {
    await redis[Symbol.asyncDispose]()
    await keys[Symbol.asyncDispose]()
  })
  const start = (): Promise<ServiceHere> =>
    startHere({ providers: [toldProvider()], environment: { REDIS_URL: redis.url, ASIDE_KEYS_DIR: keys.path } })

  it('close the sockets of who is erased at any of them, before and after Redis was gone', async () => {
    await using one = await start()
    await using other = await start()
    await eraseAnna(one, other)
    using bob = await connect(other, await one.token('bob'))

    await redis.kill()
    // The erasure fails, and says so; what is at this process is closed all the same.
    using here = await connect(one, await one.token('cora'))
    expect(await erase(one, await one.token('cora'))).toBe(503)
    await here.closed
    expect(here.said).toMatchObject([erased, 'disconnect'])
    // Own sockets go on.
    bob.socket.emit('ai_status', {})
    await new Promise((resolve) => void bob.socket.once('ai_status', resolve))

    await redis.start()
    const ready = async (service: ServiceHere): Promise<number> => (await fetch(`http://${service.service.http}/readyz`)).status
    await expect.poll(async () => [await ready(one), await ready(other)], SOON).toEqual([200, 200])
    await eraseAnna(other, one)
    expect(bob.said).toEqual([])
  }, 30_000)

  it('end the calls under way of who is erased at any of them', async () => {
    const model = toldProvider()
    await using one = await start()
    await using other = await startHere({ providers: [model], environment: { ...manyCalls, REDIS_URL: redis.url, ASIDE_KEYS_DIR: keys.path } })
    await using annas = await callsUnderWay(other, await other.token('anna'), model)
    expect(await erase(one, await one.token('anna'))).toBe(200)
    for (const call of await annas.grpc)
      expect(call).toMatchObject({ status: status.UNAVAILABLE, error: { code: 'unavailable', retryAfterMs: 1_000 } })
    for (const { told } of await annas.http) expect(told).toEqual(toldOverHttp('AI_UNAVAILABLE'))
  })

  it('tell other programs on that Redis who is connected, and no token', async () => {
    await using one = await start()
    const tokens = [await one.token('dora'), await one.token('emil')] as const
    using _dora = await connect(one, tokens[0])
    using _emil = await connect(one, tokens[1], 'polling', { auth: {}, extraHeaders: { authorization: `Bearer ${tokens[1]}` } })
    await using program = new AsyncDisposableStack()
    const connection = await openRedis({ url: redis.url })
    program.defer(() => connection.stop())
    const joined = await openSocketAdapter({ redis: connection, onFault: (error) => expect.unreachable(String(error)) })
    program.defer(() => joined.stop())
    const sockets = new Server({ adapter: joined.adapter })
    program.defer(() => sockets.of('/').adapter.close())
    // Its own subscription comes a moment later.
    await expect.poll(async () => (await sockets.fetchSockets()).length, SOON).toBe(2)
    const seen = await sockets.fetchSockets()
    expect(seen.map(({ data }) => (data as { caller: Caller }).caller.userId).toSorted()).toEqual(['dora', 'emil'])
    const handshakes = JSON.stringify(seen.map(({ handshake, data, rooms }) => ({ handshake, data: data as object, rooms: [...rooms] })))
    expect(handshakes).toContain('polling')
    for (const token of tokens) expect(handshakes).not.toContain(token)
  })
})
