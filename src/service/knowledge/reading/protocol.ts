// What the library's thread is told and says.
import type { DocumentPassage } from './passages.ts'

export interface ReadOrder {
  readonly path: string
  readonly name: string
  readonly knownHash: string | null
  readonly mostBytes: number
}

export type FromReader =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'same' }
  | {
      readonly kind: 'read'
      readonly hash: string
      readonly passages: readonly DocumentPassage[]
      readonly date: string | null
      readonly remarks: readonly string[]
    }
  | { readonly kind: 'unreadable'; readonly hash: string | null; readonly reason: string }
