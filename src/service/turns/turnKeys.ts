// The names of what turns keep in Redis, and the scripts that change it, each in one step. A turn is a hash of its record and how
// far it is, and a stream of its events with one entry for each append, whose id is the number of its last event.
import { createHash } from 'node:crypto'
import { redisKey } from '../store/redis.ts'

export const turnKeys = {
  /** Fields: `r` record, `s` last number, `t` has text, `e` ended, `o` owner (empty: nobody), `f` fence, `a` last append. */
  turn: (turnId: string) => redisKey('turn', turnId),
  events: (turnId: string) => redisKey('turn', turnId, 'events'),
  /** Channel: told when something was appended. */
  news: (turnId: string) => redisKey('turn', turnId, 'news'),
  /** Sorted by when they were asked: turns without an end. */
  unfinished: redisKey('turns', 'unfinished'),
  /** The same of all that are kept. */
  all: redisKey('turns', 'all'),
  /** Channel: told when a turn was left to the others. */
  left: redisKey('turns', 'left'),
  /** The same of one person, who is not named in it. */
  ofUser: (userId: string) => redisKey('turns', 'of', createHash('sha256').update(userId).digest('base64url')),
  /** There while the process lives. */
  lease: (owner: string) => redisKey('process', owner),
  /** Channel: turns that the process is asked to end. */
  asked: (owner: string) => redisKey('process', owner, 'asked')
}

/** KEYS turn. Record, last number, has text, ended; nothing where there is no turn. */
export const FIND = `
local turn = redis.call('HMGET', KEYS[1], 'r', 's', 't', 'e')
return turn[1] and turn`

/**
 * KEYS turn, unfinished, all, of the user, events. ARGV record, createdAt, turn id, kept ms, owner, first event or nothing. 1: it is
 * new, with fence 1.
 */
export const OPEN = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'r', ARGV[1], 's', ARGV[6] == '' and 0 or 1, 't', 0, 'e', 0, 'o', ARGV[5], 'f', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if ARGV[6] ~= '' then
  redis.call('XADD', KEYS[5], '1-0', 'e', ARGV[6])
  redis.call('PEXPIRE', KEYS[5], ARGV[4])
end
for key = 2, 4 do redis.call('ZADD', KEYS[key], ARGV[2], ARGV[3]) end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', '(' .. (tonumber(ARGV[2]) - tonumber(ARGV[4])))
redis.call('PEXPIRE', KEYS[4], ARGV[4])
return 1`

/**
 * KEYS turn, events, unfinished, news. ARGV number before, last number, has text, ended, events, owner, fence, name of the append,
 * turn id. An append that is sent again because its answer was lost bears the same name and is done once.
 */
export const APPEND = `
local turn = redis.call('HMGET', KEYS[1], 's', 'e', 'o', 'f', 'a')
if not turn[1] then return 'gone' end
if turn[5] == ARGV[8] then return 'done' end
if turn[3] ~= ARGV[6] or turn[4] ~= ARGV[7] then return 'fenced' end
if turn[2] == '1' or turn[1] ~= ARGV[1] then return 'gap' end
redis.call('HSET', KEYS[1], 's', ARGV[2], 'e', ARGV[4], 'a', ARGV[8])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 't', 1) end
redis.call('XADD', KEYS[2], ARGV[2] .. '-0', 'e', ARGV[5])
if ARGV[1] == '0' then redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1])) end
if ARGV[4] == '1' then redis.call('ZREM', KEYS[3], ARGV[9]) end
redis.call('PUBLISH', KEYS[4], ARGV[2])
return 'done'`

/** KEYS turn. ARGV owner, begin of leases, whether a missing lease means death. The new fence, or 0. */
export const CLAIM = `
local turn = redis.call('HMGET', KEYS[1], 'e', 'o')
if turn[1] ~= '0' then return 0 end
if turn[2] ~= '' and turn[2] ~= ARGV[1] then
  if ARGV[3] == '0' or redis.call('EXISTS', ARGV[2] .. turn[2]) == 1 then return 0 end
end
redis.call('HSET', KEYS[1], 'o', ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'f', 1)`

/** KEYS turn, left, news. ARGV owner, fence or nothing for any, turn id. */
export const RELEASE = `
local turn = redis.call('HMGET', KEYS[1], 'e', 'o', 'f')
if turn[2] ~= ARGV[1] or (ARGV[2] ~= '' and turn[3] ~= ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'o', '')
if turn[1] == '0' then redis.call('PUBLISH', KEYS[2], ARGV[3]) end
redis.call('PUBLISH', KEYS[3], '0')
return 1`

/** KEYS unfinished. ARGV begin of turns, begin of leases, this process, whether a missing lease means death, at most so many. */
export const ORPHANS = `
local lives, found = {}, {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local owner = redis.call('HGET', ARGV[1] .. id, 'o')
  if not owner then
    redis.call('ZREM', KEYS[1], id)
  elseif owner == '' then
    found[#found + 1] = id
  elseif owner ~= ARGV[3] and ARGV[4] == '1' then
    if lives[owner] == nil then lives[owner] = redis.call('EXISTS', ARGV[2] .. owner) end
    if lives[owner] == 0 then found[#found + 1] = id end
  end
  if #found >= tonumber(ARGV[5]) then break end
end
return found`
