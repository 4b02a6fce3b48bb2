// The cost ledger: the port. One row for every attempt at an answer, written before the provider is asked and settled when
// it has ended, so that no crash and no failover loses what was spent. Money is integer micro-USD.
import type { Bond } from '../store/bond.ts'

/** Calendar month in UTC, `2026-11`. */
export type Month = string

export interface Payer {
  readonly userId: string
  readonly organisation: string
  /** The client whose meeting it is; empty: none. */
  readonly client: string
}

export interface Reservation extends Payer {
  /** The key: reserving it again changes nothing. */
  readonly attemptId: string
  readonly turnId: string
  readonly provider: string
  readonly model: string
  /** Unix ms. */
  readonly at: number
  /** What the attempt is predicted to cost. */
  readonly predictedMicros: number
  readonly predictedInputTokens: number
}

/** `answered`: its text was read to the end. `superseded`: another was quicker. */
export type AttemptOutcome = 'answered' | 'failed' | 'superseded' | 'cancelled' | 'lost'

export interface Settlement {
  readonly attemptId: string
  /** Unix ms. */
  readonly at: number
  readonly outcome: AttemptOutcome
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly costMicros: number
  /** The provider did not say what it used: the tokens are our estimate. */
  readonly estimated: boolean
  /** False: no price is known, so the cost stands at 0. */
  readonly priced: boolean
}

export interface LedgerRow extends Reservation {
  /** Null: still reserved. */
  readonly settled: Omit<Settlement, 'attemptId'> | null
}

/** Whose money: an organisation's, or that of one of its clients. */
export interface Purse {
  readonly organisation: string
  /** Null: the whole organisation's. */
  readonly client: string | null
}

/** The most that a purse may spend in the month of the reservation. */
export interface Cap extends Purse {
  readonly micros: number
}

export interface Spending {
  readonly spentMicros: number
  readonly reservedMicros: number
}

/** Every promise resolves when what it says is durable, and rejects with `CopilotError` when the store refuses. */
export interface Ledger {
  /**
   * False, and nothing is written, when spent, reserved and predicted together would pass a cap. A reservation that is
   * there already is left as it is. One step: however many ask at once, the caps hold.
   */
  reserve(reservation: Reservation, caps?: readonly Cap[]): Promise<boolean>
  /** False when the attempt is settled already (or was never reserved): the first settlement stays. `bond`: of a ledger in the turns' own store. */
  settle(settlement: Settlement, bond?: Bond): Promise<boolean>
  /** Of a purse in a month. */
  spending(purse: Purse, month: Month): Promise<Spending>
  /** The attempts at a turn, in the order in which they were reserved. */
  attempts(turnId: string): Promise<readonly LedgerRow[]>
  /** Turns of a user that were attempted since then (Unix ms). */
  turnsSince(userId: string, since: number): Promise<number>
  /** Everything that was ever settled; for comparisons. */
  total(): Promise<{ readonly rows: number; readonly open: number; readonly costMicros: number; readonly estimatedRows: number }>
  /** After a start: what was reserved and never settled is settled at its prediction, marked `lost`. Returns how many. */
  recover(at: number): Promise<number>
  /** While it runs: the same for what other processes on the same ledger reserved that have died since. */
  reclaim(at: number): Promise<number>
}

export function monthOf(at: number): Month {
  return new Date(at).toISOString().slice(0, 7)
}

/** Unix ms at which the next month begins, UTC. */
export function nextMonth(at: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

/** Sums stay exact only while every addend is a whole number that a double holds. Throws `RangeError`. */
export function requireWholeMicros(micros: number): void {
  if (!Number.isSafeInteger(micros) || micros < 0) throw new RangeError(`${micros} is no whole number of micro-USD`)
}
