// What the model's thread is told and says.
import type { Near } from './matrix.ts'

export interface HeldVectors {
  readonly id: number
  /** Any number of vectors. */
  readonly packed: Uint8Array
}

export type ToModel =
  | { readonly kind: 'embed'; readonly ticket: number; readonly texts: readonly string[] }
  | {
      readonly kind: 'nearest'
      readonly ticket: number
      readonly texts: readonly string[]
      readonly shelves: readonly number[]
      readonly most: number
    }
  | { readonly kind: 'hold'; readonly shelf: number; readonly vectors: readonly HeldVectors[] }
  | { readonly kind: 'drop'; readonly ids: readonly number[] }

export type FromModel =
  | { readonly kind: 'ready' }
  | { readonly kind: 'embedded'; readonly ticket: number; readonly packed: Uint8Array }
  | { readonly kind: 'near'; readonly ticket: number; readonly near: readonly Near[] }
  | { readonly kind: 'failed'; readonly ticket: number; readonly reason: string }
