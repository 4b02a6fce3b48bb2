// The durable outbox of actions: written in one step with the decision, executed afterwards, at least once, with the action's id as
// idempotency key, so exactly once as far as the target heeds it. A port.
import type { AgentAction } from '../decisions/contract.ts'

/** `held`: waits for a person's approval. `dead`: given up, kept to be looked at. `dropped`: a person said no. */
export type ActionState = 'held' | 'ready' | 'done' | 'dead' | 'dropped'

export interface KeptAction {
  readonly action: AgentAction
  readonly inputId: string
  readonly businessId: string
  readonly state: ActionState
  readonly attempts: number
  /** Unix ms. */
  readonly nextAt: number
  readonly lastError: string | null
  readonly endedAt: number | null
}

export interface Outbox {
  /** Takes what is due, most urgent first, for `leaseMs`: nobody else gets it within that time. Counts as an attempt. */
  lease(now: number, options: { readonly leaseMs: number; readonly limit: number }): Promise<readonly KeptAction[]>
  done(actionId: string, now: number): Promise<void>
  retry(actionId: string, error: string, nextAt: number): Promise<void>
  dead(actionId: string, error: string, now: number): Promise<void>
  /** An action that was given up goes out again. Throws `not_found`, or `conflict` when it is not dead. */
  revive(actionId: string, now: number): Promise<void>
  ofInput(inputId: string): Promise<readonly KeptAction[]>
  inState(state: ActionState, limit: number): Promise<readonly KeptAction[]>
  /** When the next one is due; null: none waits. */
  nextAt(): Promise<number | null>
}
