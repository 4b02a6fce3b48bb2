// Answers under way, counted in a Redis that all processes share. Each is a lease that its process renews, so that the places of a
// process that was killed are free again by themselves. While Redis is away each process counts its own.
import { CopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import { redisKey, type RedisConnection } from '../store/redis.ts'
import type { Answering } from './answering.ts'

export interface RedisAnsweringOptions {
  readonly redis: RedisConnection
  /** Counts while Redis is away. */
  readonly alone: Answering
  readonly newId: NewId
  /** Told once for each outage. */
  readonly onAway: (error: unknown) => void
  /** How long the places of a killed process stay taken. */
  readonly leaseMs?: number
}

export interface SharedAnswering extends Answering {
  /** Ends the renewing; what is under way is no longer counted after its lease. */
  stop(): void
}

const LEASE_MS = 15_000

/** Redis' own clock says what has run out: those of the processes may differ. Members are leases, scores their ends. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`
const BEGIN = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`
const GIVE_BACK = `return redis.call('ZREM', KEYS[1], ARGV[1])`
const RENEW = `${NOW}
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ARGV[1], ARGV[i + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
return 1
`

/** `redis` is the caller's to stop. */
export function createRedisAnswering({ redis, alone, newId, onAway, leaseMs = LEASE_MS }: RedisAnsweringOptions): SharedAnswering {
  const [beginScript, renewScript, giveBackScript] = [redis.script(BEGIN), redis.script(RENEW), redis.script(GIVE_BACK)]
  /** Leases of this process and the keys they are under. */
  const held = new Map<string, string>()
  let isAway = false

  const noteAway = (error: unknown): void => {
    if (!isAway) onAway(error)
    isAway = true
  }
  const renew = async (): Promise<void> => {
    if (held.size === 0) return
    try {
      await renewScript([...held.values()], [String(leaseMs), ...held.keys()])
      isAway = false
    } catch (error) {
      noteAway(error)
    }
  }
  const giveBack = (lease: string, key: string): void => {
    held.delete(lease)
    // Where it can't be said, the lease runs out by itself.
    giveBackScript([key], [lease]).catch(noteAway)
  }
  const renewing = setInterval(() => void renew(), leaseMs / 3)
  renewing.unref()

  return {
    async begin(userId, limit) {
      const lease = newId()
      const key = redisKey('answering', userId)
      try {
        if ((await beginScript([key], [lease, String(limit), String(leaseMs)])) !== 1) return null
        isAway = false
      } catch (error) {
        if (!(error instanceof CopilotError) || error.code !== 'unavailable') throw error
        noteAway(error)
        return await alone.begin(userId, limit)
      }
      held.set(lease, key)
      let isOver = false
      return () => {
        if (isOver) return
        isOver = true
        giveBack(lease, key)
      }
    },
    stop: () => clearInterval(renewing)
  }
}
