// What the orchestrator lets the metrics know, one signal for each thing that happened: a port. Ids and figures only.
import type { AttemptOutcome } from '../cost/ledger.ts'
import type { Logger } from '../logging.ts'
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

/** Never throws. */
export type OnSignal = (signal: OrchestratorSignal) => void

/** The rare ones, for the log; the metrics count all of them. */
export function logSignal(logger: Logger, { type, ...fields }: OrchestratorSignal): void {
  if (type === 'breaker' || type === 'failover') logger.warn(fields, `orchestrator.${type}`)
}
