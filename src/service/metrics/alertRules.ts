// When an operator should be told, pure: rules over what was read of the service, and the hysteresis that keeps them from
// flickering. The same thresholds are in resources/alerts/prometheus-rules.yml for those who alert from Prometheus.
import type { Totals } from './metrics.ts'

/** What is known of the service at a moment; null: not known, nothing changes by it. */
export interface Reading {
  /** Questions of the last five minutes. */
  readonly recent: Recent
  /** By id, those that can't be asked. */
  readonly providersDown: readonly string[]
  /** Organisations that have used 90 % of a budget or more. */
  readonly budgetsTight: readonly string[]
  readonly diskFreeBytes: number | null
  /** Whether the audit chain was whole when it was last read. */
  readonly isAuditWhole: boolean | null
}

export interface Recent {
  readonly ended: number
  readonly broken: number
  /** Upper bound of the time to the end of 99 of 100 answers; null: there were none. */
  readonly p99Seconds: number | null
}

export interface AlertRule {
  readonly id: AlertId
  readonly severity: 'warning' | 'critical'
  /** `between`: neither bad enough to begin nor good enough to end. */
  readonly state: (reading: Reading) => 'bad' | 'between' | 'good' | 'unknown'
  /** How long it must be bad before it is told, and good before it is over, ms. */
  readonly forMs: number
  readonly clearMs: number
  /** What is so, with figures and names of providers and organisations only. */
  readonly text: (reading: Reading) => string
}

export const alertIds = ['error-rate', 'slow-answers', 'budget', 'provider-down', 'disk', 'audit-chain'] as const
export type AlertId = (typeof alertIds)[number]

const MINUTE = 60_000
const MB = 1_048_576
/** Fewer questions than this prove nothing. */
const LEAST_QUESTIONS = 20

/** Bad from `from` on, good below `until`. */
function over(value: number | null, from: number, until: number): 'bad' | 'between' | 'good' | 'unknown' {
  if (value === null) return 'unknown'
  return value >= from ? 'bad' : value < until ? 'good' : 'between'
}

const shareOf = ({ ended, broken }: Recent): number => (ended < LEAST_QUESTIONS ? 0 : broken / ended)
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

export const alertRules: readonly AlertRule[] = [
  {
    id: 'error-rate',
    severity: 'critical',
    state: ({ recent }) => over(shareOf(recent), 0.05, 0.02),
    forMs: 2 * MINUTE,
    clearMs: 5 * MINUTE,
    text: ({ recent }) => `${recent.broken} of ${recent.ended} questions of the last five minutes failed (${percent(shareOf(recent))}).`
  },
  {
    id: 'slow-answers',
    severity: 'warning',
    // The figure is the upper bound of a bucket: 30 s is good again.
    state: ({ recent }) => (recent.ended < LEAST_QUESTIONS ? 'good' : over(recent.p99Seconds, 60, 31)),
    forMs: 5 * MINUTE,
    clearMs: 5 * MINUTE,
    text: ({ recent }) => `One answer in a hundred takes more than ${recent.p99Seconds ?? 0} s.`
  },
  {
    id: 'budget',
    severity: 'warning',
    state: ({ budgetsTight }) => (budgetsTight.length > 0 ? 'bad' : 'good'),
    forMs: 0,
    clearMs: MINUTE,
    text: ({ budgetsTight }) => `At least 90 % of a budget is used: ${budgetsTight.join(', ')}.`
  },
  {
    id: 'provider-down',
    severity: 'critical',
    state: ({ providersDown }) => (providersDown.length > 0 ? 'bad' : 'good'),
    forMs: MINUTE,
    clearMs: MINUTE,
    text: ({ providersDown }) => `These can't be asked: ${providersDown.join(', ')}.`
  },
  {
    id: 'disk',
    severity: 'critical',
    state: ({ diskFreeBytes }) => over(diskFreeBytes === null ? null : -diskFreeBytes, -500 * MB, -1_000 * MB),
    forMs: 0,
    clearMs: MINUTE,
    text: ({ diskFreeBytes }) => `The disk of the store has ${Math.floor((diskFreeBytes ?? 0) / MB)} MB left.`
  },
  {
    id: 'audit-chain',
    severity: 'critical',
    state: ({ isAuditWhole }) => (isAuditWhole === null ? 'unknown' : isAuditWhole ? 'good' : 'bad'),
    forMs: 0,
    clearMs: 0,
    text: () => 'The audit log is not as it was written. Run npm run --silent audit:verify.'
  }
]

export interface AlertState {
  readonly isFiring: boolean
  /** Unix ms since which the reading speaks against what is so; null: it does not. */
  readonly since: number | null
}

export const quiet: AlertState = { isFiring: false, since: null }

/** The next state after one reading. */
export function nextState(rule: AlertRule, state: AlertState, reading: Reading, now: number): AlertState {
  const found = rule.state(reading)
  if (found === 'unknown') return state
  const speaksAgainst = state.isFiring ? found === 'good' : found === 'bad'
  if (!speaksAgainst) return { ...state, since: null }
  const since = state.since ?? now
  const wait = state.isFiring ? rule.clearMs : rule.forMs
  return now - since >= wait ? { isFiring: !state.isFiring, since: null } : { ...state, since }
}

/** What happened between two sums; a process that was started in between has none before. */
export function recentOf(before: Totals, now: Totals): Recent {
  const ended = now.ended - before.ended
  const counts = now.totalSeconds.map(({ le, count }) => ({ le, count: count - (before.totalSeconds.find((one) => one.le === le)?.count ?? 0) }))
  const all = counts.at(-1)?.count ?? 0
  const bucket = counts.find(({ count }) => count >= all * 0.99)
  // Beyond the last bound nothing is known but that it is longer than that.
  const longest = counts.at(-2)?.le ?? 0
  const p99Seconds = all === 0 || bucket === undefined ? null : Number.isFinite(bucket.le) ? bucket.le : longest
  return { ended, broken: now.broken - before.broken, p99Seconds }
}
