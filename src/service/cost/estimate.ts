// Computes what a cost question asks, exactly, and shows the arithmetic. Pure.
import { HOURS_PER_MONTH, type Amount, type Period } from './amounts.ts'
import { readCostQuestion, type AskedItem } from './costQuestion.ts'
import { dividedBy, exact, formatExact, times, type Exact } from './money.ts'
import type { PriceBook, PriceItem } from './priceBook.ts'

interface EstimateLine {
  readonly item: PriceItem
  /** The multiplication, as text: `3 × 730 h × $0.1008`. */
  readonly arithmetic: string
  /** Null when an amount is missing: then only the price of a unit is known. */
  readonly cost: Exact | null
}

export interface Estimate {
  readonly lines: readonly EstimateLine[]
  /** "per month", "for 3 years". */
  readonly periodText: string
  /** Null when a line has no cost, or the lines are alternatives. */
  readonly total: Exact | null
  /** True when the lines answer the same question for several clouds. */
  readonly alternatives: boolean
  /** True when the question gave every amount and the time. */
  readonly isExplicit: boolean
  /** What was assumed, sentences. */
  readonly assumptions: readonly string[]
  /** What could not be priced, sentences. */
  readonly missing: readonly string[]
}

/** Null when the question names nothing that looks like an item at all. */
export function estimate(text: string, book: PriceBook, context = ''): Estimate | null {
  const question = readCostQuestion(text, book, context)
  if (question.items.length === 0 && question.missing.length === 0) return null
  const lines: EstimateLine[] = []
  const missing = [...question.missing]
  const assumptions: string[] = []
  for (const asked of question.items) {
    for (const item of asked.candidates) {
      const line = priced(item, asked.amount, { period: question.period, dailyHours: question.dailyHours })
      if (typeof line === 'string') missing.push(line)
      else lines.push(line)
    }
    assumptions.push(...assumed(asked))
  }
  const alternatives = question.items.some((asked) => asked.candidates.length > 1)
  const costs = lines.map((line) => line.cost).filter((cost) => cost !== null)
  if (lines.some((line) => line.item.unit.endsWith('hour')) || !/month|year/.test(question.period.text)) {
    assumptions.push(`A month is counted as ${HOURS_PER_MONTH} hours.`)
  }
  if (
    question.period.text !== 'per month' &&
    lines.some(({ item, cost }) => cost !== null && ['GB', 'request', 'million-requests'].includes(item.unit))
  ) {
    assumptions.push('Transfers and requests are counted once, as given.')
  }
  return {
    lines,
    periodText: question.period.text,
    total: alternatives || costs.length < lines.length || costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0n),
    alternatives,
    isExplicit: question.items.length > 0 && question.items.every((asked) => asked.amount !== null) && !question.period.assumed,
    assumptions: [...new Set(assumptions)],
    missing
  }
}

function assumed({ amount, candidates, regionAssumed }: AskedItem): string[] {
  const sentences: string[] = []
  const first = candidates[0]
  if (amount === null && first !== undefined && ['hour', 'month'].includes(first.unit))
    sentences.push('Where the question gives no number, one is counted.')
  if (regionAssumed) sentences.push('The question names no region: the prices are those of the region shown.')
  if (amount?.kind === 'gigabytes' && /[tp]i?b/i.test(amount.text)) sentences.push('1 TB is counted as 1,024 GB.')
  return sentences
}

interface Running {
  readonly period: Period
  readonly dailyHours: Exact | null
}

