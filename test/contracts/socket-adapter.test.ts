// Socket.IO servers joined on one Redis: rooms reach over both, and Redis may go and come back.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Server } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSocketAdapter, SOCKETS } from '../../src/service/cluster/socketAdapter.redis.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { sayThenCloseAll } from '../../src/service/gateway/sayThenClose.ts'
import { createDoor } from '../fakes/service-peer-door.ts'
import { hasRedisServer, startRedis, type RedisServer } from '../servers/redis.ts'

interface Node extends AsyncDisposable {
  readonly io: Server
  readonly redis: RedisConnection
  readonly faults: unknown[]
  /** A client in the room `anna`. */
  client(): Promise<Client>
}
interface Client {
  readonly socket: Socket
  /** The first argument of each `news`, `error` messages, then `disconnect`. */
  readonly heard: unknown[]
}

async function startNode(url: string): Promise<Node> {
  const redis = await openRedis({ url })
  const faults: unknown[] = []
  const joined = await openSocketAdapter({ redis, onFault: (error) => void faults.push(error) })
  const http = createServer()
  const io = new Server(http, { adapter: joined.adapter, serveClient: false })
  io.on('connection', (socket) => void socket.join('anna'))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const clients: Socket[] = []
  return {
    io,
    redis,
    faults,
    async client() {
      const socket = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
        transports: ['websocket'],
        reconnection: false,
        forceNew: true
      })
      clients.push(socket)
      const heard: unknown[] = []
      socket.on('news', (what: unknown) => heard.push(what))
      socket.on('error', ({ message }: { message: string }) => heard.push(message))
      socket.on('disconnect', () => heard.push('disconnect'))
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('connect_error', reject)
      })
      return { socket, heard }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of clients) socket.disconnect()
      await io.close()
      await joined.stop()
      await redis.stop()
    }
  }
}
const SOON = { timeout: 10_000 }

