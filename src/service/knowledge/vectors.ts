// Where the vectors of passages are kept: the port between the meaning of passages and the store.
import type { HeldVectors } from './meaning/protocol.ts'

/** A passage that has no vector of this model yet. */
export interface Unembedded {
  /** 0: the pack. */
  readonly shelf: number
  readonly passage: number
  readonly heading: string
  readonly body: string
}

export interface NewVectors {
  readonly shelf: number
  readonly passage: number
  readonly packed: Uint8Array
}

export interface Page {
  readonly found: readonly Unembedded[]
  /** Where to go on; null: there are no more. */
  readonly next: Position | null
}

export interface Vectors {
  /** Some of the passages without vectors of this model: a short read each time. */
  missing(model: string, from: Position): Page
  /** Durable when it resolves; passages that are gone meanwhile are left out. Resolves with what was kept. */
  save(model: string, vectors: readonly NewVectors[]): Promise<readonly (HeldVectors & { readonly shelf: number })[]>
  /** Those of a shelf after this id, some at a time, by id; fewer than asked for: all. */
  page(model: string, shelf: number, after: number, most: number): readonly HeldVectors[]
  /** Its passage as shelves name it; null: it is gone, or on none of these shelves. */
  passageOf(id: number, shelves: readonly number[]): string | null
  /** Ids that went since the last time this was asked. */
  takeGone(): readonly number[]
}

export interface Position {
  readonly of: 'pack' | 'documents'
  readonly after: number
}

export const START: Position = { of: 'pack', after: 0 }
