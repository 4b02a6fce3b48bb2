// What a dialect of JSON frames is to the WebSocket door: the port between them.
import type { DialectMeter } from '../metrics/metrics.ts'
import type { Peer } from './peer.ts'

export interface FrameDialect {
  /** Where it is: the path of the upgrade request. */
  readonly path: string
  readonly meter: DialectMeter
  /** One event as this dialect writes it. */
  frame(type: string, data: object): object
  /** Begins with a client; the result takes its frames, and what it throws or rejects with is told to the client. */
  open(peer: Peer, address: URL): (frame: unknown) => Promise<void>
}