/** One line, or a sentence why there is none. */
function priced(item: PriceItem, amount: Amount | null, running: Running): EstimateLine | string {
  const { period } = running
  const price = `$${formatExact(item.priceUsd)}`
  const unitOnly = (what: string): EstimateLine => ({ item, arithmetic: `${price} per ${item.unit}; say ${what} for a total`, cost: null })
  switch (item.unit) {
    case 'hour': {
      const count = amount?.value ?? exact(1)
      const hourly = times(count, item.priceUsd)
      return { item, arithmetic: `${formatExact(count)} × ${hoursText(running)} × ${price}`, cost: overHours(hourly, running) }
    }
    case 'vCPU-hour':
    case 'vCPU-second':
    case 'GB-hour': {
      const what = item.unit === 'GB-hour' ? 'GB' : 'vCPU'
      if (amount === null) return unitOnly(`how many ${what}`)
      const perHour = item.unit === 'vCPU-second' ? times(item.priceUsd, exact(3_600)) : item.priceUsd
      const factor = item.unit === 'vCPU-second' ? ' × 3,600 s' : ''
      return {
        item,
        arithmetic: `${formatExact(amount.value)} ${what} × ${hoursText(running)}${factor} × ${price}`,
        cost: overHours(times(amount.value, perHour), running)
      }
    }
    case 'month': {
      const count = amount?.value ?? exact(1)
      const months = monthsOf(period)
      return { item, arithmetic: `${formatExact(count)} × ${formatExact(months)} month × ${price}`, cost: times(times(count, months), item.priceUsd) }
    }
    case 'GB-month': {
      if (amount === null) return unitOnly('how many GB')
      const limit = beyondFirst(item, amount.value)
      if (limit !== null) return limit
      const months = monthsOf(period)
      const monthly = tiered(item, amount.value)
      return { item, arithmetic: `${monthly.arithmetic('GB')} × ${formatExact(months)} month`, cost: times(monthly.cost, months) }
    }
    case 'GB': {
      if (amount === null) return unitOnly('how many GB')
      const limit = beyondFirst(item, amount.value)
      if (limit !== null) return limit
      const once = tiered(item, amount.value)
      return { item, arithmetic: once.arithmetic('GB'), cost: once.cost }
    }
    case 'million-requests':
    case 'request': {
      if (amount === null) return unitOnly('how many requests')
      const quantity = item.unit === 'request' ? amount.value : dividedBy(amount.value, 1_000_000)
      const limit = beyondFirst(item, quantity)
      if (limit !== null) return limit
      const once = tiered(item, quantity)
      return { item, arithmetic: once.arithmetic(item.unit === 'request' ? 'requests' : 'million requests'), cost: once.cost }
    }
    case 'GB-second': {
      if (amount === null) return unitOnly('how many GB-seconds')
      return { item, arithmetic: `${formatExact(amount.value)} GB-s × ${price}`, cost: times(amount.value, item.priceUsd) }
    }
  }
}

/** Divides last, so that hours a day lose nothing. */
function overHours(hourly: Exact, { period, dailyHours }: Running): Exact {
  const always = times(hourly, period.hours)
  return dailyHours === null ? always : dividedBy(times(always, dailyHours), 24)
}

function hoursText({ period, dailyHours }: Running): string {
  return `${formatExact(period.hours)} h${dailyHours === null ? '' : ` × ${formatExact(dailyHours)}/24`}`
}

function monthsOf(period: Period): Exact {
  return dividedBy(period.hours, HOURS_PER_MONTH)
}

/** What a quantity costs step by step. */
function tiered(item: PriceItem, quantity: Exact): { cost: Exact; arithmetic: (unit: string) => string } {
  const steps: { amount: Exact; price: Exact }[] = []
  let from = 0n
  for (const tier of item.tiers ?? [{ upTo: null, priceUsd: item.priceUsd }]) {
    const to = tier.upTo ?? null
    const end = to === null || to > quantity ? quantity : to
    if (end > from) steps.push({ amount: end - from, price: tier.priceUsd })
    from = end
  }
  const parts = (unit: string): string => steps.map(({ amount, price }) => `${formatExact(amount)} ${unit} × $${formatExact(price)}`).join(' + ')
  return {
    cost: steps.reduce((sum, { amount, price }) => sum + times(amount, price), 0n),
    arithmetic: (unit) => (steps.length > 1 ? `(${parts(unit)})` : parts(unit))
  }
}

/** Some prices are only published here for a first step: beyond it there is none to compute with. */
function beyondFirst(item: PriceItem, quantity: Exact): string | null {
  const match = /first (\d+) (TB|GB|PB|million)\b/i.exec(item.name)
  if (match === null || item.tiers !== undefined) return null
  const [, number = '0', unit = ''] = match
  const factor = { tb: 1_024, pb: 1_024 * 1_024 }[unit.toLowerCase()] ?? 1
  if (quantity <= exact(Number(number) * factor)) return null
  return `${item.service}, ${item.name}: the price book has the price of the first ${number} ${unit} only, so a larger amount is not computed.`
}
