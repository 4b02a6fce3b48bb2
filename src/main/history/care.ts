// The port of what is done to the history as a whole: its key, its copies, its replacement. Calls to the history wait while
// the database is closed for it.
import type { Counts } from '../../shared/domain.ts'
import type { KeyStorage } from './key.ts'

/** Told now and then while long work goes on; what is counted is up to the work. */
export interface CareRun {
  readonly signal: AbortSignal
  progress(done: number, total: number | null, text?: string): void
}

/** What was done to the whole history: windows must forget what they have loaded. */
export interface Replaced {
  /** For people: what happened, what was kept; null when all went as it was asked for. */
  readonly incident: string | null
}

export interface HistoryCare {
  keyStorage(): KeyStorage
  /** Sealed with a passphrase that was not given yet: every call to the history is refused. */
  locked(): boolean
  /** @throws CopilotError `unauthenticated` for a wrong one, each one after a longer wait than the last. */
  unlock(passphrase: string, signal: AbortSignal): Promise<void>
  /** @throws CopilotError `unauthenticated` when `current` is not the one that is set. */
  setPassphrase(change: { readonly current: string | null; readonly next: string | null }, signal: AbortSignal): Promise<void>
  /** Encrypts everything with a new key. A crash at any point leaves the old or the new one, whole. */
  rekey(run: CareRun): Promise<void>
  /** Without a passphrase the copy opens only with a key of this history. @returns its size, bytes */
  backup(file: string, passphrase: string | null, run: CareRun): Promise<number>
  /** Verifies first; the present history is set aside. @returns what the copy held */
  restore(file: string, passphrase: string | null, run: CareRun): Promise<Counts>
  /** After a purge: the copies in the data folder still hold what was purged. They are replaced by a fresh one. */
  renewCopies(signal: AbortSignal): Promise<void>
  /** What is due: retention, the daily copy, the daily look at every page. Returns what a person should hear of. */
  tend(signal: AbortSignal): Promise<readonly string[]>
  /** After an unlock, a restore, or when the history had to be opened anew. */
  onReplaced(listener: (replaced: Replaced) => void): () => void
}
