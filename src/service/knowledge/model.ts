// The model that knows how near texts are in meaning, and holds vectors to compare with: a port, since it is large and slow to
// start.
import type { HeldVectors } from './meaning/protocol.ts'
import type { Near } from './meaning/matrix.ts'

export interface MeaningModel {
  /** Part of what is kept with every vector: those of another model say nothing to this one. */
  readonly version: string
  /** `off`: nothing runs, nothing is held. */
  readonly state: 'off' | 'starting' | 'ready'
  /** Starts it. Resolves once it answers; rejects when it can't. */
  start(): Promise<void>
  /** A vector for each text, one behind the other. Rejects when it is stopped meanwhile. */
  embed(texts: readonly string[]): Promise<Uint8Array>
  /** Of what is held on these shelves. Rejects when it is stopped meanwhile. */
  nearest(texts: readonly string[], shelves: readonly number[], most: number): Promise<readonly Near[]>
  hold(shelf: number, vectors: readonly HeldVectors[]): void
  drop(ids: readonly number[]): void
  /** Gives its memory back, with all that it holds. It may be started again. */
  rest(): Promise<void>
}
