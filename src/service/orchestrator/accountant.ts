// What an attempt is predicted to cost before it is sent, and what it has cost after: the orchestrator's side of the ledger.
import type { AttemptOutcome, Cap, Ledger, Payer } from '../cost/ledger.ts'
import type { Bond } from '../store/bond.ts'
import { ProviderFailure } from '../providers/failure.ts'
import type { ProviderRequest, ProviderUsage } from '../providers/provider.ts'
import type { Lane } from './lane.ts'
import type { Member } from './fleet.ts'
import type { Tariff } from './tariff.ts'

/** Whose attempt, at which turn. */
export interface Asker extends Payer {
  readonly turnId: string
}

export interface Prediction {
  readonly inputTokens: number
  /** Micro-USD; null: no price is known. */
  readonly micros: number | null
}

/** What an attempt has used. */
export interface Used {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly costMicros: number
}

export interface Settled {
  readonly used: Used
  /** Resolves when it is on record. */
  readonly recorded: Promise<void>
}

export interface Accountant {
  predict(member: Member, prompt: ProviderRequest['prompt']): Prediction
  /** False: the caps don't allow it. */
  reserve(attemptId: string, member: Member, prediction: Prediction, caps: readonly Cap[]): Promise<boolean>
  /** Once the lane is closed. `error`: what it failed with. */
  settle(lane: Lane, outcome: AttemptOutcome, error?: unknown): Settled
  /** Of an attempt that was reserved and never sent. */
  release(attemptId: string): Promise<void>
}

export interface AccountantOptions {
  readonly ledger: Pick<Ledger, 'reserve' | 'settle'>
  readonly tariff: Tariff
  readonly asker: Asker
  /** Of the writes that end the turn. */
  readonly bond?: Bond | undefined
  readonly now: () => number
  /** Tokens that an answer is predicted to have. */
  readonly expectedOutputTokens: number
  /** Tokens of every attempt, for the limits. */
  readonly onUsed?: ((organisation: string, tokens: number) => Promise<void>) | undefined
  /** An attempt used tokens of a model that no price book knows: on record it costs nothing. */
  readonly onUnpriced: (provider: string, model: string) => void
}

const NOTHING: Used = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 }

export function createAccountant(options: AccountantOptions): Accountant {
  const { ledger, tariff, asker, bond, now, expectedOutputTokens, onUsed, onUnpriced } = options
  const { userId, organisation, client, turnId } = asker
  /** Counting takes time, and the same prompt is asked about several times in a row. */
  let counted: { readonly prompt: ProviderRequest['prompt']; readonly byModel: Map<string, number> } | null = null
  const promptTokens = (prompt: ProviderRequest['prompt'], model: string): number => {
    if (counted?.prompt !== prompt) counted = { prompt, byModel: new Map() }
    const tokens = counted.byModel.get(model) ?? tariff.promptTokens(prompt, model)
    counted.byModel.set(model, tokens)
    return tokens
  }
  return {
    predict({ profile, modelName }, prompt) {
      const inputTokens = promptTokens(prompt, modelName)
      const outputTokens = Math.min(expectedOutputTokens, profile.maxOutputTokens)
      return { inputTokens, micros: tariff.costMicros(profile, { inputTokens, outputTokens, cachedTokens: 0 }, now()) }
    },

    async reserve(attemptId, { provider, modelName }, { inputTokens, micros }, caps) {
      // The built-in knowledge costs nothing and is asked nowhere: no row.
      if (provider.kind === 'local') return true
      const predicted = { predictedMicros: micros ?? 0, predictedInputTokens: inputTokens }
      return await ledger.reserve(
        { attemptId, turnId, userId, organisation, client, provider: provider.id, model: modelName, at: now(), ...predicted },
        caps
      )
    },

    settle(lane, outcome, error) {
      const { provider, profile, modelName } = lane.seat.member
      if (provider.kind === 'local') return { used: NOTHING, recorded: Promise.resolve() }
      const { estimated, ...tokens } = usageOf(lane, outcome, error, (text) => tariff.textTokens(text, modelName))
      // A provider may answer with another model than the one it was asked for, and says so.
      const cost = tariff.costMicros(profile, tokens, lane.startedAt)
      const { inputTokens, outputTokens, cachedTokens } = tokens
      const used = { inputTokens, outputTokens, cachedTokens, costMicros: cost ?? 0 }
      const settling = ledger.settle({ attemptId: lane.attemptId, at: now(), outcome, ...used, estimated, priced: cost !== null }, bond)
      if (cost === null && inputTokens + outputTokens > 0) onUnpriced(provider.id, modelName)
      return { used, recorded: settling.then(() => onUsed?.(organisation, inputTokens + outputTokens)) }
    },

    async release(attemptId) {
      await ledger.settle({ attemptId, at: now(), outcome: 'cancelled', ...NOTHING, estimated: false, priced: true })
    }
  }
}

/**
 * What the provider says it used. Where it did not come to say so: nothing, when it refused before it began; otherwise our
 * estimate, marked. An upstream bills what it has read and written also when nobody waits for it any more.
 */
function usageOf(
  lane: Lane,
  outcome: AttemptOutcome,
  error: unknown,
  tokensOf: (text: string) => number
): ProviderUsage & { readonly estimated: boolean } {
  const { usage, heard, usageCovers, inputTokens } = lane
  if (usage !== null && (outcome === 'answered' || usageCovers === heard.length)) return { ...usage, estimated: false }
  const began = heard !== '' || usage !== null || !(error instanceof ProviderFailure) || error.kind === 'cut' || error.kind === 'timeout'
  if (!began) return { inputTokens: 0, outputTokens: 0, cachedTokens: 0, estimated: false }
  const known = usage ?? { inputTokens, outputTokens: 0, cachedTokens: 0 }
  return { ...known, outputTokens: Math.max(known.outputTokens, heard === '' ? 0 : tokensOf(heard)), estimated: true }
}
