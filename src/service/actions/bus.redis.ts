// The bus as a Redis stream, `aside:actions`, for whoever executes actions elsewhere: a consumer group takes each one at least once,
// its id is the idempotency key. While nobody has a group there, actions go the other way, so that none is put where nobody looks.
import { CopilotError } from '../../shared/errors.ts'
import { redisKey, type RedisConnection } from '../store/redis.ts'
import type { ActionBus } from './bus.ts'
import type { KeptAction } from './outbox.ts'
import { allowedTarget, type Targets } from './targets.ts'

export interface RedisBusOptions {
  readonly redis: RedisConnection
  readonly targets: Targets
  /** Where actions go while no consumer group reads the stream; stopped with this one. */
  readonly otherwise: ActionBus
  /** Actions on the stream that some group has not acknowledged; further ones wait in the outbox. */
  readonly most?: number
}

/** Documented for consumers: docs/operations.md. */
export const ACTION_STREAM = redisKey('actions')
const MOST = 10_000
const FULL_RETRY_MS = 10_000

/**
 * One step: nothing is taken off the stream before every group has acknowledged it, and nothing is put on it while nobody reads or
 * too much waits. Answers 1 (added), 0 (nobody reads), -1 (full). A trim by length would throw away what a group that is away has
 * not read.
 */
const ADD = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local function before(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if tonumber(am) ~= tonumber(bm) then return tonumber(am) < tonumber(bm) end
  return tonumber(as) < tonumber(bs)
end
local oldest = nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local info = {}
  for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
  local needed = info['last-delivered-id']
  if info['pending'] > 0 then needed = redis.call('XPENDING', KEYS[1], info['name'])[2] end
  if not oldest or before(needed, oldest) then oldest = needed end
end
if not oldest then return 0 end
redis.call('XTRIM', KEYS[1], 'MINID', oldest)
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return -1 end
local entry = {}
for i = 2, #ARGV do entry[#entry + 1] = ARGV[i] end
redis.call('XADD', KEYS[1], '*', unpack(entry))
return 1
`

/** `redis` is the caller's to stop. */
export function createRedisBus({ redis, targets, otherwise, most = MOST }: RedisBusOptions): ActionBus {
  const add = redis.script(ADD)
  return {
    async deliver(kept, signal) {
      allowedTarget(kept.action, targets)
      signal.throwIfAborted()
      const added = await add([ACTION_STREAM], [String(most), ...entryOf(kept)])
      if (added === 0) return await otherwise.deliver(kept, signal)
      if (added !== 1) {
        throw new CopilotError('unavailable', `${most} actions wait on the stream ${ACTION_STREAM} for whoever executes them.`, {
          retryAfterMs: FULL_RETRY_MS
        })
      }
    },
    stop: () => otherwise.stop()
  }
}

function entryOf({ action: { id, type, target, payload, priority }, inputId, businessId, attempts }: KeptAction): string[] {
  return Object.entries({ id, type, target, priority, payload: JSON.stringify(payload), inputId, businessId, attempt: String(attempts) }).flat()
}
