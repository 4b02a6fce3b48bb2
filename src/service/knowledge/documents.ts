// Where the documents of clients are kept: the port between the library and the store.
import type { DocumentPassage } from './reading/passages.ts'

export type DocumentOrigin = 'folder' | 'upload'
/** `waiting`: it has yet to be read. */
export type DocumentStage = 'waiting' | 'ready' | 'failed'

/** What makes a document the same one when it comes again. */
export interface DocumentPlace {
  readonly organisation: string
  /** As it is written; empty: for every client of the organisation. */
  readonly client: string
  readonly origin: DocumentOrigin
  /** With its folders below the client's, `/` between them. */
  readonly name: string
}

export interface KeptDocument extends DocumentPlace {
  readonly id: string
  readonly sizeBytes: number
  /** Unix ms, of the file. */
  readonly modifiedAt: number
  readonly addedAt: number
  /** Of what its passages were read from; null: not read, or not as it is now. */
  readonly hash: string | null
  readonly stage: DocumentStage
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly passages: number
  readonly remarks: readonly string[]
}

export type NewDocument = Pick<KeptDocument, keyof DocumentPlace | 'id' | 'sizeBytes' | 'modifiedAt' | 'addedAt' | 'date'>

export interface Reread {
  readonly hash: string
  readonly date: string
  readonly passages: readonly DocumentPassage[]
  readonly remarks: readonly string[]
}

/** Everything is durable when it resolves. */
export interface Documents {
  /** By client, then name. */
  list(organisation: string): Promise<readonly KeptDocument[]>
  waiting(): Promise<readonly KeptDocument[]>
  get(id: string): Promise<KeptDocument | null>
  /** The one at this place is `waiting` afterwards and keeps its id and its passages; else a new one. */
  expect(document: NewDocument): Promise<KeptDocument>
  /** Its file was touched, and says what it said. */
  keep(id: string, file: Pick<KeptDocument, 'sizeBytes' | 'modifiedAt'>): Promise<void>
  /** Puts its passages in the place of its earlier ones, some at a time. Rejects when aborted; it is still `waiting` then. */
  replace(id: string, reread: Reread, signal: AbortSignal): Promise<void>
  /** Its earlier passages stay. */
  fail(id: string, remarks: readonly string[]): Promise<void>
  remove(id: string): Promise<void>
}
