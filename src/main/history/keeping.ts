// The part of the history's port that takes care of what is in it: unsent text, retention, purge, figures.
import type { Draft } from '../../shared/bridge.ts'
import type { Counts, HistoryStatus, PurgeScope } from '../../shared/domain.ts'

/** What happened to the whole of the history, and when. */
export type Event = 'backup' | 'check' | 'snapshot'

/** As the calls of `History`: asynchronous, in order, durable when they resolve. */
export interface HistoryKeeping {
  /** By its place: a session's id, or `overlay`. An empty one is forgotten, and so is one whose turn was accepted already. */
  keepDraft(place: string, draft: Draft): Promise<void>
  drafts(): Promise<Record<string, Draft>>

  /** `days` null: kept until removed by hand. `clientName` empty: every client without a rule of its own. */
  setRetention(clientName: string, days: number | null): Promise<void>
  /** Purges what is older than its client's rule says. A session is as old as its last activity, a message as old as its question. */
  applyRetention(): Promise<Counts>

  purgePreview(scope: PurgeScope): Promise<Counts>
  /** Turns within the scope that have not ended: to be stopped before a purge. */
  unendedTurns(scope: PurgeScope): Promise<readonly string[]>
  /**
   * Removes for good: messages with their turns, outbox rows and drafts, from the file, the log and the index. A session goes
   * with its last message, unless it was active since `before`. The usage ledger keeps its rows, without the titles of
   * sessions that are gone. In slices: other calls go on in between; a crash leaves a part of it for another purge.
   */
  purge(scope: PurgeScope): Promise<Counts>

  /**
   * Reads every page, a few at a time, so that damage is found while there are copies to mend it from. What is found is dealt
   * with as damage that any other call meets.
   */
  checkPages(signal: AbortSignal): Promise<null>

  status(): Promise<Omit<HistoryStatus, 'keyStorage'>>
  /**
   * A copy of the whole begins, and is made: what was noted beside the database, for the day it is damaged, is only needed as
   * long as no copy has it.
   */
  copyBegins(): Promise<void>
  copyMade(): Promise<void>
  noteEvent(event: Event, at: number): Promise<void>
  eventAt(event: Event): Promise<number | null>
}
