// The port of what reads a file to be imported.
import type { Reading } from './reading.ts'

export interface ReadHandlers {
  readonly signal: AbortSignal
  /** Bytes read, and in all. */
  readonly onProgress: (done: number, total: number) => void
  /** For the sessions that name none. */
  readonly clientName?: string
  /** Packed records, a batch at a time; the next comes when this one is taken. Absent: the file is only looked at. */
  readonly onRecords?: (records: Uint8Array) => Promise<void>
}

export interface ImportReader {
  /** @throws CopilotError `invalid_request` and others with a sentence for people; `cancelled` when it was stopped. */
  read(path: string, handlers: ReadHandlers): Promise<Reading>
}
