// Reading the audit log: the port of those who may look at it.
import type { Audit } from './audit.ts'
import type { AuditEntry, ChainReport } from './chain.ts'

export interface AuditPage {
  /** At most so many, newest first. */
  readonly limit: number
  /** Only entries before this one. */
  readonly before?: number | undefined
}

/** What was written, as it was written, and whether it still is. */
export interface AuditReader {
  page(page: AuditPage): Promise<readonly AuditEntry[]>
  /** Everything that somebody did or that was done to them, oldest first. */
  entriesOf(userId: string): Promise<readonly AuditEntry[]>
  /** Reads the whole chain, in pieces, so that others get on meanwhile. Several at once are one. */
  verify(): Promise<ChainReport>
}

/** An opened log: its owner records, reads and closes it. */
export interface AuditLog extends Audit, AuditReader {
  /** What happened to a log that could not be opened, for people; null: nothing. */
  readonly incident: string | null
  /** Writes the last head and closes the log. */
  stop(): Promise<void>
}
