// Reading the audit log: the port of those who may look at it.
import type { AuditEntry, ChainReport } from './chain.ts'

export interface AuditPage {
  /** At most so many, newest first. */
  readonly limit: number
  /** Only entries before this one. */
  readonly before?: number | undefined
}

/** What was written, as it was written, and whether it still is. */
export interface AuditReader {
  page(page: AuditPage): readonly AuditEntry[]
  /** Everything that somebody did or that was done to them, oldest first. */
  entriesOf(userId: string): readonly AuditEntry[]
  /** Reads the whole chain, in pieces, so that others get on meanwhile. Several at once are one. */
  verify(): Promise<ChainReport>
}