describe.skipIf(!hasRedisServer)('Socket.IO servers on one Redis', () => {
  let redis: RedisServer
  let watching: RedisConnection
  beforeAll(async () => {
    redis = await startRedis()
    watching = await openRedis({ url: redis.url })
  })
  afterAll(async () => {
    await watching.stop()
    await redis[Symbol.asyncDispose]()
  })

  it('have their rooms in common: who is in one is told in order, asked, and closed at both', async () => {
    await using one = await startNode(redis.url)
    await using other = await startNode(redis.url)
    const [here, there] = [await one.client(), await other.client()]
    const said = Array.from({ length: 250 }, (_, index) => `${index} Ünicode 🚢\n`)
    for (const text of said) one.io.in('anna').emit('news', text)
    await expect.poll(() => there.heard.length, SOON).toBe(250)
    expect([here.heard, there.heard]).toEqual([said, said])
    expect(await one.io.in('anna').fetchSockets()).toHaveLength(2)
    one.io.in('nobody').emit('news', 'unheard')
    sayThenCloseAll(one.io, 'anna', { code: 4001, message: 'Go.' })
    await expect
      .poll(() => [here.heard.slice(250), there.heard.slice(250)], SOON)
      .toEqual([
        ['Go.', 'disconnect'],
        ['Go.', 'disconnect']
      ])
  })

  it('say nothing to Redis of what goes to one’s own sockets, and stay below its name and length', async () => {
    await using one = await startNode(redis.url)
    await using other = await startNode(redis.url)
    const there = await other.client()
    const length = (): Promise<number> => watching.run((client) => client.xLen(SOCKETS))
    const before = await length()
    for (let index = 0; index < 21; index += 1) for (const socket of other.io.sockets.sockets.values()) socket.emit('news', index)
    other.io.local.in('anna').emit('news', 'local')
    await expect.poll(() => there.heard.length, SOON).toBe(22)
    expect(await length()).toBe(before)
    await watching.run((client) => Promise.all(Array.from({ length: 12_000 }, () => client.xAdd(SOCKETS, '*', { nsp: '/other' }))))
    one.io.in('anna').emit('news', 'last')
    await expect.poll(() => there.heard.at(-1), SOON).toBe('last')
    expect(await length()).toBeLessThan(10_200)
    const names = [...(await watching.run((client) => client.keys('*'))), ...(await watching.run((client) => client.pubSubChannels('*')))]
    expect(names.filter((name) => !name.startsWith('aside:sockets'))).toEqual([])
    expect(names.length).toBeGreaterThan(1)
  })

  it('go on with their own sockets while Redis is away, neither spinning nor piling up, and reach each other when it is back', async () => {
    await using mortal = await startRedis()
    await using one = await startNode(mortal.url)
    await using other = await startNode(mortal.url)
    const [here, there] = [await one.client(), await other.client()]
    await mortal.kill()
    await expect.poll(() => one.redis.isAway, SOON).toBe(true)
    const [cpu, startedAt] = [process.cpuUsage(), performance.now()]
    for (let index = 0; index < 100; index += 1) one.io.in('anna').emit('news', index)
    await expect.poll(() => here.heard.length, SOON).toBe(100)
    await sleep(1_500)
    const { user, system } = process.cpuUsage(cpu)
    // A loop that only waits for Redis would take all of it.
    expect((user + system) / 1_000 / (performance.now() - startedAt)).toBeLessThan(0.5)
    // One for each emit, and a few of the reader.
    expect(one.faults.length).toBeGreaterThanOrEqual(100)
    expect(one.faults.length).toBeLessThan(110)
    await expect(one.io.in('anna').fetchSockets()).rejects.toMatchObject({ code: 'unavailable' })
    one.io.serverSideEmit('hello')
    await mortal.start()
    await expect.poll(() => [one.redis.isAway, other.redis.isAway], SOON).toEqual([false, false])
    await expect
      .poll(() => {
        one.io.in('anna').emit('news', 'back')
        return there.heard.at(-1)
      }, SOON)
      .toBe('back')
    expect(there.heard.every((what) => what === 'back')).toBe(true)
    // The channels come back on a connection of their own.
    await expect.poll(async () => (await one.io.in('anna').fetchSockets()).length, SOON).toBe(2)
  }, 30_000)

  it('close their own sockets at once while Redis is mute, and the others’ when it speaks again', async () => {
    await using mortal = await startRedis()
    await using one = await startNode(mortal.url)
    await using other = await startNode(mortal.url)
    const [here, there] = [await one.client(), await other.client()]
    mortal.pause()
    sayThenCloseAll(one.io, 'anna', { code: 4001, message: 'Go.' })
    await expect.poll(() => here.heard, { timeout: 2_000 }).toEqual(['Go.', 'disconnect'])
    expect(there.heard).toEqual([])
    mortal.resume()
    await expect.poll(() => there.heard, SOON).toEqual(['Go.', 'disconnect'])
  })

  it('hear what was said while one of them alone was cut off', async () => {
    const door = await createDoor(redis.port)
    await using one = await startNode(redis.url)
    await using other = await startNode(`redis://127.0.0.1:${door.port}`)
    const there = await other.client()
    await door.shut()
    await expect.poll(() => other.redis.isAway, SOON).toBe(true)
    const said = Array.from({ length: 150 }, (_, index) => index)
    for (const index of said) one.io.in('anna').emit('news', index)
    await door.open()
    await expect.poll(() => there.heard, SOON).toEqual(said)
    await door.shut()
  })

  it('pass over an entry that can’t be read, once', async () => {
    await using one = await startNode(redis.url)
    await using other = await startNode(redis.url)
    const there = await other.client()
    const add = (message: Record<string, string>): Promise<string | null> => watching.run((client) => client.xAdd(SOCKETS, '*', message))
    const reads = async (): Promise<number> =>
      Number(/cmdstat_xread:calls=(\d+)/.exec(await watching.run((client) => client.info('commandstats')))?.[1])
    await add({ nsp: '/', type: '3', uid: 'stranger' })
    await add({ nsp: '/', type: '3', uid: 'stranger', data: '{' })
    await add({ words: 'of somebody else' })
    one.io.in('anna').emit('news', 'good')
    await expect.poll(() => there.heard, SOON).toEqual(['good'])
    const before = await reads()
    await sleep(300)
    expect((await reads()) - before).toBeLessThan(5)
  })

  it('stop at once though a read waits, and leave no connection', async () => {
    const connections = async (): Promise<number> => (await watching.run((client) => client.clientList())).length
    // Those of the tests before may still be closing.
    await expect.poll(connections, SOON).toBe(1)
    const node = await startNode(redis.url)
    await node.client()
    expect(await connections()).toBe(1 + 3)
    const startedAt = performance.now()
    await node[Symbol.asyncDispose]()
    expect(performance.now() - startedAt).toBeLessThan(400)
    await expect.poll(connections, SOON).toBe(1)
  })
})
