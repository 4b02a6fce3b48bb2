// The agent's inputs and what came of each: kept before they are acknowledged, decided once, held for a person where they must be.
// A port; its actions are in the outbox.
import type { AgentInput, AgentOutput } from '../decisions/contract.ts'

/** `waiting`: kept and not decided yet. `held`: a person must look first. `failed`: it could not be decided. */
export type InputState = 'waiting' | 'settled' | 'held' | 'approved' | 'rejected' | 'failed'

export interface WorkItem {
  readonly input: AgentInput
  readonly state: InputState
  /** Null: not decided. */
  readonly output: AgentOutput | null
  readonly attempts: number
  /** Unix ms. */
  readonly decidedAt: number | null
  readonly review: { readonly reviewer: string; readonly at: number; readonly reason: string } | null
  readonly lastError: string | null
}

export interface ReviewVerdict {
  readonly inputId: string
  readonly isApproved: boolean
  readonly reviewer: string
  readonly reason: string
  /** Unix ms. */
  readonly now: number
}

/** Every promise resolves when what it says is durable, and rejects with `CopilotError` when the store refuses. */
export interface Worklist {
  /** The same id twice is one input: the first one stays. */
  accept(input: AgentInput, now: number): Promise<{ readonly isNew: boolean }>
  /** What can be decided now, oldest first. */
  waiting(now: number, limit: number): Promise<readonly WorkItem[]>
  /** The output and its actions in one step; of an input that is decided already, nothing changes and it resolves with false. */
  decided(output: AgentOutput, now: number): Promise<boolean>
  /** `retryAt` null: it has failed for good. */
  undecided(inputId: string, error: string, retryAt: number | null): Promise<void>
  inspect(inputId: string): Promise<WorkItem | null>
  /** What waits for a person, oldest first; `businessId` null: of every business. */
  held(businessId: string | null, limit: number): Promise<readonly WorkItem[]>
  /** Approval lets the actions go, rejection drops them. Throws `not_found`, or `conflict` when somebody was quicker. */
  review(verdict: ReviewVerdict): Promise<WorkItem>
  /** Decided, and not yet told to the store of past decisions. */
  untold(limit: number): Promise<readonly WorkItem[]>
  told(inputId: string, now: number): Promise<void>
}
