// The ledger's days as series for the chart: every day of the range, days without an answer as zero. Pure.
import type { UsageReport } from '../../../shared/domain.ts'
import { dayKey, startOfDay } from '../../text/format.ts'

export const metrics = ['cost', 'tokens', 'turns'] as const
export type Metric = (typeof metrics)[number]

export interface DaySeries {
  readonly keys: readonly string[]
  /** Local midnights, Unix ms. */
  readonly days: readonly number[]
  /** One or two rows of values: cost in USD; tokens in and out; answers. */
  readonly values: readonly (readonly number[])[]
}

export function daysOf(from: number, to: number): readonly number[] {
  const days: number[] = []
  const cursor = new Date(startOfDay(from))
  // Calendar days, not 24-hour steps: some days have 23 or 25 hours.
  while (cursor.getTime() < to && days.length < 3_700) {
    days.push(cursor.getTime())
    cursor.setDate(cursor.getDate() + 1)
  }
  return days
}

export function seriesOf(report: UsageReport, metric: Metric): DaySeries {
  const days = daysOf(report.range.from, report.range.to)
  const keys = days.map(dayKey)
  const totals = new Map(report.byDay.map((group) => [group.key, group.totals]))
  const pick = (read: (totals: UsageReport['totals']) => number): number[] =>
    keys.map((key) => {
      const day = totals.get(key)
      return day === undefined ? 0 : read(day)
    })
  switch (metric) {
    case 'cost':
      return { keys, days, values: [pick((day) => day.costMicros / 1_000_000)] }
    case 'tokens':
      return { keys, days, values: [pick((day) => day.inputTokens), pick((day) => day.outputTokens)] }
    case 'turns':
      return { keys, days, values: [pick((day) => day.turns)] }
  }
}
