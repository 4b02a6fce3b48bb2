// Answers that may be given again: the port. Always under the user who got them, `ai_response:{user_id}:{hash}`, never across
// users or clients, and for minutes only.
import type { FinishReason } from '../../shared/turn.ts'

export interface CachedAnswer {
  readonly text: string
  readonly finish: FinishReason
  readonly provider: string
  readonly model: string
  readonly inputTokens: number
  /** As it was asked, for one that is asked in other words. */
  readonly question: string
  /** What else must be the same for it to be an answer in other words: client, context, history. */
  readonly scope: string
}

export interface AnswerCache {
  /**
   * The context that a session has now, as a digest. Where the session had another one before, nothing that was said under that is
   * given again: the user's answers are dropped.
   */
  noteContext(userId: string, sessionId: string, hash: string): Promise<void>
  get(userId: string, hash: string): Promise<CachedAnswer | null>
  set(userId: string, hash: string, answer: CachedAnswer): Promise<void>
  /** The user's own answers of this scope, newest first. */
  inScope(userId: string, scope: string): Promise<readonly CachedAnswer[]>
  /** All of the user's answers and contexts. Throws `unavailable` when they can't be reached. */
  drop(userId: string): Promise<void>
}
