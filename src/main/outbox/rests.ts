// Turns that rest for a moment though their rows say nothing of it: the disk had no room, or the link cut them again and
// again while it called itself online. Kept in memory only: a new start tries at once.
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Clock, Random } from '../../shared/kit/clock.ts'
import type { OutboxRow } from '../history/history.ts'

/** After the history itself could not be read or written (a full disk): the question is safe, the disk needs time. */
export const STORE_TROUBLE_MS = 2_000
const CUT = { baseMs: 100, capMs: 5_000 }

export interface Rests {
  /** The store refused. */
  troubled(turnId: string): void
  /** The link cut it; the wait grows until something of the turn arrives. */
  cut(turnId: string): void
  /** Something of it arrived, or it is over. */
  wellAgain(turnId: string): void
  /** The link came back: what it had cut may try at once. */
  linkIsBack(): void
  /** The row with the wait that it has here, if any. */
  apply(row: OutboxRow): OutboxRow
}

export function createRests(clock: Clock, random: Random): Rests {
  const cuts = new Map<string, { count: number; until: number }>()
  const troubles = new Map<string, number>()
  return {
    troubled: (turnId) => void troubles.set(turnId, clock.now() + STORE_TROUBLE_MS),
    cut(turnId) {
      const count = (cuts.get(turnId)?.count ?? 0) + 1
      cuts.set(turnId, { count, until: clock.now() + backoffMs(count, random, CUT) })
    },
    wellAgain(turnId) {
      cuts.delete(turnId)
      troubles.delete(turnId)
    },
    linkIsBack() {
      for (const [turnId, { count }] of cuts) cuts.set(turnId, { count, until: 0 })
    },
    apply(row) {
      const until = Math.max(cuts.get(row.turnId)?.until ?? 0, troubles.get(row.turnId) ?? 0)
      return until > (row.nextAttemptAt ?? 0) ? { ...row, nextAttemptAt: until } : row
    }
  }
}
