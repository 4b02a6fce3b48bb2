// When something was said, as a filter: a few periods that people ask for, or two days written as they come.
import { daysBack } from '../../text/days.ts'

export const periods = ['any', 'week', 'month', 'quarter', 'days'] as const
export type Period = (typeof periods)[number]

/** Both ends inclusive, Unix ms; without an end it is open. */
export interface Span {
  readonly from?: number
  readonly to?: number
}

/** What a period means today. `days` is what was written. */
export function spanOf(period: Exclude<Period, 'days'>, now: number): Span {
  switch (period) {
    case 'any':
      return {}
    case 'week':
      return { from: daysBack(now, 7) }
    case 'month':
      return { from: daysBack(now, 30) }
    case 'quarter': {
      const today = new Date(now)
      return { from: new Date(today.getFullYear(), Math.floor(today.getMonth() / 3) * 3, 1).getTime() }
    }
  }
}

/** The period that a filter was made by. */
export function periodOf(span: Span, now: number): Period {
  const named = periods.find((period) => {
    if (period === 'days') return false
    const { from, to } = spanOf(period, now)
    return from === span.from && to === span.to
  })
  return named ?? 'days'
}
