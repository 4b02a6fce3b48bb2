// What is due for the history, and when. Pure.

/** Automatic copies that are kept: the newest of each of the last days. */
export const SNAPSHOTS_KEPT = 3
const DAY_MS = 86_400_000

export interface LastDone {
  readonly now: number
  /** Unix ms; null: never. */
  readonly snapshotAt: number | null
  readonly checkAt: number | null
}

/** A clock that was set back must not put things off for good: a time in the future counts as never. */
export function upkeepDue({ now, snapshotAt, checkAt }: LastDone): { readonly snapshot: boolean; readonly check: boolean } {
  const isDue = (at: number | null): boolean => at === null || at > now || now - at >= DAY_MS
  return { snapshot: isDue(snapshotAt), check: isDue(checkAt) }
}
