// What each tier may do, and the budgets: defaults, and what an operator's file says instead. Pure.
import { z } from 'zod'
import type { Cap, Payer } from '../cost/ledger.ts'

const count = z.number().int().positive().max(1_000_000_000)
const tierSchema = z.object({
  /** Questions of a user per day (UTC); null: any number. */
  turnsPerDay: count.nullable(),
  /** Of an organisation, all its users together. */
  requestsPerMinute: count,
  /** Of them at once. */
  burst: count,
  tokensPerHour: count
})
export type Tier = z.infer<typeof tierSchema>

export const tierNames = ['FREE', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE'] as const
export type TierName = (typeof tierNames)[number]

export const defaultTiers: Readonly<Record<TierName, Tier>> = {
  FREE: { turnsPerDay: 10, requestsPerMinute: 10, burst: 5, tokensPerHour: 50_000 },
  STARTER: { turnsPerDay: 100, requestsPerMinute: 60, burst: 20, tokensPerHour: 500_000 },
  PROFESSIONAL: { turnsPerDay: 1_000, requestsPerMinute: 300, burst: 100, tokensPerHour: 5_000_000 },
  ENTERPRISE: { turnsPerDay: null, requestsPerMinute: 6_000, burst: 6_000, tokensPerHour: 100_000_000 }
}

/** USD with at most six decimals, as text or number; kept as integer micro-USD. */
const usd = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => /^\d{1,9}(\.\d{1,6})?$/.test(text), 'is not an amount in USD such as 250 or 99.50')
  .transform((text) => {
    const [whole = '0', part = ''] = text.split('.')
    return Number(whole) * 1_000_000 + Number(part.padEnd(6, '0'))
  })

export const limitsFileSchema = z.strictObject({
  tiers: z.partialRecord(z.enum(tierNames), tierSchema.partial()).default({}),
  organisations: z
    .record(
      z.string(),
      z.strictObject({
        tier: z.enum(tierNames).optional(),
        /** A month, all its clients together. */
        budgetUsd: usd.optional(),
        clients: z.record(z.string(), z.strictObject({ budgetUsd: usd })).default({}),
        /** For each client that is not named. */
        clientBudgetUsd: usd.optional()
      })
    )
    .default({})
})
export type LimitsFile = z.infer<typeof limitsFileSchema>

export interface LimitsPolicy {
  tierOf(organisation: string, named: string | undefined): Tier
  /** The monthly budgets that a payer's attempts count against. */
  capsOf(payer: Payer): readonly Cap[]
}

export function limitsPolicy(file: LimitsFile, fallback: TierName): LimitsPolicy {
  const tierNamed = (name: TierName): Tier => ({ ...defaultTiers[name], ...definedOf(file.tiers[name]) })
  const tiers: Readonly<Record<TierName, Tier>> = {
    FREE: tierNamed('FREE'),
    STARTER: tierNamed('STARTER'),
    PROFESSIONAL: tierNamed('PROFESSIONAL'),
    ENTERPRISE: tierNamed('ENTERPRISE')
  }
  return {
    tierOf(organisation, named) {
      return tiers[file.organisations[organisation]?.tier ?? tierNames.find((known) => known === named?.toUpperCase()) ?? fallback]
    },
    capsOf({ organisation, client }) {
      const own = file.organisations[organisation]
      if (own === undefined) return []
      const caps: Cap[] = []
      if (own.budgetUsd !== undefined) caps.push({ organisation, client: null, micros: own.budgetUsd })
      const ofClient = client === '' ? undefined : (own.clients[client]?.budgetUsd ?? own.clientBudgetUsd)
      if (ofClient !== undefined) caps.push({ organisation, client, micros: ofClient })
      return caps
    }
  }
}

function definedOf(part: Partial<Tier> | undefined): Partial<Tier> {
  return Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined))
}
