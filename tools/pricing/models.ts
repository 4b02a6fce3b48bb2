// npm run prices:models: writes resources/pricing/models/prices.json from @pydantic/genai-prices, in integers. Its as-of
// date is the day it was derived; `--check` only says whether the file is what the installed package gives.
import { createRequire } from 'node:module'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findProvider, type ConditionalPrice, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices'
import { z } from 'zod'

const file = fileURLToPath(new URL('../../resources/pricing/models/prices.json', import.meta.url))

/** Whose prices are kept: those the service has a codec for, and makers whose servers speak OpenAI's protocol. */
const providerIds = [
  'openai',
  'anthropic',
  'google',
  'aws',
  'azure',
  'cerebras',
  'deepseek',
  'fireworks',
  'groq',
  'mistral',
  'moonshotai',
  'perplexity',
  'together',
  'x-ai'
]

/** What a turn of text can be charged for. A model with another kind of price (by the hour, by the request) is left out. */
const kinds = { input: 'input_mtok', cached: 'cache_read_mtok', cacheWrite: 'cache_write_mtok', output: 'output_mtok' } as const

/** Micro-USD for a million tokens. What has no exact number of them (a sixth of half a dollar) is rounded up. */
function micros(dollars: number): number {
  return Math.ceil(Number((dollars * 1e6).toFixed(4)))
}

function ratesOf(prices: ModelPrice): Record<string, unknown> | null {
  if (prices[kinds.input] === undefined || prices[kinds.output] === undefined || prices['requests_kcount'] !== undefined) return null
  const rates: Record<string, unknown> = {}
  for (const [kind, key] of Object.entries(kinds)) {
    const price = prices[key]
    if (price === undefined) continue
    if (typeof price === 'number') rates[kind] = { base: micros(price) }
    else
      rates[kind] = { base: micros(price.base), above: price.tiers.map(({ start, price: above }) => ({ inputTokens: start, price: micros(above) })) }
  }
  return rates
}

function whenOf({ constraint }: ConditionalPrice): object {
  if (constraint === undefined) return {}
  return constraint.type === 'start_date' ? { from: constraint.start_date } : { between: [constraint.start_time, constraint.end_time] }
}

function modelOf({ id, match, context_window: contextWindow, prices }: ModelInfo): object | null {
  const periods = (Array.isArray(prices) ? prices : [{ prices }]).map((entry) => {
    const rates = ratesOf(entry.prices)
    return rates === null ? null : { ...whenOf(entry), rates }
  })
  return periods.includes(null) ? null : { id, match, ...(contextWindow === undefined ? {} : { contextWindow }), periods }
}

function derive(asOf: string): object {
  const manifest = createRequire(import.meta.url)
    .resolve('@pydantic/genai-prices')
    .replace(/dist\/.*$/, 'package.json')
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8')))
  const providers = providerIds.map((id) => {
    const found = findProvider({ providerId: id })
    if (found === undefined) throw new Error(`${id}: not in the package any more`)
    return {
      id,
      api: found.api_pattern,
      ...(found.fallback_model_providers === undefined
        ? {}
        : { fallback: found.fallback_model_providers.filter((other) => providerIds.includes(other)) }),
      models: found.models.map(modelOf).filter((model) => model !== null)
    }
  })
  return { source: `@pydantic/genai-prices ${version}`, asOf, currency: 'USD', unit: 'micro-USD per million tokens', providers }
}

if (process.argv.includes('--check')) {
  const kept = readFileSync(file, 'utf8')
  const { asOf } = z.object({ asOf: z.string() }).parse(JSON.parse(kept))
  if (kept !== text(derive(asOf))) {
    process.stderr.write('resources/pricing/models/prices.json is not what the installed package gives. Run npm run prices:models.\n')
    process.exitCode = 1
  }
} else {
  mkdirSync(new URL('.', `file://${file}`), { recursive: true })
  writeFileSync(file, text(derive(new Date().toISOString().slice(0, 10))))
}

/** One line for each model: short, and a change of a price is a change of a line. */
function text(book: object): string {
  return `${JSON.stringify(book)
    .replaceAll(',"providers":[', ',\n"providers":[\n')
    .replaceAll('},{"id":', '},\n{"id":')
    .replaceAll('"models":[', '"models":[\n')}\n`
}
