// An agent that does what a test tells it, when the test tells it.
import type { Agent, AgentEvent, AgentTurn } from '../../src/service/agent/agent.ts'
import type { FinishReason } from '../../src/shared/turn.ts'

interface ToldAnswer {
  readonly turn: AgentTurn
  readonly signal: AbortSignal
  say(event: AgentEvent): void
  finish(reason?: FinishReason): void
  fail(error: unknown): void
}

export interface ToldAgent extends Agent {
  /** Every answer that was begun, in order. */
  readonly begun: readonly ToldAnswer[]
  readonly received: readonly AgentTurn[]
  /** Resolves with the next answer that begins. */
  next(): Promise<ToldAnswer>
}

/** Rejects like a good agent when its signal is aborted, unless `deaf`. */
export function toldAgent({ deaf = false } = {}): ToldAgent {
  const begun: ToldAnswer[] = []
  const received: AgentTurn[] = []
  const waiting: ((answer: ToldAnswer) => void)[] = []
  return {
    begun,
    received,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    receive(turn) {
      received.push(turn)
      return Promise.resolve()
    },
    answer(turn, { signal, emit }) {
      const { promise, resolve, reject } = Promise.withResolvers<FinishReason>()
      if (!deaf) signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      const answer = { turn, signal, say: emit, finish: (reason: FinishReason = 'stop') => resolve(reason), fail: reject }
      begun.push(answer)
      waiting.shift()?.(answer)
      return promise
    }
  }
}
