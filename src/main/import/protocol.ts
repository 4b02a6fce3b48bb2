// What the import's thread and its client say to each other.
import type { ThreadError } from '../threads.ts'
import type { Reading } from './reading.ts'

export interface ImportStart {
  readonly path: string
  /** Hand over the records too, each batch when the one before was taken; otherwise only look. */
  readonly withRecords: boolean
  /** For the sessions that name none. */
  readonly clientName: string
}

export type FromImport =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'records'; readonly records: Uint8Array; readonly done: number; readonly total: number }
  | { readonly kind: 'end'; readonly reading: Reading }
  | { readonly kind: 'error'; readonly error: ThreadError }

/** The batch was taken: go on. */
export const TAKEN = 'taken'
