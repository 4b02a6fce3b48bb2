// What the history's client and its workers say to each other. Both run from the same build, so nothing is versioned.
import type { WireError } from '../../shared/errors.ts'
import type { LongCall, ShortCall } from './store.ts'

export type WorkerRole = 'writer' | 'reader'

/** Handed to a worker at its start. */
export interface WorkerStart {
  readonly role: WorkerRole
  readonly dataDir: string
  readonly key: Uint8Array
}

export type HistoryCall = ShortCall | LongCall

/** `now`: the caller's time, Unix ms, so that one clock rules. */
export type ToWorker =
  /** The first message, once. A worker is started ahead of it, since loading its code takes longer than opening. */
  | { readonly kind: 'open'; readonly now: number }
  | { readonly kind: 'call'; readonly id: number; readonly now: number; readonly call: HistoryCall; readonly args: readonly unknown[] }
  /** Gives up a long call; its answer is then `cancelled`. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** Finishes what is under way, closes the database and ends the worker. */
  | { readonly kind: 'close'; readonly id: number }

/** An error and, for a bug, where it was: the workers are threads of this process, so its stack may be logged here. */
export interface CrossedError {
  readonly wire: WireError
  readonly bug: string | null
}

export type FromWorker =
  | { readonly kind: 'opened'; readonly incident: string | null }
  | { readonly kind: 'refused'; readonly error: CrossedError }
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: CrossedError }
