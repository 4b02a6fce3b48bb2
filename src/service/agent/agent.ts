// The agent: the port between the turn broker and whatever finds the answer. It keeps nothing between two turns.
import type { FinishReason, Question, TurnEventBody } from '../../shared/turn.ts'
import type { Bond } from '../store/bond.ts'

export interface AgentTurn {
  readonly turnId: string
  readonly userId: string
  /** The assistant's message. */
  readonly messageId: string
  readonly question: Question
  /** Unix ms. */
  readonly createdAt: number
}

/** What an agent may say while it answers; the broker says the rest. */
export type AgentEvent = Extract<TurnEventBody, { type: 'queued' | 'status' | 'delta' | 'citation' | 'notice' | 'usage' }>

/** `whole`: the one who asked waits for all of it, so nothing is paced for the eye and pieces may be kept together. */
export type Delivery = 'stream' | 'whole'

/** How a turn ends whose log is written together with what the answer cost and said. */
export interface Ending {
  /** Of the writes that are the end. */
  readonly bond: Bond
  /** Called once all of them are asked for and everything is emitted, before they are durable; the log writes the end with them. */
  tell(finish: FinishReason): void
}

export interface AnswerOptions {
  /** Aborted when the turn is cancelled or the service stops; the answer then rejects soon. */
  readonly signal: AbortSignal
  readonly delivery?: Delivery
  /** Called in order; never throws. */
  readonly emit: (event: AgentEvent) => void
  /** Absent: the end is told when the answer resolves. An agent may leave it alone. */
  readonly ending?: Ending
}

export interface Agent {
  /** Keeps the person's message, durable before the answer starts. Twice is once. */
  receive(turn: AgentTurn): Promise<void>
  /** Resolves when the answer is complete and kept; rejects with `CopilotError` (what was emitted stays) or a bug. */
  answer(turn: AgentTurn, options: AnswerOptions): Promise<FinishReason>
}
