// Reads a document somewhere where a hostile one can do no harm: the port between the library and the readers.
import type { DocumentPassage } from './reading/passages.ts'
import type { OnProgress } from './reading/reading.ts'

export interface ReadOptions {
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
  /** The hash of its last reading; the same again is not read. Null: always read. */
  readonly knownHash: string | null
}

export type ReadResult =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'read'
      readonly hash: string
      readonly passages: readonly DocumentPassage[]
      /** `YYYY-MM-DD`, where the document says it. */
      readonly date: string | null
      readonly remarks: readonly string[]
    }
  /** `reason` is a sentence for the document's owner. `hash` null: it was never read as a whole. */
  | { readonly kind: 'unreadable'; readonly hash: string | null; readonly reason: string }

export interface DocumentReader {
  /**
   * One at a time. `name` says by its ending what it is. Rejects with `cancelled` as soon as the signal aborts; whatever
   * the file does is a result.
   */
  read(path: string, name: string, options: ReadOptions): Promise<ReadResult>
  /** Ends what runs. It may be used again. */
  rest(): Promise<void>
}
