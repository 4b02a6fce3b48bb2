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

/** From one round to the next at least, ms: however much is asked, runs take a tenth of a core at most, and a chat that is alone waits for nothing. */
const PACE_MS = 8

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
  let earliest = 0
  /** Chats that have not ended. */
  let live = 0

  const go = (): void => {
    const round = waiting
    waiting = []
    earliest = monotonic() + PACE_MS
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
        const pauseMs = earliest - monotonic()
        if (pauseMs > 0 && live > 1) setTimeout(go, pauseMs)
        else setImmediate(go)
      }
      waiting.push({ chat, fail: reject })
      return promise.finally(() => (live -= 1))
    }
  }
}
