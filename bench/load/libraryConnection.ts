// A client of npm run load as foreign programs are: socket.io-client itself, over WebSocket.
import { io } from 'socket.io-client'
import type { ConnectionOptions, LoadConnection } from './connection.ts'

/** Resolves when the service has said hello. */
export async function connectLibrary({ port, token, listener }: ConnectionOptions): Promise<LoadConnection> {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], auth: { token }, forceNew: true, reconnection: false })
  await new Promise<void>((resolve, reject) => {
    socket.once('ai_hello', () => resolve())
    socket.once('connect_error', reject)
  })
  socket.on('ai_stream', listener.piece)
  socket.on('error', listener.told)
  socket.on('disconnect', (reason: string) => {
    if (reason !== 'io client disconnect') listener.lost(reason)
  })
  return {
    ask: (request) => void socket.emit('ai_stream', request, (ack: unknown) => listener.acknowledged(request.turn_id, ack)),
    end: () => void socket.disconnect()
  }
}
