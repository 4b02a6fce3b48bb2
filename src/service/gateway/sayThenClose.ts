// The one place that ends Socket.IO's sockets for a reason. It has no public way to set a close code, so the `error` event,
// which carries it, goes out first and the raw connection is closed behind it.
import type { Server, Socket } from 'socket.io'
import type { AiError } from './foreignErrors.ts'

export function sayThenClose(socket: Pick<Socket, 'emit' | 'disconnect' | 'connected'>, error: AiError): void {
  if (!socket.connected) return
  socket.emit('error', error)
  // Engine.IO closes once what was written before has left.
  socket.disconnect(true)
}

/** To everybody in a room: here at once, whatever becomes of Redis; at the other processes as soon as the adapter has told them. */
export function sayThenCloseAll(io: Pick<Server, 'local' | 'in'>, room: string, error: AiError): void {
  for (const audience of [io.local.in(room), io.in(room)]) {
    audience.emit('error', error)
    audience.disconnectSockets(true)
  }
}
