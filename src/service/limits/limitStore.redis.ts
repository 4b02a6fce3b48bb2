// Counts of limits in a Redis that all processes of the service share: every charge is judged and written in one step there. While
// it is away, rates are counted by each process alone, and what is paid for is refused.
import { CopilotError } from '../../shared/errors.ts'
import { redisKey, type RedisConnection } from '../store/redis.ts'
import type { Charge, LimitStore, Shortage } from './limitStore.ts'

export interface RedisLimitStoreOptions {
  readonly redis: RedisConnection
  /** Counts rates while Redis is away. */
  readonly alone: LimitStore
  /** Told once for each outage. */
  readonly onAway: (error: unknown) => void
}

/** States outlive their use by this much, so that a process whose clock is behind still finds them. */
const SPARE_MS = 60_000
const AWAY_RETRY_MS = 2_000
/** Keys whose charges wait for Redis to return; what is used under further ones in that time is not counted. */
const MOST_OWED = 10_000

/**
 * For each key four arguments: kind, cost, and of a bucket ms per token and reach in ms, of a window its limit and end. The same
 * arithmetic as limitMath.ts, on the same doubles; times are those of the caller.
 */
const CHARGE = `
local mode, now, spare = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local worst, short, writes = nil, nil, {}
for i, key in ipairs(KEYS) do
  local at = i * 4
  local kind, cost, first, second = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local kept = redis.call('GET', key)
  if mode == 'seed' and kept then return false end
  local retry, state, stale
  if kind == 'bucket' then
    local full = math.max(now, tonumber(kept or now)) + cost * first
    local over = full - second - now
    if over > 1e-6 then retry = math.ceil(now + over) end
    state, stale = string.format('%.17g', full), full
  else
    local count = tonumber(kept or 0) + cost
    if count > first or (cost == 0 and count >= first) then retry = second end
    state, stale = string.format('%.17g', count), second
  end
  if retry and (not worst or retry > worst) then worst, short = retry, i - 1 end
  if cost > 0 or mode == 'seed' then writes[#writes + 1] = { key, state, math.ceil(math.max(0, stale - now) + spare) } end
end
if mode == 'take' and worst then return { short, worst } end
for _, write in ipairs(writes) do redis.call('SET', write[1], write[2], 'PX', write[3]) end
return false
`

/** `redis` is the caller's to stop. */
export function createRedisLimitStore({ redis, alone, onAway }: RedisLimitStoreOptions): LimitStore {
  /** What was used while Redis was away, by key: it is charged once it is back. */
  const owed = new Map<string, Charge>()
  let isAway = false
  const charge = redis.script(CHARGE)

  const run = async (mode: 'take' | 'add' | 'seed', charges: readonly Charge[], now: number): Promise<Shortage | null> => {
    const keys = charges.map((charge) => keyOf(charge, now))
    const args = [mode, String(now), String(SPARE_MS), ...charges.flatMap((charge) => argumentsOf(charge, now))]
    const reply = await charge(keys, args)
    isAway = false
    if (!Array.isArray(reply)) return null
    const [index, retryAt] = reply.map(Number)
    return { index: index ?? 0, retryAt: retryAt ?? now }
  }

  const noteAway = (error: unknown): void => {
    if (!isAway) onAway(error)
    isAway = true
  }

  const payOwed = async (now: number): Promise<void> => {
    const due = [...owed.values()]
    owed.clear()
    for (const [index, charge] of due.entries()) {
      try {
        await run('add', [charge], now)
      } catch (error) {
        for (const left of due.slice(index)) owe(left)
        throw error
      }
    }
  }

  const owe = (charge: Charge): void => {
    const before = owed.get(charge.key)
    if (before === undefined && owed.size >= MOST_OWED) return
    owed.set(charge.key, { ...charge, cost: charge.cost + (before?.cost ?? 0) })
  }

  const orAway = async <T>(work: () => Promise<T>, whileAway: (error: unknown) => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CopilotError) || error.code !== 'unavailable') throw error
      noteAway(error)
      return await whileAway(error)
    }
  }

  return {
    take: (charges, now) =>
      orAway(
        async () => {
          if (owed.size > 0) await payOwed(now)
          return await run('take', charges, now)
        },
        (cause) => {
          if (!charges.some(({ spends }) => spends === true)) return alone.take(charges, now)
          throw new CopilotError('unavailable', 'What has been used so far can’t be looked up just now. Nothing was lost; ask again in a moment.', {
            retryAfterMs: AWAY_RETRY_MS,
            cause
          })
        }
      ),
    add: (charge, now) =>
      orAway(
        async () => void (await run('add', [charge], now)),
        async () => owe(charge)
      ),
    seed: (charge, now) =>
      orAway(
        async () => void (await run('seed', [charge], now)),
        // What spends is refused meanwhile; it is asked for again with the next question.
        async () => undefined
      ),
    has: (charge, now) =>
      orAway(
        async () => {
          const kept = await redis.run((client) => client.get(keyOf(charge, now)))
          return kept !== null && (charge.rule.kind === 'window' || Number(kept) > now)
        },
        () => alone.has(charge, now)
      )
  }
}

/** The number of its window is part of a window's key: processes whose clocks differ at its turn don't reset each other's count. */
function keyOf({ key, rule }: Pick<Charge, 'key' | 'rule'>, now: number): string {
  return rule.kind === 'bucket' ? redisKey('limit', key) : redisKey('limit', key, String(Math.floor(now / rule.windowMs)))
}

function argumentsOf({ rule, cost }: Charge, now: number): string[] {
  const interval = rule.windowMs / rule.limit
  const pair = rule.kind === 'bucket' ? [interval, rule.burst * interval] : [rule.limit, (Math.floor(now / rule.windowMs) + 1) * rule.windowMs]
  return [rule.kind, String(cost), ...pair.map(String)]
}
