// The port of the link to the AI service: station 7 on the way of a question. One adapter per transport, one supervisor
// that chooses among them; all have the shape of `Ask`.
import type { LinkStatus } from '../../shared/domain.ts'
import type { Ask, Question } from '../../shared/turn.ts'

export interface ServiceHello {
  readonly version: string | null
  /** 0: a peer that knows only the base fields: no resume, no replay, no cancel by turn id. */
  readonly protocol: number
  readonly answeredBy: string | null
  /** What carries it right now. */
  readonly via: NonNullable<LinkStatus['transport']>
}

/** One transport to one service. */
export interface Transport {
  readonly kind: 'grpc' | 'socket'
  /**
   * Streams a turn. Throws `CopilotError`: `offline` when the service can't be reached or the link was cut (the turn can
   * be resumed with `afterSeq` where the peer's protocol is 1 or more), otherwise the service's own error. From a base
   * peer the pieces are numbered here: `accepted`, deltas, `done`.
   */
  readonly ask: Ask
  /** Ends the turn for everyone. Resolves false where the peer can't. */
  cancel(turnId: string, signal: AbortSignal): Promise<boolean>
  /** Round trip to the service; throws like `ask`. */
  hello(signal: AbortSignal): Promise<ServiceHello>
  /** Of the peer, as last seen; 0 before anything was. An answer may show more than a hello that came late. */
  protocol(): number
  /** Called when an established connection broke, also while nobody asks; returns the function that ends it. */
  onLost(listener: () => void): () => void
  /** Lets go of the connection; streams under way end with `offline`. The next call connects anew. */
  drop(): void
  stop(): Promise<void>
}

export interface Link {
  readonly ask: Ask
  /**
   * Whether the service has this turn, without asking it anew. False also where a base peer can't say.
   * @throws CopilotError like `ask`.
   */
  knows(question: Question, signal: AbortSignal): Promise<boolean>
  cancel(turnId: string, signal: AbortSignal): Promise<boolean>
  status(): LinkStatus
  /** Called with every change; returns the function that ends it. */
  onStatus(listener: (status: LinkStatus) => void): () => void
  /** Try now: the person asked, the machine woke up, the network changed. */
  recheck(): void
  stop(): Promise<void>
}

/**
 * Where the service is. `token` is asked for before each connection and again after `unauthenticated`. The doors are
 * read anew for each connection: the embedded service has others after each of its starts.
 */
export interface ServiceAddress {
  /** `host:port`, or null when this service has no such door. */
  readonly grpc: string | null
  /** `http://host:port`, or null. */
  readonly http: string | null
  readonly secure: boolean
  readonly embedded: boolean
  token(options: { readonly refresh: boolean; readonly signal: AbortSignal }): Promise<string | null>
}
