// The price books of resources/pricing: what a unit of something costs, where, as of when, and who says so.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseExact, type Exact } from './money.ts'

const price = z.string().transform((text, context): Exact => {
  const value = parseExact(text)
  if (value !== null) return value
  context.addIssue({ code: 'custom', message: `"${text}" is not a decimal number` })
  return z.NEVER
})
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)

/** What a price counts. */
const units = ['hour', 'month', 'GB-month', 'GB', 'million-requests', 'request', 'GB-second', 'GB-hour', 'vCPU-hour', 'vCPU-second'] as const
export type Unit = (typeof units)[number]

const itemSchema = z.object({
  id: z.string(),
  service: z.string(),
  name: z.string(),
  aliases: z.array(z.string()).default([]),
  region: z.string(),
  unit: z.enum(units),
  priceUsd: price,
  /** The first `upTo` units cost `priceUsd` each, and so on; null: all the rest. */
  tiers: z.array(z.object({ upTo: z.union([price, z.null()]).optional(), priceUsd: price })).optional(),
  source: z.object({ title: z.string(), url: z.string(), asOf: date })
})
const bookSchema = z.object({ provider: z.enum(['aws', 'azure', 'gcp']), asOf: date, currency: z.literal('USD'), items: z.array(itemSchema) })

export type CloudProvider = z.infer<typeof bookSchema>['provider']
export type PriceItem = z.infer<typeof itemSchema> & { readonly provider: CloudProvider }

export interface PriceBook {
  readonly items: readonly PriceItem[]
  /** What could not be read, one line each; the rest is used. */
  readonly problems: readonly string[]
}

/** Reads every `*.json` of the folder. A missing folder is an empty book. */
export async function readPriceBook(folder: string): Promise<PriceBook> {
  const items: PriceItem[] = []
  const problems: string[] = []
  for (const file of await bookFiles(folder)) {
    try {
      const book = bookSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8')))
      for (const item of book.items) items.push({ ...item, provider: book.provider })
    } catch (error) {
      problems.push(`${file}: ${error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : 'not JSON'}`)
    }
  }
  return { items, problems }
}

async function bookFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
