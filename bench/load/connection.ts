// A client of npm run load that costs next to nothing: Socket.IO's protocol (Engine.IO 4 in WebSocket frames) spoken over a plain
// socket, because a library on the clients' side would take the CPU that the service is measured with.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { AiStreamPiece, AiStreamRequest } from '../../src/shared/wire/socket.ts'

/** What a connection hands on. */
export interface Listener {
  acknowledged(turnId: string, ack: unknown): void
  piece(piece: AiStreamPiece): void
  /** An `error` event; without a turn it is about the connection. */
  told(error: { readonly turn_id?: string; readonly message?: string }): void
  /** It was not us who ended it. */
  lost(reason: string): void
}

export interface LoadConnection {
  ask(request: AiStreamRequest & { readonly turn_id: string }): void
  end(): void
}

export interface ConnectionOptions {
  readonly port: number
  readonly token: string
  readonly listener: Listener
}

/** Resolves when the service has said hello: from then on it takes questions. */
export async function connectRaw({ port, token, listener }: ConnectionOptions): Promise<LoadConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const ready = Promise.withResolvers<void>()
  const asked = new Map<number, string>()
  let nextAck = 0
  let isOpen = false
  let isOver = false
  let left: Buffer = NOTHING

  const over = (reason: string): void => {
    if (isOver) return
    isOver = true
    if (isOpen) listener.lost(reason)
    else ready.reject(new Error(`no connection: ${reason}`))
  }
  const packet = (text: string): void => {
    if (text.startsWith('42')) {
      const [name, data] = JSON.parse(text.slice(2)) as [string, never]
      if (name === 'ai_stream') listener.piece(data)
      else if (name === 'error') listener.told(data)
      else if (name === 'ai_hello') {
        isOpen = true
        ready.resolve()
      }
    } else if (text.startsWith('43')) {
      const at = text.indexOf('[')
      const id = Number(text.slice(2, at))
      const turnId = asked.get(id)
      asked.delete(id)
      // One that nobody waits for is found by the turn's own check: it lacks its own, or has two.
      if (turnId !== undefined) listener.acknowledged(turnId, (JSON.parse(text.slice(at)) as unknown[])[0])
    } else if (text === '2') {
      write(socket, '3')
    } else if (text.startsWith('0')) {
      write(socket, `40${JSON.stringify({ token })}`)
    } else if (text.startsWith('44') || text.startsWith('41') || text.startsWith('1')) {
      over(text)
    }
  }
  socket.on('error', (error) => over(error.message))
  socket.on('close', () => over('closed'))
  socket.once('connect', () => {
    socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`
    )
  })
  let isUpgraded = false
  socket.on('data', (part) => {
    left = left.length === 0 ? part : Buffer.concat([left, part])
    if (!isUpgraded) {
      const end = left.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!left.toString('latin1', 0, 12).endsWith('101')) return over(left.toString('latin1', 0, 200))
      isUpgraded = true
      left = left.subarray(end + 4)
    }
    left = readFrames(left, packet, over)
  })
  await ready.promise
  return {
    ask(request) {
      const id = nextAck
      nextAck += 1
      asked.set(id, request.turn_id)
      write(socket, `42${id}["ai_stream",${JSON.stringify(request)}]`)
    },
    end() {
      isOver = true
      socket.destroy()
    }
  }
}

const NOTHING = Buffer.alloc(0)
const TEXT = 0x81
const CLOSE = 0x88

/** Hands on every whole text frame; returns what is left of a torn one. */
function readFrames(bytes: Buffer, packet: (text: string) => void, over: (reason: string) => void): Buffer {
  let at = 0
  while (bytes.length - at >= 2) {
    const kind = bytes[at]
    let length = bytes[at + 1] ?? 0
    let start = at + 2
    if (length === 126) {
      if (bytes.length - at < 4) break
      length = bytes.readUInt16BE(at + 2)
      start = at + 4
    } else if (length === 127) {
      if (bytes.length - at < 10) break
      length = Number(bytes.readBigUInt64BE(at + 2))
      start = at + 10
    }
    if (bytes.length - start < length) break
    if (kind === TEXT) packet(bytes.toString('utf8', start, start + length))
    else if (kind === CLOSE) over(`close frame ${length < 2 ? '' : bytes.readUInt16BE(start)}`)
    else over(`a frame of kind ${kind}`)
    at = start + length
  }
  // Copied: what is kept must not keep the whole read alive.
  return at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at))
}

/** A client's frames are masked; with a mask of zeros they stay as they are. */
function write(socket: Socket, text: string): void {
  const length = Buffer.byteLength(text)
  const head = length < 126 ? 6 : 8
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = TEXT
  if (length < 126) {
    frame[1] = 0x80 | length
  } else {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  }
  frame.fill(0, head - 4, head)
  frame.write(text, head)
  socket.write(frame)
}
