// How a socket dialect is reached: a plain WebSocket, a Socket.IO one by hand, or Socket.IO's long polling by hand. By hand,
// because a client library would not send what is fuzzed here.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { Pool } from 'undici'
import { WebSocket } from 'ws'
import { GOOD_MS, within, type Target } from './fuzz.ts'
import { hostileBytes, type Chance } from './hostile.ts'

export type Outgoing = string | { readonly bytes: Buffer; readonly isText: boolean }

export interface Connection {
  send(message: Outgoing): void
  /** Resolves with the close code, or the HTTP status of what ended it; 0 when this side did. */
  readonly closed: Promise<number>
  readonly isOpen: boolean
  /** Everything that was given to `send` is on its way. */
  flushed(): Promise<void>
  end(): Promise<void>
}

/** `onMessage` hears every frame from the first one on. */
export type Dial = (target: Target, onMessage: (text: string) => void) => Promise<Connection>

export function webSocketAt(path: string): Dial {
  return async ({ http, person }, onMessage) => {
    const socket = new WebSocket(`ws://${http}${path}`, { headers: { authorization: `Bearer ${person.token}` }, perMessageDeflate: false })
    // What the service ends, it ends: `closed` tells.
    socket.on('error', () => undefined)
    const closed = new Promise<number>((resolve) => void socket.once('close', resolve))
    socket.on('message', (data: Buffer) => onMessage(data.toString()))
    await within(GOOD_MS, 'no connection', Promise.race([new Promise((resolve) => void socket.once('open', () => resolve(null))), closed]))
    return {
      closed,
      get isOpen() {
        return socket.readyState === WebSocket.OPEN
      },
      send(message: Outgoing) {
        if (socket.readyState !== WebSocket.OPEN) return
        if (typeof message === 'string') socket.send(message)
        else socket.send(message.bytes, { binary: !message.isText })
      },
      flushed: () => new Promise<void>((resolve) => void setImmediate(resolve)),
      async end() {
        socket.terminate()
        await closed
      }
    }
  }
}

const ENGINE = '/socket.io/?EIO=4&transport='

/** Engine.IO's opening, pong and noop; Socket.IO's goodbye and its refusal of a namespace. */
const isOfEngine = (text: string): boolean => /^(?:[036]|41|44)/.test(text)

/** Waits for the namespace's greeting; answers pings. */
async function greeted(dial: Dial, target: Target, onMessage: (text: string) => void): Promise<Connection> {
  let greet = (): void => undefined
  const greeting = new Promise<void>((resolve) => (greet = resolve))
  const connection: Connection = await dial(target, (text) => {
    if (text === '2') connection.send('3')
    else if (text.startsWith('40')) greet()
    else if (!isOfEngine(text)) onMessage(text)
  })
  connection.send(`40${JSON.stringify({ token: target.person.token })}`)
  await within(GOOD_MS, 'no greeting', greeting)
  return connection
}

export const socketIoWebSocket: Dial = (target, onMessage) => greeted(webSocketAt(`${ENGINE}websocket`), target, onMessage)
export const socketIoPolling: Dial = (target, onMessage) => greeted(poll, target, onMessage)

/** Packets of one POST are told apart by this character (Engine.IO 4). */
const SEPARATOR = '\u001e'
const PACKETS_OF_A_POST = 16

async function poll({ http }: Target, onMessage: (text: string) => void): Promise<Connection> {
  const pool = new Pool(`http://${http}`, { connections: 2, pipelining: 1 })
  const first = await (await pool.request({ method: 'GET', path: `${ENGINE}polling` })).body.text()
  const { sid } = JSON.parse(first.slice(1)) as { sid: string }
  const path = `${ENGINE}polling&sid=${sid}`
  const { promise: closed, resolve: close } = Promise.withResolvers<number>()
  const over = new AbortController()
  const isOpen = (): boolean => !over.signal.aborted
  const ended = (code: number): void => {
    over.abort()
    close(code)
  }
  const waiting: Outgoing[] = []
  const flush = async (): Promise<void> => {
    while (waiting.length > 0 && isOpen()) {
      const packets = waiting.splice(0, PACKETS_OF_A_POST)
      const body = packets.map((packet) => (typeof packet === 'string' ? packet : packet.bytes.toString('latin1'))).join(SEPARATOR)
      const { statusCode, body: answer } = await pool.request({ method: 'POST', path, body, headers: { 'content-type': 'text/plain;charset=UTF-8' } })
      await answer.dump()
      if (statusCode !== 200) ended(statusCode)
    }
  }
  let posting = Promise.resolve()
  // One POST at a time; what ends the pool ends the connection.
  const post = (): Promise<void> => (posting = posting.then(flush).catch(() => ended(0)))
  const listen = async (): Promise<void> => {
    while (isOpen()) {
      const { statusCode, body } = await pool.request({ method: 'GET', path })
      const text = await body.text()
      if (statusCode !== 200) return ended(statusCode)
      for (const packet of text.split(SEPARATOR)) {
        if (packet === '1') return ended(200)
        onMessage(packet)
      }
    }
  }
  listen().catch(() => ended(0))
  return {
    closed,
    get isOpen() {
      return isOpen()
    },
    send(message) {
      waiting.push(message)
      // Packets of one tick go together.
      if (waiting.length === 1) setImmediate(() => void post())
    },
    flushed: post,
    async end() {
      // A polling client that only goes is waited for.
      if (isOpen()) {
        waiting.push('1')
        await post()
      }
      ended(0)
      await pool.destroy()
    }
  }
}

/** Bytes that are no WebSocket frames, behind a good handshake: the connection must end. */
export async function rawFrames(path: string, { http, person }: Target, chance: Chance): Promise<void> {
  const [host = '', port = '0'] = http.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => undefined)
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${http}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nAuthorization: Bearer ${person.token}\r\n\r\n`
  )
  const opcode = chance.below(16)
  socket.write(Buffer.concat([Buffer.from([(chance.below(16) << 4) | opcode, chance.below(256)]), hostileBytes(chance, 200)]))
  socket.end()
  socket.resume()
  // Also by a reset, which `events.once` would take for a failure.
  await within(GOOD_MS, 'garbage kept the connection open', new Promise((resolve) => void socket.once('close', resolve)))
}
