// A process of the service as far as turns go, on a Redis that it shares with others: for tests of several in one process, and for
// one that is killed.
import { v7 as uuidv7 } from 'uuid'
import type { Agent } from '../../src/service/agent/agent.ts'
import { createKeyFileSealer } from '../../src/service/keys/sealer.ts'
import { openRedis, type RedisConnection } from '../../src/service/store/redis.ts'
import { composeTurns, type ComposedTurns, type ComposeTurnsOptions } from '../../src/service/turns/compose.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { keptLog, type KeptLog } from './service-parts.ts'

export interface TurnProcess extends ComposedTurns, AsyncDisposable {
  readonly redis: RedisConnection
  readonly logger: KeptLog
  /** As a service stops: the answers first, then everything below. Twice is once. */
  stop(withinMs?: number): Promise<void>
}

/** Quicker than in earnest, and still longer than a connection takes to come back. */
export const quickTiming = { leaseMs: 1_600, renewEveryMs: 500 }

export async function startTurns(url: string, agent: Agent, options: Partial<ComposeTurnsOptions> = {}): Promise<TurnProcess> {
  const started = new AsyncDisposableStack()
  const redis = await openRedis({ url })
  started.defer(() => redis.stop())
  const logger = keptLog()
  const composed = await composeTurns(
    { redis, agent, sealer: createKeyFileSealer('5e'.repeat(32)), clock: systemClock, newId: uuidv7, logger, timing: quickTiming, ...options },
    started
  )
  await composed.broker.revive()
  let stopped: Promise<void> | null = null
  const stop = (withinMs = 0): Promise<void> => (stopped ??= composed.broker.stop(withinMs).then(() => started.disposeAsync()))
  return { ...composed, redis, logger, stop, [Symbol.asyncDispose]: () => stop() }
}

/** Answers a question with as many words as it asks for (`12 words, 5 ms`), one after the other, the same each time. */
export function wordsAgent(): Agent {
  return {
    receive: () => Promise.resolve(),
    async answer({ question }, { signal, emit }) {
      const [, count, everyMs] = /^(\d+) words, (\d+) ms/.exec(question.text) ?? []
      emit({ type: 'status', stage: 'Counting' })
      for (let word = 1; word <= Number(count); word += 1) {
        await new Promise((resolve) => setTimeout(resolve, Number(everyMs)))
        if (signal.aborted) throw signal.reason
        emit({ type: 'delta', text: `${word} ` })
      }
      return 'stop'
    }
  }
}

export function wordsTo(count: number): string {
  return Array.from({ length: count }, (_, index) => `${index + 1} `).join('')
}
