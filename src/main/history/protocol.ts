// What the history's client and its workers say to each other. Both run from the same build, so nothing is versioned.
import type { Counts } from '../../shared/domain.ts'
import { toCopilotError, type WireError } from '../../shared/errors.ts'
import type { Replacement } from './sqlite/opening.ts'
import type { LongCall, ShortCall } from './store.ts'

export type WorkerRole = 'writer' | 'reader'

/** Handed to a worker at its start. */
export interface WorkerStart {
  readonly role: WorkerRole
  readonly dataDir: string
}

/** What the database is opened with. */
export interface OpenWith {
  /** The one to be tried first in front. */
  readonly keys: readonly Uint8Array[]
  readonly replacement?: Replacement
}

/** Work on the whole database, for a thread that does only this. `keys`: the present one first. */
export type Task =
  | { readonly kind: 'backup' | 'restore'; readonly file: string; readonly passphrase: string | null; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'rekey'; readonly key: Uint8Array; readonly next: Uint8Array }

export interface TaskStart {
  readonly role: 'task'
  readonly dataDir: string
  readonly now: number
  readonly task: Task
}

/** `backup`: the file's size. `restore` and `rekey`: the database that was made, and what it holds. */
export interface TaskResult {
  readonly bytes: number
  readonly copy: string
  readonly counts: Counts
}

export type FromTask =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'result'; readonly result: TaskResult }
  | { readonly kind: 'failed'; readonly error: CrossedError }

export type HistoryCall = ShortCall | LongCall

/** `now`: the caller's time, Unix ms, so that one clock rules. */
export type ToWorker =
  /** The first message, once. A worker is started ahead of it, since loading its code takes longer than opening. */
  | { readonly kind: 'open'; readonly now: number; readonly with: OpenWith }
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
  | { readonly kind: 'opened'; readonly incident: string | null; readonly key: Uint8Array }
  | { readonly kind: 'refused'; readonly error: CrossedError }
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: CrossedError }

export function crossed(error: unknown): CrossedError {
  const known = toCopilotError(error)
  return { wire: known.toWire(), bug: known.code === 'internal' && error instanceof Error ? (error.stack ?? error.message) : null }
}
