// What the export's thread and its client say to each other: one answer to each message, in order.
import type { ThreadError } from '../threads.ts'

export type ToRender = { readonly kind: 'begin' } | { readonly kind: 'page'; readonly lines: Uint8Array } | { readonly kind: 'end' }
export type FromRender = { readonly kind: 'text'; readonly text: Uint8Array } | { readonly kind: 'error'; readonly error: ThreadError }
