// The figures of the usage dashboard from the ledger's rows. Pure: rows go in one by one, in any order, a report comes out.
import type { Percentiles, UsageGroup, UsageRange, UsageReport, UsageTotals } from '../../shared/domain.ts'

/** One ended turn. Latencies are null where no model was heard. */
export interface LedgerRow {
  readonly sessionId: string
  readonly sessionTitle: string
  readonly clientName: string
  readonly provider: string
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly costMicros: number
  readonly failovers: number
  readonly firstTextMs: number | null
  readonly totalMs: number | null
  /** A stopped answer (`cancelled`) is no error. */
  readonly errorCode: string | null
  readonly at: number
}

/** The day a time falls on where the person is, `YYYY-MM-DD`. */
export type DayOf = (at: number) => string

export function localDay(at: number): string {
  const date = new Date(at)
  return `${String(date.getFullYear()).padStart(4, '0')}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`
}

/** Nearest rank, exact: the smallest sample that at least this share of all samples does not exceed. */
export function percentiles(samples: readonly number[]): Percentiles | null {
  if (samples.length === 0) return null
  const sorted = Float64Array.from(samples).sort()
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

export interface UsageReporter {
  add(row: LedgerRow): void
  report(range: UsageRange): UsageReport
}

type Totals = { -readonly [K in keyof UsageTotals]: number }
const nothing = (): Totals => ({ turns: 0, failed: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0, failovers: 0 })

function isFailure(row: LedgerRow): boolean {
  return row.errorCode !== null && row.errorCode !== 'cancelled'
}

function count(totals: Totals, row: LedgerRow): void {
  totals.turns += 1
  totals.failed += isFailure(row) ? 1 : 0
  totals.inputTokens += row.inputTokens
  totals.outputTokens += row.outputTokens
  totals.cachedTokens += row.cachedTokens
  totals.costMicros += row.costMicros
  totals.failovers += row.failovers
}

interface Group {
  label: string
  labelAt: number
  readonly totals: Totals
}

/** Groups by a key; the newest row names the group. */
class Groups {
  readonly #groups = new Map<string, Group>()

  add(key: string, label: string, row: LedgerRow): void {
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = { label, labelAt: row.at, totals: nothing() }
      this.#groups.set(key, group)
    }
    if (row.at >= group.labelAt) {
      group.label = label
      group.labelAt = row.at
    }
    count(group.totals, row)
  }

  byKey(): UsageGroup[] {
    return this.#list().sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** Most expensive first, then most turns, then by key so that the order is always the same. */
  byCost(): UsageGroup[] {
    return this.#list().sort((a, b) => b.totals.costMicros - a.totals.costMicros || b.totals.turns - a.totals.turns || (a.key < b.key ? -1 : 1))
  }

  #list(): UsageGroup[] {
    return [...this.#groups].map(([key, group]) => ({ key, label: group.label, totals: group.totals }))
  }
}

export function createUsageReporter(dayOf: DayOf = localDay): UsageReporter {
  const totals = nothing()
  const firstTextMs: number[] = []
  const totalMs: number[] = []
  const errors = new Map<string, number>()
  const [days, clients, sessions, models, providers] = [new Groups(), new Groups(), new Groups(), new Groups(), new Groups()]

  return {
    add(row) {
      count(totals, row)
      if (row.firstTextMs !== null) firstTextMs.push(row.firstTextMs)
      if (row.totalMs !== null) totalMs.push(row.totalMs)
      if (row.errorCode !== null && isFailure(row)) errors.set(row.errorCode, (errors.get(row.errorCode) ?? 0) + 1)
      const day = dayOf(row.at)
      days.add(day, day, row)
      clients.add(row.clientName, row.clientName, row)
      sessions.add(row.sessionId, row.sessionTitle, row)
      models.add(row.model, row.model, row)
      providers.add(row.provider, row.provider, row)
    },
    report(range) {
      return {
        range,
        totals: { ...totals },
        firstTextMs: percentiles(firstTextMs),
        totalMs: percentiles(totalMs),
        byDay: days.byKey(),
        byClient: clients.byCost(),
        bySession: sessions.byCost(),
        byModel: models.byCost(),
        byProvider: providers.byCost(),
        byError: [...errors].map(([code, times]) => ({ code, count: times })).sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1))
      }
    }
  }
}
