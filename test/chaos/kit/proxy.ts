// The network between the desktop and the service: a TCP proxy that can be cut, closed, silenced, and mended.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  /** `host:port` where it listens, the same for its whole life. */
  readonly address: string
  /** Where connections lead from now on: `host:port`; null: nowhere, as when nothing listens there. */
  lead(to: string | null): void
  /** Ends every connection: with a reset, with an orderly end, or with half of what was to be delivered and then a reset. */
  cut(how: 'reset' | 'end' | 'torn'): void
  /** New connections are turned away until `mend`. */
  refuse(): void
  /** Nothing arrives any more on any connection, nor is any ended: a black hole, until `mend` or a cut. */
  stall(): void
  /** A proxy of a company that lets HTTP pass, but no WebSocket. */
  blockWebSockets(blocked: boolean): void
  /** As good as new; what was held back by a stall arrives. */
  mend(): void
  /** Whether new connections are turned away. */
  refuses(): boolean
  stop(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

export async function createProxy(): Promise<Proxy> {
  const pairs = new Set<Pair>()
  let upstream: { host: string; port: number } | null = null
  let mode: 'open' | 'refusing' | 'stalled' = 'open'
  /** With the next bytes of the service only half of them are passed on, and then the connection is reset. */
  let tearing = false

  let webSocketsBlocked = false

  function pass(from: Socket, to: Socket, pair: Pair, toClient: boolean): void {
    from.on('data', (bytes) => {
      if (webSocketsBlocked && !toClient && /^upgrade: *websocket/im.test(bytes.toString('latin1'))) return drop(pair, 'reset')
      if (tearing && toClient && bytes.length > 1) {
        to.write(bytes.subarray(0, bytes.length >> 1), () => drop(pair, 'reset'))
        from.pause()
        return
      }
      if (!to.write(bytes)) {
        from.pause()
        to.once('drain', () => {
          if (mode !== 'stalled') from.resume()
        })
      }
    })
    from.on('end', () => to.end())
    // Cuts are what it is for: the other side learns of it by its own socket.
    from.on('error', () => drop(pair, 'reset'))
    from.on('close', () => drop(pair, 'end'))
  }

  function drop(pair: Pair, how: 'reset' | 'end'): void {
    if (!pairs.delete(pair)) return
    for (const socket of [pair.client, pair.server]) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  const server = createServer({ allowHalfOpen: false }, (client) => {
    client.on('error', () => client.destroy())
    if (mode === 'refusing' || upstream === null) {
      client.resetAndDestroy()
      return
    }
    const pair: Pair = { client, server: connect(upstream) }
    pairs.add(pair)
    for (const socket of [pair.client, pair.server]) socket.setNoDelay(true)
    pass(pair.client, pair.server, pair, false)
    pass(pair.server, pair.client, pair, true)
    if (mode === 'stalled') hold(pair)
  })
  const hold = ({ client, server }: Pair): void => {
    client.pause()
    server.pause()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(to) {
      const [host = '', port = ''] = to?.split(':') ?? []
      upstream = to === null ? null : { host, port: Number(port) }
    },
    cut(how) {
      if (how === 'torn') tearing = true
      else for (const pair of pairs) drop(pair, how)
    },
    refuse: () => void (mode = 'refusing'),
    stall() {
      mode = 'stalled'
      for (const pair of pairs) hold(pair)
    },
    mend() {
      tearing = false
      if (mode === 'stalled') {
        for (const { client, server } of pairs) {
          client.resume()
          server.resume()
        }
      }
      mode = 'open'
    },
    blockWebSockets(blocked) {
      webSocketsBlocked = blocked
      // What is open may be one.
      if (blocked) for (const pair of pairs) drop(pair, 'reset')
    },
    refuses: () => mode === 'refusing',
    async stop() {
      for (const pair of pairs) drop(pair, 'reset')
      server.close()
      await once(server, 'close')
    }
  }
}
