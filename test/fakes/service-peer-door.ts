// A TCP door in front of a server in the same process, so that a test can cut what goes through it, shut it and open it
// again on the same port: what a cable, a train tunnel or a crashed service look like to the client.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface Door {
  readonly port: number
  /** Breaks every connection that is open now; new ones are still let in. */
  cut(): void
  /** Breaks every connection and refuses new ones. */
  shut(): Promise<void>
  open(): Promise<void>
}

export async function createDoor(innerPort: number): Promise<Door> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.setNoDelay() // a cable doesn't hold small packets back
    // A destroyed pair reports resets on both ends; the cut itself is what the test is about.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((outer) => {
      const inner = keep(connect(innerPort, '127.0.0.1'))
      keep(outer).pipe(inner).pipe(outer)
      outer.once('close', () => inner.destroy())
      inner.once('close', () => outer.destroy())
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return server
  }
  let server: Server | null = await listen(0)
  const { port } = server.address() as AddressInfo
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port,
    cut,
    async shut() {
      const closing = server
      server = null
      cut()
      if (closing === null) return
      closing.close()
      await once(closing, 'close')
    },
    async open() {
      server ??= await listen(port)
    }
  }
}
