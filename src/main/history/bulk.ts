// The port's calls for taking a history out and bringing one in, page by page, so that neither memory nor anybody's
// question waits for it.
import type { Counts } from '../../shared/domain.ts'

/** Of a longer text that is imported, search reads the beginning: about 40 ms, for which a question has to wait. */
export const MAX_INDEXED_CHARACTERS = 100_000

/** What an export takes: all that is given must hold. Both times inclusive, Unix ms; of messages and of the ledger's rows. */
export interface ExportScope {
  readonly sessionId?: string | undefined
  readonly clientName?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
}

export interface ExportRequest extends ExportScope {
  readonly part: 'transcripts' | 'usage'
  /** Where the page before ended; null: from the beginning. */
  readonly after: ExportCursor | null
}

/** Numbers of this history; of use only to the next call. */
export interface ExportCursor {
  readonly session: number
  /** Of the last message, or the last row of the ledger, that was looked at. */
  readonly position: number
  /** The session itself was written. */
  readonly begun: boolean
}

export interface ExportPage extends Counts {
  /** Records as in records.ts, each on a line, UTF-8. May be empty although more follows. */
  readonly lines: Uint8Array
  /** Rows of the usage ledger in it. */
  readonly usage: number
  /** Null: this was the last page. */
  readonly next: ExportCursor | null
}

export interface BulkHistory {
  /**
   * A page of what the history holds now, oldest session first; sessions and ledger rows in the order in which they were
   * made here. Sessions without a message in the dates asked for are left out.
   */
  exportPage(request: ExportRequest): Promise<ExportPage>
  /** How many messages the transcripts of this scope have at most; dates are not looked at. */
  exportSize(scope: ExportScope): Promise<number>

  /** Which of these sessions are in the history. */
  knownSessions(ids: readonly string[]): Promise<readonly string[]>
  /** Begins an import; what is left of one that was given up is removed first. `conflict` while one is under way. */
  beginImport(): Promise<void>
  /**
   * Adds records (`packRecords`), invisible until `finishImport`. A session that is known, and a ledger row whose turn is,
   * stay as they are: what belongs to them is passed over. `conflict` when no import is under way.
   */
  importRecords(records: Uint8Array): Promise<void>
  /** All that was added becomes visible in one step. Tells what that was. Its words are found once it is indexed. */
  finishImport(): Promise<Counts>
  /** Gives the import up; what was added is removed, now or with the next start. */
  dropImport(): Promise<void>
  /** Indexes a part of what was imported. Tells how many positions are still to be looked at: 0 when all is findable. */
  indexImported(): Promise<number>
}
