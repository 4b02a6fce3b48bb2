// An orchestrator for tests, with providers that follow a script and a ledger that can be read.
import type { Asker } from '../../src/service/orchestrator/accountant.ts'
import type { Tariff } from '../../src/service/orchestrator/tariff.ts'
import {
  createOrchestrator,
  type Orchestrator,
  type OrchestratorEvent,
  type OrchestratorOptions,
  type Outcome
} from '../../src/service/orchestrator/orchestrator.ts'
import type { OrchestratorSignal } from '../../src/service/orchestrator/signals.ts'
import { createBudgets } from '../../src/service/cost/budget.ts'
import type { Cap, Ledger } from '../../src/service/cost/ledger.ts'
import { createMemoryLedger } from '../../src/service/cost/ledger.memory.ts'
import { modelFacts, type ModelFacts } from '../../src/service/providers/models.ts'
import type { Provider, ProviderPart, ProviderRequest } from '../../src/service/providers/provider.ts'
import type { Clock } from '../../src/shared/kit/clock.ts'
import { never } from './service-parts.ts'

/** A piece of an answer; an error to throw; `hang`: nothing more comes until it is stopped. */
export type Step = ProviderPart | Error | 'hang' | { readonly after: Promise<unknown> }
export const text = (piece: string): ProviderPart => ({ type: 'text', text: piece })
export const used = (inputTokens: number, outputTokens: number): ProviderPart => ({ type: 'usage', inputTokens, outputTokens, cachedTokens: 0 })
export const stop: ProviderPart = { type: 'finish', reason: 'stop' }

export interface Scripted extends Provider {
  readonly asked: readonly ProviderRequest[]
  /** How many of its streams are open. */
  readonly open: number
}

export interface ScriptedOptions {
  readonly facts?: Partial<ModelFacts>
  readonly ready?: boolean
  readonly kind?: Provider['kind']
}

/** Answers the nth call with the nth script, later ones with the last. */
export function scripted(
  id: string,
  scripts: readonly (readonly Step[])[],
  { facts = {}, ready = true, kind = 'model' }: ScriptedOptions = {}
): Scripted {
  const asked: ProviderRequest[] = []
  let open = 0
  return {
    id,
    name: id.toUpperCase(),
    kind,
    asked,
    get open() {
      return open
    },
    ready: () => Promise.resolve(ready),
    model: () => `${id}-1`,
    profile: () => ({ ...modelFacts(`${id}-1`, facts), model: `${id}-1`, priceKey: id, timeouts: { firstTextMs: 30_000, betweenTextMs: 30_000 } }),
    probe: () => Promise.resolve(),
    async *stream(request, signal) {
      asked.push(request)
      const script = scripts[Math.min(asked.length, scripts.length) - 1] ?? []
      open += 1
      try {
        for (const step of script) {
          signal.throwIfAborted()
          if (step instanceof Error) throw step
          if (step === 'hang')
            await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }))
          else if ('after' in step) await step.after
          else yield step
        }
      } finally {
        open -= 1
      }
    }
  }
}

/** A token is a character; input costs 2 micro-USD each, output 10. */
export const plainTariff: Tariff = {
  promptTokens: (prompt) => prompt.reduce((sum, { content }) => sum + content.length, 0),
  roughTokens: (piece) => piece.length,
  textTokens: (piece) => piece.length,
  costMicros: (_profile, { inputTokens, outputTokens }) => inputTokens * 2 + outputTokens * 10
}

export const anna: Asker = { turnId: 'turn-1', userId: 'anna', organisation: 'north', client: 'Harbor' }

export interface Orchestra {
  readonly orchestrator: Orchestrator
  readonly ledger: Ledger
  readonly signals: readonly OrchestratorSignal[]
  /** One answer, with everything that was emitted. */
  ask(request: ProviderRequest, asker?: Partial<Asker>, signal?: AbortSignal): Promise<Heard>
}

export interface Heard {
  readonly events: readonly OrchestratorEvent[]
  readonly text: string
  readonly notices: readonly string[]
  /** Null: it failed. */
  readonly outcome: Outcome | null
  readonly error: unknown
}

export interface OrchestraOptions extends Partial<OrchestratorOptions> {
  readonly providers: readonly Provider[]
  readonly clock: Clock
  readonly caps?: readonly Cap[]
}

export function orchestra({ caps = [], ...options }: OrchestraOptions): Orchestra {
  const ledger = createMemoryLedger()
  const signals: OrchestratorSignal[] = []
  let ids = 0
  const { clock } = options
  const orchestrator = createOrchestrator({
    newId: () => `attempt-${(ids += 1)}`,
    random: () => 0,
    ledger,
    budgets: createBudgets({ ledger, capsOf: () => caps, isLifted: () => false, clock }),
    tariff: plainTariff,
    onSignal: (signal) => void signals.push(signal),
    ...options
  })
  return {
    orchestrator,
    ledger,
    signals,
    async ask(request, asker = {}, signal = never) {
      const events: OrchestratorEvent[] = []
      let outcome: Outcome | null = null
      let error: unknown = null
      try {
        outcome = await orchestrator.answer(request, { signal, emit: (event) => void events.push(event), asker: { ...anna, ...asker } })
      } catch (thrown) {
        error = thrown
      }
      return {
        events,
        text: events.map((event) => (event.type === 'delta' ? event.text : '')).join(''),
        notices: events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])),
        outcome,
        error
      }
    }
  }
}
