// What Redis keeps of a person: their turns of the last day.
import type { PersonalStore } from '../person/person.ts'
import type { RedisConnection } from '../store/redis.ts'
import type { RedisTurnLog } from './turnLog.redis.ts'

/** In the shape of the turns that the service's own store keeps. */
export function createRedisTurnStore({ redis, log }: { readonly redis: RedisConnection; readonly log: RedisTurnLog }): PersonalStore {
  return {
    // `turns` are those of a process that runs alone.
    name: 'sharedTurns',
    async read(userId) {
      const turns: object[] = []
      for (const turnId of await log.turnsOf(userId)) {
        const turn = await log.find(turnId)
        if (turn === null) continue
        const events = await log.read(turnId, 0)
        const { question, createdAt } = turn
        turns.push({ turnId, sessionId: question.sessionId, question, createdAt, endedAt: turn.ended ? (events.at(-1)?.at ?? null) : null, events })
      }
      return turns
    },
    async erase(userId) {
      const count = await log.erase(userId)
      // What was erased is in the append-only file until that is written anew.
      if (count > 0) await rewritten(redis)
      return count
    }
  }
}

async function rewritten(redis: RedisConnection): Promise<void> {
  const isAppended = await redis.run((client) => client.info('persistence')).then((info) => info.includes('aof_enabled:1'))
  if (!isAppended) return
  await redis.run(async (client) => {
    try {
      await client.bgRewriteAof()
    } catch (error) {
      // One is under way, from before: the next one is what is wanted, and Redis schedules it by itself after a snapshot only.
      if (!(error instanceof Error && error.message.includes('in progress'))) throw error
    }
  })
}
