// What waits on a connection for a slow reader, so that an answer can wait too instead of filling memory. Counted in what the
// transport can tell: packets for Engine.IO, bytes for a WebSocket.
import type { Socket } from 'socket.io'
import type { WebSocket } from 'ws'
import { CopilotError } from '../../shared/errors.ts'
import type { Bounds } from './bounds.ts'

export interface Outgoing {
  /** So much waits that `room` would have to be waited for. */
  readonly isFull: boolean
  /** Resolves when little enough waits, or the signal is aborted. Throws `timeout` when the reader takes nothing for `slowReaderMs`. */
  room(signal: AbortSignal): Promise<void>
  /** So much waits that nothing more is added. */
  readonly isOverflowing: boolean
}

/** Packets that may wait before the answer does, and before the connection is closed. */
const MOST_PACKETS = 64
const OVERFLOW_PACKETS = 4_096

type Watched = Pick<Bounds, 'slowReaderMs' | 'unreadBytes' | 'overflowBytes'>

/** Lives as long as the connection. Engine.IO says when it takes a packet and when it has handed all to the transport. */
export function watchPackets(connection: Pick<Socket['conn'], 'on'>, { slowReaderMs }: Watched): Outgoing {
  let waiting = 0
  const wakers = new Set<() => void>()
  connection.on('packetCreate', () => {
    waiting += 1
  })
  connection.on('drain', () => {
    waiting = 0
    for (const wake of wakers) wake()
  })
  return {
    get isFull() {
      return waiting >= MOST_PACKETS
    },
    room: async (signal) => {
      if (waiting >= MOST_PACKETS) await drained(wakers, signal, slowReaderMs)
    },
    get isOverflowing() {
      return waiting >= OVERFLOW_PACKETS
    }
  }
}

export interface OutgoingBytes extends Outgoing {
  /** To be called when a frame has left. */
  left(): void
}

export function watchBytes(socket: Pick<WebSocket, 'bufferedAmount'>, { slowReaderMs, unreadBytes, overflowBytes }: Watched): OutgoingBytes {
  const wakers = new Set<() => void>()
  return {
    get isFull() {
      return socket.bufferedAmount >= unreadBytes
    },
    room: async (signal) => {
      if (socket.bufferedAmount >= unreadBytes) await drained(wakers, signal, slowReaderMs)
    },
    get isOverflowing() {
      return socket.bufferedAmount >= overflowBytes
    },
    left() {
      if (socket.bufferedAmount < unreadBytes) for (const wake of wakers) wake()
    }
  }
}

async function drained(wakers: Set<() => void>, signal: AbortSignal, slowReaderMs: number): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(tooSlow()), slowReaderMs)
  const wake = (): void => resolve()
  wakers.add(wake)
  signal.addEventListener('abort', wake, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    wakers.delete(wake)
    signal.removeEventListener('abort', wake)
  }
}

export function tooSlow(): CopilotError {
  return new CopilotError('timeout', 'The client does not read its answers. Connect again to read the rest.', { retryAfterMs: 1_000 })
}
