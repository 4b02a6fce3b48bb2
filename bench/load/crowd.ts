// The connections of npm run load, all at once: most of them cheap ones, some socket.io-client.
import { connectRaw, type Listener, type LoadConnection } from './connection.ts'
import { connectLibrary } from './libraryConnection.ts'
import { newTimes, recordMs, type Times } from './times.ts'

export interface ConnectOrder {
  /** Of the service's processes; connections take turns. */
  readonly ports: readonly number[]
  /** One for each user; connections take turns. */
  readonly tokens: readonly string[]
  readonly connections: number
  /** So many of them are socket.io-client. */
  readonly library: number
}

export interface Crowd {
  readonly size: number
  readonly tookMs: number
  readonly handshakes: Times
  connection(place: number): LoadConnection
  /** Another connection of the same user, to another process if there is one. */
  siblingOf(place: number): number
  /** Who hears all of them from now on; null: nobody. What was lost meanwhile is told at once. */
  hear(listener: Listener | null): void
  end(): void
}

/** Handshakes at once. */
const CONNECTING = 32

/** Throws when one of them gets no connection. */
export async function gather({ ports, tokens, connections: size, library }: ConnectOrder): Promise<Crowd> {
  let heard: Listener | null = null
  const lost: string[] = []
  const relay: Listener = {
    acknowledged: (turnId, ack) => heard?.acknowledged(turnId, ack),
    piece: (piece) => heard?.piece(piece),
    told: (error) => heard?.told(error),
    lost(reason) {
      if (heard === null) lost.push(reason)
      else heard.lost(reason)
    }
  }
  const connections: LoadConnection[] = []
  const handshakes = newTimes()
  const started = performance.now()
  // The library's are spread over all of them.
  const every = library === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(size / library))
  let next = 0
  const dial = async (): Promise<void> => {
    for (let place = next; place < size; place = next) {
      next += 1
      const options = { port: ports[place % ports.length] ?? 0, token: tokens[place % tokens.length] ?? '', listener: relay }
      const isLibrary = place % every === 0 && place / every < library
      const begun = performance.now()
      connections[place] = await (isLibrary ? connectLibrary(options) : connectRaw(options))
      recordMs(handshakes, performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: CONNECTING }, dial))
  return {
    size,
    tookMs: Math.round(performance.now() - started),
    handshakes,
    connection(place) {
      const connection = connections[place]
      if (connection === undefined) throw new RangeError(`there is no connection ${place}`)
      return connection
    },
    siblingOf(place) {
      const own = Array.from({ length: Math.ceil(size / tokens.length) }, (_, index) => (place % tokens.length) + index * tokens.length)
      const others = own.filter((other) => other < size && other !== place)
      return others.find((other) => other % ports.length !== place % ports.length) ?? others[0] ?? place
    },
    hear(listener) {
      heard = listener
      if (listener !== null) for (const reason of lost.splice(0)) listener.lost(reason)
    },
    end() {
      for (const connection of connections) connection.end()
    }
  }
}
