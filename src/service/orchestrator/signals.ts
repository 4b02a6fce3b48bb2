// What the orchestrator lets the metrics know, one signal for each thing that happened: a port. Ids and figures only.
import type { AttemptOutcome } from '../cost/ledger.ts'
import type { Logger } from '../logging.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { BreakerPhase } from './breaker.ts'

export type OrchestratorSignal =
  | { readonly type: 'breaker'; readonly provider: string; readonly model: string; readonly phase: BreakerPhase }
  /** A question found everybody busy. */
  | { readonly type: 'queued'; readonly depth: number }
  | { readonly type: 'queue-left'; readonly waitedMs: number }
  | {
      readonly type: 'attempt'
      readonly provider: string
      readonly model: string
      readonly outcome: AttemptOutcome
      readonly firstTextMs: number | null
      readonly inputTokens: number
      readonly outputTokens: number
      readonly costMicros: number
    }
  /** `switchMs`: from the failure to the first text of the one who took over. */
  | { readonly type: 'failover'; readonly from: string; readonly to: string; readonly midAnswer: boolean; readonly switchMs: number }
  | { readonly type: 'cache'; readonly hit: boolean }
  /** Tokens of a model whose price is not known were used: budgets do not see them. */
  | { readonly type: 'unpriced'; readonly provider: string; readonly model: string; readonly isFirst: boolean }

/** Never throws. */
export type OnSignal = (signal: OrchestratorSignal) => void

/** The rare ones, for the log; the metrics count all of them. */
export function logSignal(logger: Logger, signal: OrchestratorSignal): void {
  const { type, ...fields } = signal
  if (signal.type === 'unpriced' && signal.isFirst) logger.warn({ provider: signal.provider, model: signal.model }, 'orchestrator.unpriced')
  if (type === 'breaker' || type === 'failover') logger.warn(fields, `orchestrator.${type}`)
}

/** What of it is counted; breakers and the depth of the queue are looked up when the figures are asked for. */
export function countSignal(metrics: Metrics, signal: OrchestratorSignal): void {
  switch (signal.type) {
    case 'attempt':
      return metrics.attempt(signal)
    case 'failover':
      return metrics.failover(signal.midAnswer, signal.switchMs)
    case 'queue-left':
      return metrics.queueLeft(signal.waitedMs)
    case 'cache':
      return metrics.cache(signal.hit)
    case 'unpriced':
      return metrics.unpriced(signal.provider, signal.model)
    case 'breaker':
    case 'queued':
      return
  }
}
