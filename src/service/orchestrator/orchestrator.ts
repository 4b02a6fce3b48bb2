// Chooses who answers and stands in for who can't: the first provider that is ready, then the next, down to the built-in
// knowledge. Breaker, routing by price and quality, and queues go into `candidates`.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { FinishReason, Usage } from '../../shared/turn.ts'
import type { Provider, ProviderRequest } from '../providers/provider.ts'

/** What the orchestrator says while an answer is on its way. */
type OrchestratorEvent =
  { readonly type: 'delta'; readonly text: string } | { readonly type: 'notice'; readonly kind: 'failover' | 'local'; readonly text: string }

interface Outcome {
  readonly finish: FinishReason
  readonly usage: Usage
}

export interface ProviderStatus {
  readonly id: string
  readonly name: string
  readonly model: string | null
  readonly kind: Provider['kind']
  readonly ready: boolean
}

export interface Orchestrator {
  /**
   * Resolves when the answer is complete. Throws `CopilotError` when nobody could answer, or when the one who had begun
   * broke off: after the first text there is no starting again.
   */
  answer(request: ProviderRequest, options: { readonly signal: AbortSignal; readonly emit: (event: OrchestratorEvent) => void }): Promise<Outcome>
  status(signal: AbortSignal): Promise<readonly ProviderStatus[]>
}

/** Micro-USD; null: the price is not known. */
type PriceOf = (usage: Pick<Usage, 'provider' | 'model' | 'inputTokens' | 'outputTokens' | 'cachedTokens'>) => number | null

export interface OrchestratorOptions {
  /** In the order of preference. */
  readonly providers: readonly Provider[]
  readonly clock: Clock
  readonly priceOf: PriceOf
}

interface Attempt {
  readonly provider: Provider
  readonly failures: readonly string[]
  readonly startedAt: number
}

export function createOrchestrator({ providers, clock, priceOf }: OrchestratorOptions): Orchestrator {
  const run = async (
    { provider, failures, startedAt }: Attempt,
    request: ProviderRequest,
    { signal, emit }: Parameters<Orchestrator['answer']>[1]
  ): Promise<Outcome> => {
    let firstTextAt: number | null = null
    let finish: FinishReason | null = null
    let tokens = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
    try {
      for await (const part of provider.stream(request, signal)) {
        if (part.type === 'finish') finish = part.reason
        else if (part.type === 'usage') tokens = { inputTokens: part.inputTokens, outputTokens: part.outputTokens, cachedTokens: part.cachedTokens }
        else {
          if (firstTextAt === null) {
            firstTextAt = clock.now()
            const notice = noticeOf(provider, failures)
            if (notice !== null) emit(notice)
          }
          emit({ type: 'delta', text: part.text })
        }
      }
      if (finish === null) throw new CopilotError('unavailable', `${provider.name} broke off before its answer was complete.`)
      if (firstTextAt === null && finish === 'stop') throw new CopilotError('unavailable', `${provider.name} answered with nothing.`)
    } catch (error) {
      throw firstTextAt === null ? error : begun(error)
    }
    const now = clock.now()
    const used = { provider: provider.id, model: provider.model() ?? provider.id, ...tokens }
    return {
      finish,
      usage: {
        ...used,
        costMicros: priceOf(used) ?? 0,
        firstTextMs: (firstTextAt ?? now) - startedAt,
        totalMs: now - startedAt,
        failovers: failures.length
      }
    }
  }

  return {
    async answer(request, options) {
      const startedAt = clock.now()
      const failures: string[] = []
      let last: unknown = new CopilotError('unavailable', 'Nobody can answer right now. The question is kept; try again.', { retryAfterMs: 5_000 })
      for (const provider of candidates(providers, request)) {
        if (!(await provider.ready(options.signal))) continue
        try {
          return await run({ provider, failures, startedAt }, request, options)
        } catch (error) {
          if (options.signal.aborted || !(error instanceof CopilotError) || hasBegun.has(error)) throw error
          failures.push(error.message)
          last = error
        }
      }
      throw last
    },
    status: (signal) =>
      Promise.all(
        providers.map(async (provider) => ({
          id: provider.id,
          name: provider.name,
          model: provider.model(),
          kind: provider.kind,
          ready: await provider.ready(signal)
        }))
      )
  }
}

/** Who may answer, best first. A cost that was computed exactly is not handed to a model to be told again. */
function candidates(providers: readonly Provider[], request: ProviderRequest): readonly Provider[] {
  if (request.quickAction !== 'cost' || request.material.estimate.length === 0) return providers
  return [...providers.filter(({ kind }) => kind === 'local'), ...providers.filter(({ kind }) => kind !== 'local')]
}

/** Failures of an answer of which a part has been read. */
const hasBegun = new WeakSet<CopilotError>()

function begun(error: unknown): unknown {
  if (!(error instanceof CopilotError)) return error
  const { code, message, ...rest } = error.toWire()
  const marked = new CopilotError(code, `${message} What arrived is kept; ask again for the rest.`, { ...rest, cause: error })
  hasBegun.add(marked)
  return marked
}

function noticeOf(provider: Provider, failures: readonly string[]): OrchestratorEvent | null {
  if (failures.length > 0) return { type: 'notice', kind: 'failover', text: `${failures.join(' ')} ${answeredInstead(provider)}` }
  if (provider.kind === 'model') return null
  return { type: 'notice', kind: 'local', text: 'Answered from the built-in knowledge; no language model was asked.' }
}

function answeredInstead(provider: Provider): string {
  return provider.kind === 'local'
    ? 'Answered from the built-in knowledge instead; no language model wrote this.'
    : `${provider.name} answered instead.`
}
