// What waits on a Socket.IO connection for a slow reader, so that an answer can wait too instead of filling memory.
import type { Socket } from 'socket.io'
import { CopilotError } from '../../shared/errors.ts'

export interface Outgoing {
  /** Resolves when few enough packets wait, or the signal is aborted. Throws `timeout` when the reader takes nothing for a minute. */
  room(signal: AbortSignal): Promise<void>
}

/** Packets that may wait before the answer does. */
const MOST_WAITING = 64
const SLOW_READER_MS = 60_000

/** Lives as long as the connection. Engine.IO says when it takes a packet and when it has handed all to the transport. */
export function watchOutgoing(connection: Pick<Socket['conn'], 'on' | 'off'>, slowReaderMs = SLOW_READER_MS): Outgoing {
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
    async room(signal) {
      if (signal.aborted || waiting < MOST_WAITING) return
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const timer = setTimeout(
        () => reject(new CopilotError('timeout', 'The client does not read its answer. Connect again to read the rest.')),
        slowReaderMs
      )
      wakers.add(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
      try {
        await promise
      } finally {
        clearTimeout(timer)
        wakers.delete(resolve)
      }
    }
  }
}
