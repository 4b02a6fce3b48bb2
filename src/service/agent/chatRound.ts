// The chats that one run of the graph carries. A run costs about a millisecond whatever it does, so all chats that came in one tick
// share it; each has a signal, a context and an outcome of its own, and nobody waits for a neighbour.
import { AsyncResource } from 'node:async_hooks'
import type { FinishReason } from '../../shared/turn.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'

/** A chat on its way through a run. */
export interface Chat {
  /** Ends when its answer has, well or not. Called once; never rejects: what goes wrong with it is told to who asked. */
  answer(): Promise<void>
}

export interface ChatRound {
  /** Resolves or rejects as this chat ends. */
  join(turn: AgentTurn, options: AnswerOptions): Promise<FinishReason>
}

/**
 * From one round to the next at least: so much for each chat that is under way, and no more than `LONGEST_PACE_MS`. So runs take a twentieth of
 * a core however much is asked, few chats wait for little, and one that is alone for nothing.
 */
const PACE_MS_PER_CHAT = 0.25
const LONGEST_PACE_MS = 20

/**
 * `run` takes chats through the graph; when it rejects, those that have not ended fail with its error. `monotonic` in ms, only
 * differences count.
 */
export function createChatRound(
  answer: (turn: AgentTurn, options: AnswerOptions) => Promise<FinishReason>,
  run: (chats: readonly Chat[]) => Promise<unknown>,
  monotonic: () => number = () => performance.now()
): ChatRound {
  let waiting: { readonly chat: Chat; readonly fail: (error: unknown) => void }[] = []
  /** When the last round began. */
  let last = Number.NEGATIVE_INFINITY
  /** Chats that have not ended. */
  let live = 0

  const go = (): void => {
    const round = waiting
    waiting = []
    last = monotonic()
    run(round.map(({ chat }) => chat)).catch((error: unknown) => {
      for (const { fail } of round) fail(error)
    })
  }

  return {
    join(turn, options) {
      const { promise, resolve, reject } = Promise.withResolvers<FinishReason>()
      live += 1
      // The run belongs to whoever came first; what is done for this chat belongs to its own question (see correlation.ts).
      const own = new AsyncResource('CHAT')
      const chat: Chat = { answer: () => own.runInAsyncScope(answer, undefined, turn, options).then(resolve, reject) }
      if (waiting.length === 0) {
        const pauseMs = last + Math.min(LONGEST_PACE_MS, (live - 1) * PACE_MS_PER_CHAT) - monotonic()
        if (pauseMs > 0) setTimeout(go, pauseMs)
        else setImmediate(go)
      }
      waiting.push({ chat, fail: reject })
      return promise.finally(() => (live -= 1))
    }
  }
}
