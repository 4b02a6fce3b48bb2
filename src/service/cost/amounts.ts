// Amounts and periods in a question as people write them: "3", "two", "1.5 TB", "10 million requests", "per month",
// "for 6 weeks". Pure.
import { exact, parseExact, times, type Exact } from './money.ts'

export type AmountKind = 'count' | 'gigabytes' | 'requests' | 'vcpu' | 'gb-seconds'

export interface Amount {
  readonly kind: AmountKind
  /** Pieces, GB, requests, vCPU, GB-seconds. */
  readonly value: Exact
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Period {
  /** Hours in it: a month counts 730, a year 8,760. */
  readonly hours: Exact
  /** "per month", "for 3 years". */
  readonly text: string
  /** True when the question did not say. */
  readonly assumed: boolean
}

export const HOURS_PER_MONTH = 730
const hoursOf = { hour: 1, day: 24, week: 168, month: HOURS_PER_MONTH, year: 12 * HOURS_PER_MONTH } as const
type Span = keyof typeof hoursOf

const words = 'one two three four five six seven eight nine ten eleven twelve'.split(' ')
const wordValues = new Map<string, number>([
  ...words.map((word, index): [string, number] => [word, index + 1]),
  ['twenty', 20],
  ['dozen', 12],
  ['hundred', 100]
])
const NUMBER = String.raw`\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|${[...wordValues.keys()].join('|')}`
const SPAN = 'hours?|hrs?|days?|weeks?|months?|years?'
const scales: Readonly<Record<string, number>> = {
  k: 1_000,
  thousand: 1_000,
  m: 1_000_000,
  mio: 1_000_000,
  million: 1_000_000,
  bn: 1_000_000_000,
  billion: 1_000_000_000
}
/** Storage is counted in binary steps, as the vendors' own tiers are (50 TB = 51,200 GB). */
const gigabytes: Readonly<Record<string, Exact>> = {
  mb: exact(1) / 1_024n,
  gb: exact(1),
  gib: exact(1),
  tb: exact(1_024),
  tib: exact(1_024),
  pb: exact(1_024 * 1_024),
  pib: exact(1_024 * 1_024)
}

const amountPattern = new RegExp(
  String.raw`(?<![\w.$€-])(${NUMBER}) ?(?:(k|thousand|m|mio|million|bn|billion)\b)?[ -]?(?:(gb-?\s?seconds?|mb|[gtp]i?b|vcpus?|v?cores?|requests?|calls?|invocations?|operations?|messages?)\b)?`,
  'gi'
)
const everyPattern = new RegExp(
  String.raw`(?:\b(?:per|each|every|an?)\s+|/\s*)(hour|day|week|month|year)\b|\b(hour|dai|week|month|year|annual)ly\b`,
  'i'
)
const lastingPattern = new RegExp(
  String.raw`\b(?:for|over|during)\s+(?:an?\s+|the\s+)?(?:(${NUMBER})\s+)?(${SPAN})\b|(?<![\w.-])(${NUMBER})[\s-]+(${SPAN})\b`,
  'i'
)
const dailyHoursPattern = new RegExp(String.raw`(${NUMBER})\s*(?:hours?|hrs?|h)\s*(?:a|per|each|every|/)\s*day\b`, 'i')

const anyNumber = new RegExp(NUMBER, 'i')
const anySpan = /h(?:ou)?r|day|dai|week|month|year|annual/i

/** False: the text gives no amount, or no period. Quick; true says little. */
export function maySayHowMuch(text: string): boolean {
  return anySpan.test(text) && anyNumber.test(text)
}

function numberOf(text: string): Exact | null {
  const word = wordValues.get(text.toLowerCase())
  return word === undefined ? parseExact(text) : exact(word)
}

function spanOf(text: string): Span {
  const span = text
    .toLowerCase()
    .replace(/s$/, '')
    .replace(/^hr$/, 'hour')
    .replace(/^dai$/, 'day')
    .replace(/^annual$/, 'year')
  return span as Span
}

/** How long; "per month" when the text does not say. With the text without what was read, so that no number counts twice. */
export function readPeriod(text: string): { readonly period: Period; readonly dailyHours: Exact | null; readonly rest: string } {
  const daily = dailyHoursPattern.exec(text)
  const dailyHours = daily?.[1] === undefined ? null : numberOf(daily[1])
  let rest = daily === null ? text : blank(text, daily.index, daily.index + daily[0].length)
  const lasting = lastingPattern.exec(rest)
  const every = everyPattern.exec(rest)
  if (lasting !== null) {
    const count = numberOf(lasting[1] ?? lasting[3] ?? '1') ?? exact(1)
    const span = spanOf(lasting[2] ?? lasting[4] ?? 'month')
    rest = blank(rest, lasting.index, lasting.index + lasting[0].length)
    const name = count === exact(1) ? `for one ${span}` : `for ${lasting[1] ?? lasting[3]} ${span}s`
    return { period: { hours: times(count, exact(hoursOf[span])), text: name, assumed: false }, dailyHours, rest: withoutEvery(rest) }
  }
  if (every !== null) {
    const span = spanOf(every[1] ?? every[2] ?? 'month')
    return { period: { hours: exact(hoursOf[span]), text: `per ${span}`, assumed: false }, dailyHours, rest: withoutEvery(rest) }
  }
  return { period: { hours: exact(HOURS_PER_MONTH), text: 'per month', assumed: true }, dailyHours, rest }
}

/** Every amount in the text that is not part of a word or a code. */
export function readAmounts(text: string): Amount[] {
  const amounts: Amount[] = []
  for (const match of text.matchAll(amountPattern)) {
    const [whole, number = '', scale = '', unit = ''] = match
    const value = numberOf(number)
    if (value === null) continue
    const scaled = times(value, exact(scales[scale.toLowerCase()] ?? 1))
    amounts.push({ ...measured(scaled, unit.toLowerCase()), start: match.index, end: match.index + whole.trimEnd().length, text: whole.trim() })
  }
  return amounts
}

function measured(value: Exact, unit: string): { kind: AmountKind; value: Exact } {
  if (unit === '') return { kind: 'count', value }
  if (/^gb-?\s?sec/.test(unit)) return { kind: 'gb-seconds', value }
  const perUnit = gigabytes[unit]
  if (perUnit !== undefined) return { kind: 'gigabytes', value: times(value, perUnit) }
  return { kind: /cpu|core/.test(unit) ? 'vcpu' : 'requests', value }
}

/** The same text with spaces instead of what was understood already; positions stay. */
export function blank(text: string, start: number, end: number): string {
  return text.slice(0, start) + ' '.repeat(end - start) + text.slice(end)
}

function withoutEvery(text: string): string {
  return text.replace(new RegExp(everyPattern, 'gi'), (whole) => ' '.repeat(whole.length))
}
