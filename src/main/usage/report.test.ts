import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createUsageReporter, localDay, percentiles, type LedgerRow } from './report.ts'

const row: LedgerRow = {
  sessionId: 's1',
  sessionTitle: 'Kick-off',
  clientName: 'Acme',
  provider: 'local',
  model: 'knowledge',
  inputTokens: 10,
  outputTokens: 5,
  cachedTokens: 1,
  costMicros: 100,
  failovers: 0,
  firstTextMs: 20,
  totalMs: 200,
  errorCode: null,
  at: 1_000
}

const reportOf = (list: readonly LedgerRow[]): unknown => {
  const reporter = createUsageReporter((at) => `day ${Math.floor(at / 10)}`)
  for (const one of list) reporter.add(one)
  return reporter.report({ from: 0, to: 100 })
}

describe('percentiles', () => {
  it('are the nearest rank, exact', () => {
    expect(percentiles([])).toBeNull()
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7, p99: 7 })
    expect(percentiles(Array.from({ length: 100 }, (_, n) => 100 - n))).toEqual({ p50: 50, p95: 95, p99: 99 })
    expect(percentiles([15, 20, 35, 40, 50])).toEqual({ p50: 35, p95: 50, p99: 50 })
  })

  it('are samples that enough others do not exceed', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), (samples) => {
        const found = percentiles(samples)
        for (const [share, value] of [
          [0.5, found?.p50 ?? -1],
          [0.95, found?.p95 ?? -1],
          [0.99, found?.p99 ?? -1]
        ] as const) {
          expect(samples).toContain(value)
          expect(samples.filter((sample) => sample <= value).length / samples.length).toBeGreaterThanOrEqual(share)
          expect(samples.filter((sample) => sample < value).length / samples.length).toBeLessThan(share)
        }
      })
    )
  })
})

describe('the usage report', () => {
  it('adds up the same whatever the order of the rows', () => {
    const rows = Array.from({ length: 30 }, (_, n) => ({
      ...row,
      sessionId: `s${n % 3}`,
      costMicros: n,
      at: n,
      errorCode: n % 7 === 0 ? 'timeout' : null
    }))
    expect(reportOf(rows.toReversed())).toEqual(reportOf(rows))
    expect(reportOf(rows)).toMatchObject({
      totals: { turns: 30, failed: 5, costMicros: 435 },
      byDay: [{ key: 'day 0' }, { key: 'day 1' }, { key: 'day 2' }],
      byError: [{ code: 'timeout', count: 5 }]
    })
  })

  it('names a group as its newest row does', () => {
    const reporter = createUsageReporter()
    reporter.add({ ...row, at: 2_000, sessionTitle: 'New name' })
    reporter.add({ ...row, at: 1_000, sessionTitle: 'Old name' })
    expect(reporter.report({ from: 0, to: 9_000 }).bySession).toMatchObject([{ key: 's1', label: 'New name', totals: { turns: 2 } }])
  })

  it('knows the day where the person is', () => {
    const date = new Date(2026, 2, 29, 23, 59, 59)
    expect(localDay(date.getTime())).toBe('2026-03-29')
    expect(localDay(date.getTime() + 1_000)).toBe('2026-03-30')
  })
})
