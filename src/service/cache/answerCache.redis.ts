// Cached answers in a Redis that all processes of the service share, sealed: who reads Redis reads no answer. While it is away
// nothing is found and nothing is kept; only a drop, which a person may be waiting for, says that it could not be done.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { finishReasons } from '../../shared/turn.ts'
import type { Sealer } from '../keys/sealer.ts'
import { redisKey, type RedisConnection } from '../store/redis.ts'
import type { RedisReply } from '../store/redisSteps.ts'
import type { AnswerCache, CachedAnswer } from './answerCache.ts'

export interface RedisCacheOptions {
  readonly redis: RedisConnection
  readonly ttlMs: number
  /** The same key in all processes; what another one sealed is not found. */
  readonly sealer: Sealer
  /** Told once for each outage. */
  readonly onAway: (error: unknown) => void
  /** Answers of one user. */
  readonly most?: number
}

const MOST = 200
/** Sessions of a user whose context is remembered. */
const MOST_CONTEXTS = 1_000

/** KEYS: list of the user's hashes by time, contexts by session. ARGV[1] begins the keys of the answers. */
const DROP_ALL = `local function drop()
  for _, hash in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('DEL', ARGV[1] .. hash) end
  redis.call('DEL', KEYS[1])
end
`
const DROP = `${DROP_ALL}
drop()
redis.call('DEL', KEYS[2])
return 1
`
const KEEP = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', ARGV[1] .. ARGV[2], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[4])
local over = redis.call('ZCARD', KEYS[1]) - ARGV[5]
if over > 0 then
  for _, hash in ipairs(redis.call('ZPOPMIN', KEYS[1], over)) do redis.call('DEL', ARGV[1] .. hash) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
`
/** Contexts outlive every answer that was given under them. */
const NOTE = `${DROP_ALL}
local last = redis.call('HGET', KEYS[2], ARGV[2])
if last ~= ARGV[3] then
  if not last and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[5]) then
    redis.call('DEL', KEYS[2])
    drop()
  end
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  if last then drop() end
end
redis.call('PEXPIRE', KEYS[2], ARGV[4] * 2)
return 1
`
/** Alone, it would be a command: as a script it travels with those of others. */
const GET = `return redis.call('GET', KEYS[1])`
const answerSchema = z.object({
  text: z.string(),
  finish: z.enum(finishReasons),
  provider: z.string(),
  model: z.string(),
  inputTokens: z.number(),
  question: z.string(),
  scope: z.string()
})

/** `redis` is the caller's to stop. */
export function createRedisAnswerCache({ redis, ttlMs, sealer, onAway, most = MOST }: RedisCacheOptions): AnswerCache {
  const [dropScript, keepScript, noteScript, getScript] = [redis.script(DROP), redis.script(KEEP), redis.script(NOTE), redis.script(GET)]
  let isAway = false

  const begins = (userId: string): string => redisKey('ai_response', userId, '')
  const keysOf = (userId: string): string[] => [redisKey('ai_responses', userId), redisKey('ai_contexts', userId)]
  /** Bound to user and question, so that none is ever opened as another's, however ids are written. */
  const contextOf = (userId: string, hash: string): string => JSON.stringify(['ai_response', userId, hash])

  const open = async (userId: string, hash: string, sealed: RedisReply): Promise<CachedAnswer | null> => {
    if (typeof sealed !== 'string') return null
    try {
      return answerSchema.parse(JSON.parse(await sealer.open(sealed, contextOf(userId, hash))))
    } catch (error) {
      // Sealed by a process with another key, or of another version: it is as if it were not there.
      if (error instanceof CopilotError || error instanceof z.ZodError) return null
      throw error
    }
  }
  const orNothing = async <T>(work: () => Promise<T>, nothing: T): Promise<T> => {
    try {
      const found = await work()
      isAway = false
      return found
    } catch (error) {
      if (!(error instanceof CopilotError) || error.code !== 'unavailable') throw error
      if (!isAway) onAway(error)
      isAway = true
      return nothing
    }
  }

  return {
    get: (userId, hash) => orNothing(async () => await open(userId, hash, await getScript([begins(userId) + hash], [])), null),
    set: (userId, hash, answer) =>
      orNothing(async () => {
        const sealed = await sealer.seal(JSON.stringify(answer), contextOf(userId, hash))
        await keepScript(keysOf(userId), [begins(userId), hash, sealed, String(ttlMs), String(most)])
      }, undefined),
    inScope: (userId, scope) =>
      orNothing(async () => {
        const [list = ''] = keysOf(userId)
        const hashes = await redis.run((client) => client.zRange(list, 0, -1, { REV: true }))
        if (hashes.length === 0) return []
        const sealed = await redis.run((client) => client.mGet(hashes.map((hash) => begins(userId) + hash)))
        const answers = await Promise.all(hashes.map((hash, index) => open(userId, hash, sealed[index] ?? null)))
        return answers.filter((answer) => answer !== null && answer.scope === scope) as CachedAnswer[]
      }, []),
    // While Redis is away nothing is found; what was noted before it went is still there when it is back.
    noteContext: (userId, sessionId, hash) =>
      orNothing(async () => {
        await noteScript(keysOf(userId), [begins(userId), sessionId, hash, String(ttlMs), String(MOST_CONTEXTS)])
      }, undefined),
    async drop(userId) {
      await dropScript(keysOf(userId), [begins(userId)])
    }
  }
}
