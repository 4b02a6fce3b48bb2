// One price book: amounts are decimal strings so that estimates can be computed exactly. Pure; check.ts reads the files.
import { z } from 'zod'
import { realDate } from './dates.ts'

/** The clouds that have a price book. */
export const priceBookProviders = ['aws', 'azure', 'gcp'] as const

export const units = ['hour', 'GB-month', 'GB', 'million-requests', 'request', 'GB-second', 'vCPU-hour', 'GB-hour', 'month', 'vCPU-second'] as const

const decimal = z.string().regex(/^(0|[1-9]\d*)(\.\d+)?$/, 'not a plain decimal string')

export const priceItemSchema = z.strictObject({
  id: z.string().regex(/^(aws|azure|gcp)(\.[a-z0-9-]+)+$/, 'not a dotted lower-case id'),
  service: z.string().min(3),
  name: z.string().min(3),
  aliases: z.array(z.string().min(2)).min(1),
  region: z.string().regex(/^[a-z0-9-]+$/),
  unit: z.enum(units),
  priceUsd: decimal,
  tiers: z
    .array(z.strictObject({ upTo: decimal.nullable(), priceUsd: decimal }))
    .min(2)
    .optional(),
  source: z.strictObject({ title: z.string().min(10), url: z.url({ protocol: /^https$/ }), asOf: z.string() })
})
export type PriceItem = z.infer<typeof priceItemSchema>

export const priceBookSchema = z.strictObject({
  provider: z.enum(priceBookProviders),
  asOf: z.string(),
  currency: z.literal('USD'),
  items: z.array(priceItemSchema).min(1)
})
export type PriceBook = z.infer<typeof priceBookSchema>

/**
 * What is wrong with a price book, one sentence each.
 * @param name file name without folder, `aws.json`
 * @param today ISO date; no price may be younger
 */
export function checkPriceBook(name: string, content: unknown, today: string): string[] {
  const parsed = priceBookSchema.safeParse(content)
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  const book = parsed.data
  const problems: string[] = []
  if (name !== `${book.provider}.json`) problems.push(`the book of "${book.provider}" is in ${name}`)
  const date = realDate(book.asOf, today)
  if (date !== null) problems.push(`asOf ${date}`)

  const ids = new Set<string>()
  const places = new Set<string>()
  for (const item of book.items) {
    if (ids.has(item.id)) problems.push(`${item.id} is there twice`)
    ids.add(item.id)
    if (!item.id.startsWith(`${book.provider}.`)) problems.push(`${item.id} is in the book of ${book.provider}`)
    for (const alias of item.aliases) {
      const place = `${alias.toLowerCase()} in ${item.region}`
      if (places.has(place)) problems.push(`${item.id}: the alias "${place}" is taken by another item`)
      places.add(place)
    }
    problems.push(...checkItem(item, book.asOf, today).map((problem) => `${item.id}: ${problem}`))
  }
  return problems
}

function checkItem(item: PriceItem, bookAsOf: string, today: string): string[] {
  const problems: string[] = []
  const date = realDate(item.source.asOf, today)
  if (date !== null) problems.push(`source date ${date}`)
  else if (item.source.asOf > bookAsOf) problems.push('the source is younger than the book')
  if (!item.tiers) return problems

  const last = item.tiers.at(-1)
  if (last?.upTo !== null) problems.push('the last tier must be open (upTo null)')
  let below = 0
  for (const tier of item.tiers.slice(0, -1)) {
    const upTo = tier.upTo === null ? Number.NaN : Number(tier.upTo)
    if (!(upTo > below)) problems.push(`tier up to ${tier.upTo} does not follow ${below}`)
    below = upTo
  }
  if (!item.tiers.some((tier) => Number(tier.priceUsd) === Number(item.priceUsd))) problems.push('priceUsd is the price of none of its tiers')
  return problems
}
