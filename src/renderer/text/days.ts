// Days as people write and count them, in local time.
import { dayKey, dayStart, startOfDay } from './format.ts'

/** The last millisecond of the day that begins here; days of 23 and 25 hours included. */
export function endOfDay(start: number): number {
  return new Date(start).setHours(23, 59, 59, 999)
}

/** Days back from today, today included. */
export function daysBack(now: number, days: number): number {
  const today = new Date(startOfDay(now))
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1).getTime()
}

const ISO = /^(\d{4})-(\d{1,2})-(\d{1,2})$/
const DOTTED = /^(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})?$/
const SPOKEN = /^(?:(\d{1,2})\.?\s+([a-z]{3,9})|([a-z]{3,9})\s+(\d{1,2}))\.?,?(?:\s+(\d{4}))?$/
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * Local midnight of a day as people write it: 2026-03-14, 14.3.2026, 14 March, today, yesterday. Null when it is none, also
 * for 3/14 and 14/3, which mean different days to different people. Without a year it is the last such day that has been.
 */
export function parseDay(written: string, now: number): number | null {
  const text = written.trim().toLowerCase()
  if (text === 'today') return startOfDay(now)
  if (text === 'yesterday') return daysBack(now, 2)
  const iso = ISO.exec(text)
  if (iso !== null) return dayOf({ year: iso[1], month: Number(iso[2]), day: iso[3] }, now)
  const dotted = DOTTED.exec(text)
  if (dotted !== null) return dayOf({ year: dotted[3], month: Number(dotted[2]), day: dotted[1] }, now)
  const spoken = SPOKEN.exec(text)
  if (spoken === null) return null
  const month = MONTHS.indexOf((spoken[2] ?? spoken[3] ?? '').slice(0, 3)) + 1
  return dayOf({ year: spoken[5], month, day: spoken[1] ?? spoken[4] }, now)
}

interface WrittenDay {
  readonly year: string | undefined
  readonly month: number
  readonly day: string | undefined
}

function dayOf({ year, month, day }: WrittenDay, now: number): number | null {
  const thisYear = new Date(now).getFullYear()
  const inYear = (wanted: number): number | null => {
    const key = `${String(wanted).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(Number(day)).padStart(2, '0')}`
    const start = dayStart(key)
    // The 31st of February would become the 3rd of March.
    return Number.isNaN(start) || dayKey(start) !== key ? null : start
  }
  if (year !== undefined) return Number(year) < 1970 ? null : inYear(Number(year))
  const start = inYear(thisYear)
  return start !== null && start > now ? inYear(thisYear - 1) : start
}
