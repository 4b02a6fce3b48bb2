// Numbers, money, times and dates as people read them, in the reader's own locale.

const MICROS_PER_USD = 1_000_000

/** The system's language, as the browser engine reports it. */
const locale: string | undefined = undefined

const integer = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' })
const dayMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
const dayMonthYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' })
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })
const weekdayYear = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })

export function formatInteger(value: number): string {
  return integer.format(value)
}
export function formatCompact(value: number): string {
  return value < 10_000 ? integer.format(value) : compact.format(value)
}
export function formatShare(part: number, whole: number): string {
  return whole === 0 ? percent.format(0) : percent.format(part / whole)
}

/** Micro-USD. Small sums keep the digits that make them different from nothing. */
export function formatCost(micros: number): string {
  const usd = micros / MICROS_PER_USD
  const digits = micros === 0 || usd >= 1 ? 2 : usd >= 0.01 ? 3 : 6
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits
  }).format(usd)
}

/** Milliseconds: `340 ms`, `1.24 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** Bytes in steps of 1,000, as file managers show them: `214 MB`. */
export function formatBytes(bytes: number): string {
  const step = Math.min(byteUnits.length - 1, bytes < 1_000 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1_000 ** step
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: byteUnits[step] ?? 'byte',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0
  }).format(value)
}

export function formatTime(at: number): string {
  return clock.format(at)
}
export function formatDate(at: number): string {
  return dayMonthYear.format(at)
}
export function formatMonthDay(at: number): string {
  return dayMonth.format(at)
}

/** Local midnight before the given time. */
export function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}
export function isSameDay(a: number, b: number): boolean {
  return startOfDay(a) === startOfDay(b)
}

/** A heading for a day, as seen at `now`. */
export function formatDay(at: number, now: number, words: { readonly today: string; readonly yesterday: string }): string {
  if (isSameDay(at, now)) return words.today
  if (isSameDay(at, startOfDay(now) - 1)) return words.yesterday
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? weekday : weekdayYear).format(at)
}

/** In a list: a time today, a date before. */
export function formatRecent(at: number, now: number): string {
  if (isSameDay(at, now)) return clock.format(at)
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? dayMonth : dayMonthYear).format(at)
}

/** `YYYY-MM-DD` of the local day. */
export function dayKey(at: number): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`
}
/** Local midnight of a `YYYY-MM-DD`; NaN when it is none. */
export function dayStart(key: string): number {
  return new Date(`${key}T00:00:00`).getTime()
}
