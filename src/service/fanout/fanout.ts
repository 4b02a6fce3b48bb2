// What the processes of one service tell each other while it happens: the port. It carries news, never the only copy of anything:
// whoever may have missed some is told so and reads what is kept.

export interface Hearing {
  /** What another process has published, in its order. Never throws. */
  readonly heard: (text: string) => void
  /** News may have been missed: before the subscription held, or while the way between the processes was down. Never throws. */
  readonly missed: () => void
}

export interface Fanout {
  /** To the other processes; the own one hears nothing of it. What can't be sent is made good by telling all that they have missed something. */
  publish(channel: string, text: string): void
  /** Until the result is called. */
  subscribe(channel: string, hearing: Hearing): () => void
}

/** Of a service that is one process: there is nobody else. */
export const aloneFanout: Fanout = { publish: () => undefined, subscribe: () => () => undefined }
