// What a month's budget allows: a word at 80 and 90 %, cheaper models from 90 % on, nothing more at 100 %. Pure.
import { nextMonth, type Cap, type Spending } from './ledger.ts'
import { formatUsd, exact, dividedBy } from './money.ts'

/** In the order of their gravity. */
export const budgetLevels = ['free', 'warned', 'thrifty', 'exhausted'] as const
export type BudgetLevel = (typeof budgetLevels)[number]

export interface BudgetStanding {
  readonly level: BudgetLevel
  /** What the tightest of the caps leaves, reservations counted, micro-USD; null: there is no cap. */
  readonly remainingMicros: number | null
  /** For a reservation. */
  readonly caps: readonly Cap[]
  /** Unix ms of the next month. */
  readonly resetAt: number
  /** For people; null: nothing to say. */
  readonly text: string | null
  /** Somebody has lifted the limit for a time. */
  readonly overridden: boolean
}

export function budgetLevel(spentMicros: number, capMicros: number): BudgetLevel {
  if (spentMicros >= capMicros) return 'exhausted'
  // Whole numbers on both sides: 80 % is reached exactly.
  if (spentMicros * 10 >= capMicros * 9) return 'thrifty'
  return spentMicros * 10 >= capMicros * 8 ? 'warned' : 'free'
}

export interface CapSpending {
  readonly cap: Cap
  readonly spending: Spending
}

/** The gravest of several caps decides. */
export function standingOf(caps: readonly CapSpending[], at: number, overridden = false): BudgetStanding {
  const resetAt = nextMonth(at)
  if (overridden || caps.length === 0) return { level: 'free', remainingMicros: null, caps: [], resetAt, text: null, overridden }
  let worst: { level: BudgetLevel; of: CapSpending } | null = null
  let remaining = Number.POSITIVE_INFINITY
  for (const one of caps) {
    const level = budgetLevel(one.spending.spentMicros, one.cap.micros)
    if (worst === null || budgetLevels.indexOf(level) > budgetLevels.indexOf(worst.level)) worst = { level, of: one }
    remaining = Math.min(remaining, Math.max(0, one.cap.micros - one.spending.spentMicros - one.spending.reservedMicros))
  }
  const level = worst?.level ?? 'free'
  return {
    level,
    remainingMicros: remaining,
    caps: caps.map(({ cap }) => cap),
    resetAt,
    text: worst === null ? null : textOf(worst.level, worst.of, resetAt),
    overridden
  }
}

function textOf(level: BudgetLevel, { cap, spending }: CapSpending, resetAt: number): string | null {
  const whose = cap.client === null ? 'The organisation’s' : 'This client’s'
  const share = cap.micros === 0 ? 100 : Math.floor((spending.spentMicros * 100) / cap.micros)
  const state = `${whose} budget of ${usd(cap.micros)} for this month is ${share} % used`
  const when = new Date(resetAt).toISOString().slice(0, 10)
  switch (level) {
    case 'free':
      return null
    case 'warned':
      return `${state}.`
    case 'thrifty':
      return `${state}; cheaper models answer until ${when}.`
    case 'exhausted':
      return `${state}. Nothing more is asked of paid models until ${when}; an administrator can lift it for a time.`
  }
}

function usd(micros: number): string {
  return formatUsd(dividedBy(exact(micros), 1_000_000))
}
