import { describe, expect, it } from 'vitest'
import { dayKey } from '../../text/format.ts'
import { endOfDay, parseDay } from '../../text/days.ts'
import { periodOf, spanOf } from './period.ts'

const NOW = new Date(2026, 2, 14, 15, 30).getTime()
const day = (written: string): string | null => {
  const start = parseDay(written, NOW)
  return start === null ? null : dayKey(start)
}

describe('a period', () => {
  it('begins at a midnight and has no end', () => {
    const from = (period: 'week' | 'month' | 'quarter'): string => dayKey(spanOf(period, NOW).from ?? 0)
    expect([from('week'), from('month'), from('quarter')]).toEqual(['2026-03-08', '2026-02-13', '2026-01-01'])
    expect(spanOf('any', NOW)).toEqual({})
  })

  it('is known again by what it became', () => {
    for (const period of ['any', 'week', 'month', 'quarter'] as const) expect(periodOf(spanOf(period, NOW), NOW)).toBe(period)
    expect(periodOf({ from: 1, to: 2 }, NOW)).toBe('days')
  })
})

describe('a day that is written', () => {
  it('is read in the ways that mean one day only', () => {
    expect(['2026-03-01', '2026-3-1', '1.3.2026', '1. 3. 2026', '1 March 2026', '1 mar 2026', 'March 1, 2026', 'mar 1 2026'].map(day)).toEqual(
      Array.from({ length: 8 }, () => '2026-03-01')
    )
    expect([day('today'), day('Yesterday')]).toEqual(['2026-03-14', '2026-03-13'])
  })

  it('without a year is the last that has been', () => {
    expect([day('1 March'), day('24 Dec'), day('24.12.')]).toEqual(['2026-03-01', '2025-12-24', '2025-12-24'])
  })

  it('is refused where it is no day, or might be two', () => {
    for (const written of [
      '',
      'soon',
      '3/4/2026',
      '31.2.2026',
      '2026-13-01',
      '0000-01-01',
      '2026-02-30',
      '40 March',
      '1 Foo 2026',
      '9'.repeat(500)
    ]) {
      expect(day(written)).toBeNull()
    }
  })

  it('ends a millisecond before the next', () => {
    const start = parseDay('2026-03-29', NOW) ?? 0
    expect(endOfDay(start) + 1).toBe(parseDay('2026-03-30', NOW))
  })
})
