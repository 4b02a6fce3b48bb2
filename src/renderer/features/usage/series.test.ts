// The chart shows every day, also those on which nothing was asked.
import { expect, it } from 'vitest'
import type { UsageReport, UsageTotals } from '../../../shared/domain.ts'
import { daysOf, seriesOf } from './series.ts'

const totals = (turns: number, costMicros: number): UsageTotals => ({
  turns,
  failed: 0,
  inputTokens: 10,
  outputTokens: 20,
  cachedTokens: 0,
  costMicros,
  failovers: 0
})
const report: UsageReport = {
  range: { from: new Date('2026-03-28T00:00:00').getTime(), to: new Date('2026-04-01T00:00:00').getTime() },
  totals: totals(3, 30), firstTextMs: null, totalMs: null,
  byDay: [{ key: '2026-03-29', label: '', totals: totals(2, 1_500_000) }, { key: '2026-03-31', label: '', totals: totals(1, 5) }],
  byClient: [], bySession: [], byModel: [], byProvider: [], byError: []
} // prettier-ignore

it('fills the days without an answer with zero', () => {
  expect(seriesOf(report, 'cost').keys).toEqual(['2026-03-28', '2026-03-29', '2026-03-30', '2026-03-31'])
  expect(seriesOf(report, 'cost').values).toEqual([[0, 1.5, 0, 0.000005]])
  expect(seriesOf(report, 'tokens').values).toEqual([[0, 10, 0, 10], [0, 20, 0, 20]]) // prettier-ignore
  expect(seriesOf(report, 'turns').values).toEqual([[0, 2, 0, 1]])
})

it('counts calendar days over a change of the clock', () => {
  const year = daysOf(new Date('2026-01-01T00:00:00').getTime(), new Date('2027-01-01T00:00:00').getTime())
  expect(year.length).toBe(365)
  expect(year.every((day) => new Date(day).getHours() === 0)).toBe(true)
})
