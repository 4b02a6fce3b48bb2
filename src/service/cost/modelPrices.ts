// What a language model's tokens cost, by the day they were used: a dated price book in integers, and exact sums of it.
// A model that is not in the book has no price; nobody guesses one.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'

/** Integer pico-USD (10⁻¹² USD): a token times micro-USD per million tokens is one exactly. Rounded once, by `microsOf`. */
export type PicoUsd = bigint

/** `cachedTokens` and `cacheWriteTokens` are parts of `inputTokens`. */
export interface TokenUse {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly cacheWriteTokens?: number | undefined
}

export interface ModelPriceBook {
  /** Which snapshot this is, and as of when (`YYYY-MM-DD`), for people. */
  readonly source: string
  readonly asOf: string
  /**
   * The exact price of what was used at that moment (Unix ms); null: the book does not know the model. `provider` is a profile's `priceKey`.
   */
  costOf(provider: string, model: string, use: TokenUse, at: number): PicoUsd | null
  /** Tokens; null: not known. */
  contextWindow(provider: string, model: string): number | null
  /** The `priceKey` of the service behind an address; null: not one of the book's. */
  providerAt(baseUrl: string): string | null
}

const match: z.ZodType<Match> = z.lazy(() =>
  z.union([
    z.object({ equals: z.string() }),
    z.object({ starts_with: z.string() }),
    z.object({ ends_with: z.string() }),
    z.object({ contains: z.string() }),
    z.object({ regex: z.string() }),
    z.object({ and: z.array(match) }),
    z.object({ or: z.array(match) })
  ])
)
type Match =
  { equals: string } | { starts_with: string } | { ends_with: string } | { contains: string } | { regex: string } | { and: Match[] } | { or: Match[] }

const amount = z.number().int().nonnegative()
const rateSchema = z.object({ base: amount, above: z.array(z.object({ inputTokens: amount, price: amount })).default([]) })
const ratesSchema = z.object({ input: rateSchema, output: rateSchema, cached: rateSchema.optional(), cacheWrite: rateSchema.optional() })
const periodSchema = z.object({
  from: z.string().optional(),
  /** Times of the day in UTC. */
  between: z.tuple([z.string(), z.string()]).optional(),
  rates: ratesSchema
})
const modelSchema = z.object({ id: z.string(), match, contextWindow: amount.optional(), periods: z.array(periodSchema).min(1) })
const bookSchema = z.object({
  source: z.string(),
  asOf: z.string(),
  providers: z.array(z.object({ id: z.string(), api: z.string(), fallback: z.array(z.string()).default([]), models: z.array(modelSchema) }))
})
type Rate = z.infer<typeof rateSchema>
type Period = z.infer<typeof periodSchema>
type Model = z.infer<typeof modelSchema>

/** Reads `models/prices.json` of the folder of price books. Null: there is none. Throws `CopilotError` when it is not a price book. */
export async function readModelPrices(folder: string): Promise<ModelPriceBook | null> {
  const file = join(folder, 'models', 'prices.json')
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  try {
    return createModelPriceBook(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error
    throw new CopilotError('invalid_request', `The price book ${file} can’t be read. Restore it from the release.`, { cause: error })
  }
}

/** Throws a `ZodError` when `content` is not a price book. */
export function createModelPriceBook(content: unknown): ModelPriceBook {
  const { source, asOf, providers } = bookSchema.parse(content)
  const byId = new Map(providers.map((provider) => [provider.id, provider]))
  const found = new Map<string, Model | null>()

  const search = (providerId: string, name: string): Model | null => {
    const provider = byId.get(providerId)
    if (provider === undefined) return null
    const own = provider.models.find((model) => matches(model.match, name))
    if (own !== undefined) return own
    for (const other of provider.fallback) {
      const model = other === providerId ? null : search(other, name)
      if (model !== null) return model
    }
    return null
  }

  const modelOf = (provider: string, model: string): Model | null => {
    const key = `${provider}\n${model}`
    const known = found.get(key)
    if (known !== undefined) return known
    const result = search(provider, model.trim().toLowerCase())
    // Names come from configurations and from upstreams, which may make them up.
    if (found.size >= MOST_NAMES_KEPT) found.clear()
    found.set(key, result)
    return result
  }

  return {
    source,
    asOf,
    costOf(provider, name, use, at) {
      const model = modelOf(provider, name)
      if (model === null) return null
      const { rates } = periodAt(model.periods, at)
      const cacheWrite = use.cacheWriteTokens ?? 0
      const plain = use.inputTokens - use.cachedTokens - cacheWrite
      if (plain < 0) return null
      const price = (rate: Rate, tokens: number): PicoUsd => BigInt(rateAt(rate, use.inputTokens)) * BigInt(tokens)
      return (
        price(rates.input, plain) +
        // Tokens without a price of their own are charged like any other input.
        price(rates.cached ?? rates.input, use.cachedTokens) +
        price(rates.cacheWrite ?? rates.input, cacheWrite) +
        price(rates.output, use.outputTokens)
      )
    },
    contextWindow: (provider, model) => modelOf(provider, model)?.contextWindow ?? null,
    providerAt: (baseUrl) => providers.find(({ api }) => new RegExp(`^(?:${api})`).test(baseUrl))?.id ?? null
  }
}

const MOST_NAMES_KEPT = 1_000

const PICO_PER_MICRO = 1_000_000n

/** Integer micro-USD, half up. The only rounding there is: sum first, round once for a turn. */
export function microsOf(cost: PicoUsd): number {
  return Number((cost + PICO_PER_MICRO / 2n) / PICO_PER_MICRO)
}

/** The whole prompt is charged at the rate of its size. */
function rateAt({ base, above }: Rate, inputTokens: number): number {
  return above.findLast((tier) => inputTokens > tier.inputTokens)?.price ?? base
}

/** The last one that holds; the first where none does. */
function periodAt(periods: readonly Period[], at: number): Period {
  return periods.findLast((period) => holds(period, at)) ?? (periods[0] as Period)
}

function holds({ from, between }: Period, at: number): boolean {
  if (from !== undefined) return at >= Date.parse(from)
  if (between === undefined) return true
  const [start, end] = between.map(secondsOfDay) as [number, number]
  const now = Math.floor((at % 86_400_000) / 1_000)
  return end < start ? now >= start || now < end : now >= start && now < end
}

/** `16:30:00Z` */
function secondsOfDay(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace('Z', '').split(':').map(Number)
  return hours * 3_600 + minutes * 60 + seconds
}

function matches(rule: Match, name: string): boolean {
  if ('equals' in rule) return name === rule.equals.toLowerCase()
  if ('starts_with' in rule) return name.startsWith(rule.starts_with.toLowerCase())
  if ('ends_with' in rule) return name.endsWith(rule.ends_with.toLowerCase())
  if ('contains' in rule) return name.includes(rule.contains.toLowerCase())
  if ('regex' in rule) return new RegExp(rule.regex).test(name)
  if ('and' in rule) return rule.and.every((part) => matches(part, name))
  return rule.or.some((part) => matches(part, name))
}
