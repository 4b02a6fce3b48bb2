// Chooses who answers and stands in for who can't. Routing, breakers, the queue, the relay of one answer and the ledger come
// together here; each is a room of its own.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock, NewId, Random } from '../../shared/kit/clock.ts'
import type { FinishReason, Usage } from '../../shared/turn.ts'
import type { Budgets } from '../cost/budget.ts'
import type { Ledger } from '../cost/ledger.ts'
import type { Provider, ProviderRequest } from '../providers/provider.ts'
import type { Bond } from '../store/bond.ts'
import { createAccountant, type Asker } from './accountant.ts'
import { breakerRules, type BreakerPhase, type BreakerRules } from './breaker.ts'
import { createFairQueue } from './fairQueue.ts'
import { createFleet, type Member } from './fleet.ts'
import { relay, type Relayed } from './relay.ts'
import { relayTiming, type RelayTiming } from './relayTiming.ts'
import { routeWeights, type RouteNeed, type RouteWeights } from './routing.ts'
import { createSeating } from './seating.ts'
import type { OnSignal } from './signals.ts'
import { ANSWER_ROOM, fitToWindow, type Tariff } from './tariff.ts'

/** What the orchestrator says while an answer is on its way. */
export type OrchestratorEvent =
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'notice'; readonly kind: 'failover' | 'local' | 'budget' | 'cached'; readonly text: string }
  | { readonly type: 'queued'; readonly reason: string; readonly retryAt: number }

export interface Outcome {
  readonly finish: FinishReason
  /** Tokens and cost of all attempts together, also of those that failed. */
  readonly usage: Usage
}

export interface ProviderStatus {
  readonly id: string
  readonly name: string
  readonly model: string | null
  readonly kind: Provider['kind']
  readonly ready: boolean
  readonly breaker: BreakerPhase
  /** Answers on their way. */
  readonly inFlight: number
}

export interface AnswerOptions {
  readonly signal: AbortSignal
  readonly emit: (event: OrchestratorEvent) => void
  /** On whose account; absent: nobody's in particular. */
  readonly asker?: Asker
  /** Whether an answer of a moment ago may be given again; absent: no. */
  readonly reuse?: Reuse
  /**
   * Called once all text is there, in the tick in which the cost is put on record and right after it, so that both become durable
   * together; awaited. Not called for an answer that failed, nor for one that is given again.
   */
  readonly alongside?: (outcome: Outcome) => Promise<void>
  /** Of what the caller writes alongside: the cost is part of it. */
  readonly bond?: Bond | undefined
}

export interface Reuse {
  readonly sessionId: string
  /** The session's context: when it changes, nothing older is given again. */
  readonly context: Readonly<Record<string, string>>
  /** `similar`: also to the same question in other words, for callers who ask for that. `none`: it is answered anew, and kept. */
  readonly mode: 'exact' | 'similar' | 'none'
}

export interface Orchestrator {
  /**
   * Resolves when the answer is complete and what it cost is on record. Throws `CopilotError`: `unavailable` and its like when
   * nobody could answer or go on, `budget_exhausted`, `cancelled`. What was emitted stays.
   */
  answer(request: ProviderRequest, options: AnswerOptions): Promise<Outcome>
  status(signal: AbortSignal): Promise<readonly ProviderStatus[]>
  /** Questions that wait for a free place. */
  readonly queueDepth: number
  /** Ends what it does by itself; answers go on. */
  stop(): void
}

export interface OrchestratorSettings {
  readonly weights: RouteWeights
  readonly breaker: BreakerRules
  readonly timing: RelayTiming
  /** Answers at once of one provider. */
  readonly placesPerProvider: number
  readonly longestQueue: number
  readonly longestQueueWaitMs: number
  /** What an answer is expected to have, for predictions. */
  readonly expectedOutputTokens: number
  /** How often an open breaker's provider is asked whether it is well again, ms. */
  readonly probeEveryMs: number
}

export const orchestratorSettings: OrchestratorSettings = {
  weights: routeWeights,
  breaker: breakerRules,
  timing: relayTiming,
  placesPerProvider: 64,
  longestQueue: 2_000,
  longestQueueWaitMs: 20_000,
  expectedOutputTokens: 600,
  probeEveryMs: 1_000
}

export interface OrchestratorOptions {
  readonly providers: readonly Provider[]
  readonly clock: Clock
  readonly newId: NewId
  readonly random: Random
  readonly ledger: Pick<Ledger, 'reserve' | 'settle'>
  readonly budgets: Budgets
  readonly tariff: Tariff
  readonly settings?: Partial<OrchestratorSettings>
  readonly onSignal?: OnSignal
  /** Tokens of every attempt, as it is settled. */
  readonly onUsed?: (organisation: string, tokens: number) => Promise<void>
}

/** What the instruction to go on costs, at most. */
const CONTINUATION_TOKENS = 500
const NOBODY: Asker = { turnId: '', userId: '', organisation: '', client: '' }

