// What joins the Socket.IO servers of all processes to one: the port, as Socket.IO has it.
import type { ServerOptions } from 'socket.io'

/** For one Socket.IO server; rooms then reach over all processes. */
export type SocketAdapter = ServerOptions['adapter']
