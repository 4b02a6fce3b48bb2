// The history as a store sees it: the port's calls, but at once, and the long ones in steps. What the worker runs.
import type { Counts, PurgeScope, SearchQuery, SearchResult, UsageRange, UsageReport } from '../../shared/domain.ts'
import type { History } from './history.ts'
import type { Steps } from './steps.ts'

type AtOnce<Call> = Call extends (...args: infer Args) => Promise<infer Result> ? (...args: Args) => Result : never
/** Calls that may take longer than a moment. */
export type LongCall =
  'search' | 'usage' | 'purge' | 'applyRetention' | 'checkPages' | 'beginImport' | 'importRecords' | 'dropImport' | 'indexImported'
export type ShortCall = Exclude<keyof History, LongCall | 'close'>

export type HistoryStore = { readonly [Name in ShortCall]: AtOnce<History[Name]> } & {
  search(query: SearchQuery): Steps<SearchResult>
  usage(range: UsageRange): Steps<UsageReport>
  purge(scope: PurgeScope): Steps<Counts>
  applyRetention(): Steps<Counts>
  checkPages(): Steps<null>
  beginImport(): Steps<void>
  importRecords(records: Uint8Array): Steps<void>
  dropImport(): Steps<void>
  indexImported(): Steps<number>
  /** A slice of upkeep, for the moments between calls; true when there is more to do. */
  tend(): boolean
  close(): void
}

export interface StoreOpened {
  readonly store: HistoryStore
  /** The one that fits, of those it was opened with. */
  readonly key: Uint8Array
  readonly incident: string | null
}
