import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { TickWebSocketServer } from './tickWrites.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

interface Pair {
  /** The service's end. */
  readonly socket: WebSocket
  readonly carrier: Duplex
  readonly port: number
}

/** Accepts one client; `dial` makes it. */
async function accepted(dial: (port: number) => void): Promise<Pair> {
  const http = createServer()
  servers.push(http)
  const door = new TickWebSocketServer({ noServer: true })
  const pair = new Promise<Pair>((resolve) => {
    http.on('upgrade', (request, carrier, head) => {
      door.handleUpgrade(request, carrier, head, (socket) => resolve({ socket, carrier, port }))
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  dial(port)
  return await pair
}

/** A client that takes the upgrade and reads nothing more. */
function dialSilent(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.write(
    'GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
  )
  return socket
}

describe('WebSockets that write once a tick', () => {
  it('carry what is said in one tick in one write, in order, and each message is still one', async () => {
    let client: WebSocket | undefined
    const heard: string[] = []
    const { socket, carrier } = await accepted((port) => {
      client = new WebSocket(`ws://127.0.0.1:${port}`)
      client.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
    })
    const batches: number[] = []
    // What the stream hands to the system at once.
    const writev = (carrier as unknown as { _writev: (chunks: unknown[], done: unknown) => void })._writev.bind(carrier)
    Object.assign(carrier, {
      _writev: (chunks: unknown[], done: unknown) => {
        batches.push(chunks.length)
        writev(chunks, done)
      }
    })
    for (const text of ['a', 'b', 'c']) socket.send(text)
    await Promise.resolve()
    socket.send('d')
    expect(batches).toEqual([])
    if (client === undefined) throw new Error('not dialled')
    while (heard.length < 4) await once(client, 'message')
    expect(heard).toEqual(['a', 'b', 'c', 'd'])
    // A head and a body for each of the four.
    expect(batches).toEqual([8])
    socket.send('e')
    await once(client, 'message')
    expect(batches).toHaveLength(2)
    client.terminate()
  })

  it('take along what a sender held back until it was told', async () => {
    let client: WebSocket | undefined
    const heard: string[] = []
    const { socket, carrier } = await accepted((port) => {
      client = new WebSocket(`ws://127.0.0.1:${port}`)
      client.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
    })
    let writes = 0
    const writev = (carrier as unknown as { _writev: (chunks: unknown[], done: unknown) => void })._writev.bind(carrier)
    Object.assign(carrier, { _writev: (chunks: unknown[], done: unknown) => ((writes += 1), writev(chunks, done)) })
    const waiting = ['b', 'c', 'd']
    const next = (): void => {
      const text = waiting.shift()
      if (text !== undefined) socket.send(text, next)
    }
    socket.send('a', next)
    if (client === undefined) throw new Error('not dialled')
    while (heard.length < 4) await once(client, 'message')
    expect([heard, writes]).toEqual([['a', 'b', 'c', 'd'], 1])
    client.terminate()
  })

  it('let a sender go on at the end of the tick while little waits, and make it wait for a reader who takes nothing', async () => {
    let client: Socket | undefined
    const { socket } = await accepted((port) => (client = dialSilent(port)))
    let told = 0
    socket.send('small', () => (told += 1))
    expect(told).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toBe(1)
    const large = 'x'.repeat(1_000_000)
    for (let count = 0; count < 20; count += 1) socket.send(large, () => (told += 1))
    expect(told).toBe(1)
    expect(socket.bufferedAmount).toBeGreaterThan(19_000_000)
    // Once it reads, everybody is told.
    const all = new Promise<void>((resolve) => socket.send('last', () => resolve()))
    client?.resume()
    await all
    expect(told).toBe(21)
    client?.destroy()
  })

  it('say their last word before they close', async () => {
    let client: WebSocket | undefined
    const heard: string[] = []
    const { socket } = await accepted((port) => {
      client = new WebSocket(`ws://127.0.0.1:${port}`)
      client.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
    })
    socket.send('last word')
    socket.close(4001)
    if (client === undefined) throw new Error('not dialled')
    const [code] = (await once(client, 'close')) as [number]
    expect([code, heard]).toEqual([4001, ['last word']])
  })

  it('tell a sender when the client has gone', async () => {
    let client: Socket | undefined
    const { socket } = await accepted((port) => (client = dialSilent(port)))
    client?.destroy()
    await once(socket, 'close')
    const error = await new Promise<Error | undefined>((resolve) => socket.send('into the void', resolve))
    expect(error).toBeInstanceOf(Error)
  })
})
