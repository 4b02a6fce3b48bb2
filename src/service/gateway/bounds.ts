// How much of the service one connection, and one person with many of them, can take up. What is asked is limited
// elsewhere (`admission`); these bound the sockets themselves, so that a flood or a reader who never reads costs little.

export interface Bounds {
  /** Largest frame taken, in bytes; a larger one ends the connection (1009). */
  readonly frameBytes: number
  /** Answers wait once this much is unread, in bytes; at `overflowBytes` the connection is closed. */
  readonly unreadBytes: number
  readonly overflowBytes: number
  /** An answer that waits this long for its reader ends the connection; a named turn goes on and can be resumed. */
  readonly slowReaderMs: number
  /** Messages of one connection: so many at once, and then so many a second. */
  readonly burst: number
  readonly perSecond: number
  /** So many refused messages in a row end the connection, with the code of the last one. */
  readonly refusalsInARow: number
  readonly connectionsPerUser: number
  readonly connections: number
  /** From the connection to the end of its handshake. */
  readonly handshakeMs: number
  /** Between two pings; who has not answered the last one is dropped. */
  readonly heartbeatMs: number
  /** A connection over which nothing is said for so long is closed (1000). */
  readonly idleMs: number
}

export const defaultBounds: Bounds = {
  frameBytes: 1_048_576,
  unreadBytes: 262_144,
  overflowBytes: 4_194_304,
  slowReaderMs: 60_000,
  burst: 200,
  perSecond: 50,
  refusalsInARow: 20,
  connectionsPerUser: 50,
  connections: 5_000,
  handshakeMs: 10_000,
  heartbeatMs: 25_000,
  idleMs: 3_600_000
}
