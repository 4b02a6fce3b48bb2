// The port of the history while it runs: opened with a key that may come late, closed for a moment while the whole of it is
// exchanged, and worked on by threads of their own.
import type { History } from './history.ts'
import type { Task, TaskResult } from './protocol.ts'
import type { Replacement } from './sqlite/opening.ts'

/** What `exclusively` leaves behind. */
export interface Exchange<T> {
  readonly value: T
  /** Takes the database's place before it is opened again. */
  readonly replacement?: Replacement
  /** To open it with, from now on. */
  readonly keys?: readonly Uint8Array[]
}

export interface RuntimeOpened {
  /** For people; null when all was well. */
  readonly incident: string | null
  /** The one that fits, of those it was opened with. */
  readonly key: Uint8Array
}

export interface HistoryRuntime {
  /** Its calls are refused until it is open, and wait while it is closed for an exchange. */
  readonly history: History
  /** Once. @throws CopilotError as `openHistory`. */
  open(keys: readonly Uint8Array[]): Promise<RuntimeOpened>
  /** Closes the database, does the work, and opens it again, whatever became of the work. */
  exclusively<T>(work: () => Promise<Exchange<T>>): Promise<T>
  /** In a thread of its own. @throws CopilotError; `cancelled` when the signal was aborted */
  runTask(task: Task, signal: AbortSignal, progress: (done: number, total: number) => void): Promise<TaskResult>
}
