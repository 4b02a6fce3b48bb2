// The one place that ends a socket for a reason. Socket.IO has no public way to set a close code, so the `error` event,
// which carries it, goes out first and the raw connection is closed behind it.
import type { Socket } from 'socket.io'
import type { AiError } from './foreignErrors.ts'

export function sayThenClose(socket: Pick<Socket, 'emit' | 'disconnect' | 'connected'>, error: AiError): void {
  if (!socket.connected) return
  socket.emit('error', error)
  // Engine.IO closes once what was written before has left.
  socket.disconnect(true)
}