export function createOrchestrator(options: OrchestratorOptions): Orchestrator {
  const { providers, clock, newId, random, ledger, budgets, tariff } = options
  const settings = { ...orchestratorSettings, ...options.settings }
  const onSignal = options.onSignal ?? (() => undefined)
  const now = (): number => clock.now()
  const queue = createFairQueue({ longest: settings.longestQueue, longestWaitMs: settings.longestQueueWaitMs, clock })
  const fleet = createFleet({
    providers,
    placesOf: () => settings.placesPerProvider,
    breakerRules: settings.breaker,
    clock,
    onSignal,
    probeEveryMs: settings.probeEveryMs,
    onFree: () => queue.wake()
  })

  /** Models of which the log has been told that nobody knows their price. */
  const told = new Set<string>()

  return {
    async answer(request, { signal, emit, asker = NOBODY, alongside, bond }) {
      const startedAt = now()
      signal.throwIfAborted()
      const [standing] = await Promise.all([budgets.standing(asker), fleet.look()])
      signal.throwIfAborted()
      if (standing.level === 'exhausted') {
        throw new CopilotError('budget_exhausted', standing.text ?? 'The budget is used up.', { resetAt: standing.resetAt })
      }
      if (standing.text !== null) emit({ type: 'notice', kind: 'budget', text: standing.text })
      const unpriced = new Set<string>()
      const accountant = createAccountant({
        ledger,
        tariff,
        asker,
        bond,
        now,
        expectedOutputTokens: settings.expectedOutputTokens,
        onUsed: options.onUsed,
        onUnpriced(provider, model) {
          unpriced.add(model)
          onSignal({ type: 'unpriced', provider, model, isFirst: !told.has(model) })
          told.add(model)
        }
      })
      const need: RouteNeed = {
        leastInputTokens: tariff.roughTokens(request.question, ''),
        outputTokens: Math.min(ANSWER_ROOM, request.maxOutputTokens ?? ANSWER_ROOM),
        modalities: ['text'],
        remainingMicros: standing.remainingMicros,
        thrifty: standing.level === 'thrifty',
        prefersLocal: request.quickAction === 'cost' && request.material.estimate.length > 0
      }
      const prices = new Map<Member['provider'], number | null>()
      const priceOf = (member: Member): number | null => {
        const known = prices.get(member.provider)
        if (known !== undefined) return known
        const price = member.provider.kind === 'local' ? 0 : accountant.predict(member, request.prompt).micros
        prices.set(member.provider, price)
        return price
      }
      const seating = createSeating({
        fleet,
        queue,
        need,
        weights: settings.weights,
        priceOf,
        random,
        organisation: asker.organisation,
        userId: asker.userId,
        signal,
        onQueued: (retryAt) => {
          onSignal({ type: 'queued', depth: queue.depth })
          emit({ type: 'queued', reason: 'Everybody who can answer is busy. The question waits for its turn.', retryAt })
        },
        onSeated: (waitedMs) => onSignal({ type: 'queue-left', waitedMs }),
        now
      })
      const reserve = (attemptId: string, member: Member, prompt: ProviderRequest['prompt']): Promise<boolean> =>
        accountant.reserve(attemptId, member, accountant.predict(member, prompt), standing.caps)
      const outcomeOf = ({ finish, by, used, firstTextAt, failovers }: Relayed): Outcome => {
        const endedAt = now()
        const times = { firstTextMs: (firstTextAt ?? endedAt) - startedAt, totalMs: endedAt - startedAt }
        return { finish, usage: { provider: by.provider.id, model: by.modelName, ...used, ...times, failovers } }
      }
      let outcome: Outcome | null = null
      const relayed = await relay({
        request,
        signal,
        emit,
        seating,
        accountant,
        fit: (asked, { profile, modelName }, said) =>
          fitToWindow(asked, profile, said === '' ? 0 : tariff.roughTokens(said, modelName) + CONTINUATION_TOKENS),
        reserve,
        alongside(ended) {
          outcome = outcomeOf(ended)
          if (unpriced.size > 0) emit({ type: 'notice', kind: 'budget', text: unpricedNotice([...unpriced]) })
          return alongside?.(outcome)
        },
        timing: settings.timing,
        now,
        newId,
        random,
        onSignal
      })
      return outcome ?? outcomeOf(relayed)
    },

    async status(signal) {
      await fleet.look()
      signal.throwIfAborted()
      return fleet.members().map(({ provider, profile, ready, breaker, inFlight }) => ({
        id: provider.id,
        name: provider.name,
        model: profile.model,
        kind: provider.kind,
        ready: ready && breaker.phase !== 'open',
        breaker: breaker.phase,
        inFlight
      }))
    },

    get queueDepth() {
      return queue.depth
    },

    stop: () => fleet.stop()
  }
}

function unpricedNotice(models: readonly string[]): string {
  return `No price is known of ${models.join(', ')}: this answer stands in the books with its tokens and without what they cost.`
}
