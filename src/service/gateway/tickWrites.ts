// WebSockets that write once a tick: what is said to a client within one tick of the event loop leaves in one piece, because a system
// call for each packet costs more than all else that is done for it. The packets themselves stay as they are.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'

type Sent = (error?: Error) => void
type Data = Parameters<WebSocket['send']>[0]
type SendOptions = Parameters<WebSocket['send']>[1]

/**
 * Up to here a sender is told at the end of the tick that it may go on; who brings more is told when it has really left. In bytes, as
 * far as a text's length tells: at most three times that. Must be well below `Bounds.unreadBytes`, whose waiters are woken by being told.
 */
const AHEAD_BYTES = 32_768

/** Connections that hold something back until the end of the tick. */
let holding: TickWebSocket[] = []

function release(): void {
  const released = holding
  holding = []
  for (const socket of released) socket.release()
}

class TickWebSocket extends WebSocket {
  /** What carries the frames; null until the upgrade is done. */
  #carrier: Duplex | null = null
  /** Senders that are told at the end of the tick. */
  #untold: Sent[] = []

  carriedBy(carrier: Duplex): void {
    this.#carrier = carrier
  }

  override send(data: Data, sent?: Sent): void
  override send(data: Data, options: SendOptions, sent?: Sent): void
  override send(data: Data, optionsOrSent?: SendOptions | Sent, last?: Sent): void {
    const [options, sent] = typeof optionsOrSent === 'function' ? [{}, optionsOrSent] : [optionsOrSent ?? {}, last]
    const carrier = this.#carrier
    if (carrier === null) return super.send(data, options, sent)
    if (carrier.writableCorked === 0) {
      carrier.cork()
      if (holding.length === 0) process.nextTick(release)
      holding.push(this)
    }
    const isMuch = this.bufferedAmount + sizeOf(data) >= AHEAD_BYTES
    if (sent === undefined || isMuch || this.readyState !== this.OPEN) return super.send(data, options, sent)
    super.send(data, options)
    this.#untold.push(sent)
  }

  /**
   * The end of the tick. Engine.IO hands on the next packets only when it was told of the last: those that it held back since, all at
   * once, leave with what was sent. Told after the write, each would be a write of its own; told at each, each would be a round of its own.
   */
  release(): void {
    try {
      while (this.#untold.length > 0) {
        const untold = this.#untold
        this.#untold = []
        for (const sent of untold) sent()
      }
    } finally {
      this.#carrier?.uncork()
    }
  }
}

function sizeOf(data: Data): number {
  if (typeof data === 'string') return data.length
  return typeof data === 'object' && 'byteLength' in data ? data.byteLength : AHEAD_BYTES
}

/** Also what Engine.IO can make its WebSockets with: its option `wsEngine`. */
export class TickWebSocketServer extends WebSocketServer<typeof TickWebSocket> {
  constructor(options: ServerOptions<typeof TickWebSocket>) {
    super({ ...options, WebSocket: TickWebSocket })
  }

  override handleUpgrade(
    request: IncomingMessage,
    carrier: Duplex,
    head: Buffer,
    welcome: (client: TickWebSocket, request: IncomingMessage) => void
  ): void {
    super.handleUpgrade(request, carrier, head, (client, asked) => {
      client.carriedBy(carrier)
      welcome(client, asked)
    })
  }
}
