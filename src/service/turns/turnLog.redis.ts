// The turn log in Redis, for services of several processes: numbers are checked, and written, in one step there. Only the process
// that holds a turn can append to it.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { questionSchema, turnEventSchema, type TurnEvent } from '../../shared/turn.ts'
import type { Sealer } from '../keys/sealer.ts'
import type { RedisConnection } from '../store/redis.ts'
import type { HeldTurns } from './heldTurns.ts'
import type { Patience } from './patience.ts'
import { APPEND, FIND, OPEN, turnKeys } from './turnKeys.ts'
import { afterAppend, TURN_KEPT_MS, type LoggedTurn, type TurnLog } from './turnLog.ts'
import { faults } from './turnPolicy.ts'

export interface RedisTurnLogOptions {
  readonly redis: RedisConnection
  readonly held: HeldTurns
  /** For appends and reads of answers under way: a Redis that starts again interrupts nobody. */
  readonly patience: Patience
  /** The same key in all processes: who reads Redis, or its disk, reads no question and no answer. Null: they are kept as they are. */
  readonly sealer: Sealer | null
}

export interface RedisTurnLog extends TurnLog {
  /** Ids of the person's turns, oldest first. */
  turnsOf(userId: string): Promise<readonly string[]>
  /** Forgets all turns of the person; returns how many. */
  erase(userId: string): Promise<number>
}

const foundSchema = z.tuple([z.string(), z.string(), z.string(), z.string()])
const recordSchema = z.object({ userId: z.string(), messageId: z.string(), question: questionSchema, createdAt: z.number() })
const eventsSchema = z.array(turnEventSchema)
/** Turns in one round trip, where many are read or forgotten. */
const AT_ONCE = 500

export function createRedisTurnLog({ redis, held, patience, sealer }: RedisTurnLogOptions): RedisTurnLog {
  const [findTurn, openTurn, appendEvents] = [redis.script(FIND), redis.script(OPEN), redis.script(APPEND)]
  let appends = 0

  const seal = async (json: string, context: string): Promise<string> => (sealer === null ? json : await sealer.seal(json, context))
  const opened = async (sealed: string, context: string): Promise<unknown> => {
    try {
      return JSON.parse(sealer === null ? sealed : await sealer.open(sealed, context))
    } catch (error) {
      throw faults.notReadable(error)
    }
  }

  const find = async (turnId: string): Promise<LoggedTurn | null> => {
    const found = await findTurn([turnKeys.turn(turnId)], [])
    if (found === null) return null
    const [record, lastSeq, hasText, ended] = foundSchema.parse(found)
    const { userId, messageId, question, createdAt } = recordSchema.parse(await opened(record, turnId))
    return { turnId, userId, messageId, question, createdAt, lastSeq: Number(lastSeq), hasText: hasText === '1', ended: ended === '1' }
  }

  const append = async (turnId: string, events: readonly TurnEvent[]): Promise<void> => {
    const first = events[0]
    if (first === undefined) return
    const before = first.seq - 1
    const after = afterAppend({ turnId, lastSeq: before, hasText: false, ended: false }, events)
    const keys = [turnKeys.turn(turnId), turnKeys.events(turnId), turnKeys.unfinished, turnKeys.news(turnId)]
    const name = `${held.owner}/${(appends += 1)}`
    const fence = String(held.fenceOf(turnId) ?? '')
    const values = [
      String(before),
      String(after.lastSeq),
      flag(after.hasText),
      flag(after.ended),
      await seal(JSON.stringify(events), `${turnId} ${after.lastSeq}`),
      held.owner,
      fence,
      name,
      turnId
    ]
    const outcome = await patience(() => appendEvents(keys, values))
    if (outcome === 'fenced') throw faults.takenOver()
    // It was here: a Redis that was to keep nothing, or less than all, has started again.
    if (outcome === 'gone' && fence !== '') throw faults.logLost()
    if (outcome !== 'done') throw new RangeError(`turn ${turnId} is not in the log, has ended, or does not stand at ${before}`)
  }

  /** Forgets turns by their ids, with what leads to them; returns how many were still there. */
  const forget = async (turnIds: readonly string[]): Promise<number> => {
    const [count] = await redis.run((client) =>
      Promise.all([
        client.unlink(turnIds.map(turnKeys.turn)),
        client.unlink(turnIds.map(turnKeys.events)),
        client.zRem(turnKeys.unfinished, [...turnIds]),
        client.zRem(turnKeys.all, [...turnIds]),
        // Who listens to one learns that it is gone.
        ...turnIds.map((turnId) => client.publish(turnKeys.news(turnId), '0'))
      ])
    )
    return count
  }

  const turnsOf = (userId: string): Promise<string[]> => redis.run((client) => client.zRange(turnKeys.ofUser(userId), 0, -1))

  return {
    find,
    append,
    turnsOf,
    async open({ turnId, userId, messageId, question, createdAt }, accepted) {
      const keys = [turnKeys.turn(turnId), turnKeys.unfinished, turnKeys.all, turnKeys.ofUser(userId), turnKeys.events(turnId)]
      const record = await seal(JSON.stringify({ userId, messageId, question, createdAt }), turnId)
      const first = accepted === undefined ? '' : await seal(JSON.stringify([accepted]), `${turnId} 1`)
      try {
        const isNew = (await openTurn(keys, [record, String(createdAt), turnId, String(TURN_KEPT_MS), held.owner, first])) === 1
        if (isNew) held.take(turnId, 1)
        return isNew
      } catch (error) {
        if (error instanceof CopilotError) held.doubt(turnId)
        throw error
      }
    },
    read: (turnId, afterSeq) =>
      patience(async () => {
        const entries = await redis.run((client) => client.xRange(turnKeys.events(turnId), `(${Math.max(0, afterSeq)}-0`, '+'))
        const parts = (entries ?? []).map(async ({ id, message }) => eventsOf(await opened(message['e'] ?? '', `${turnId} ${id.split('-', 1)[0]}`)))
        return (await Promise.all(parts)).flat().filter((event) => event.seq > afterSeq)
      }),
    async unfinished() {
      const turnIds = await redis.run((client) => client.zRange(turnKeys.unfinished, 0, -1))
      const turns: LoggedTurn[] = []
      for (const some of chunks(turnIds)) {
        const found = await Promise.all(some.map(find))
        // What expired without an end is in the index until somebody looks.
        const gone = some.filter((_turnId, index) => found[index] === null)
        if (gone.length > 0) await redis.run((client) => client.zRem(turnKeys.unfinished, gone))
        turns.push(...found.filter((turn) => turn !== null).filter((turn) => !turn.ended))
      }
      return turns
    },
    async prune(before) {
      let count = 0
      for (;;) {
        const old = await redis.run((client) => client.zRangeByScore(turnKeys.all, '-inf', `(${before}`, { LIMIT: { offset: 0, count: AT_ONCE } }))
        if (old.length === 0) return count
        count += await forget(old)
      }
    },
    async erase(userId) {
      let count = 0
      for (const some of chunks(await turnsOf(userId))) count += await forget(some)
      await redis.run((client) => client.unlink(turnKeys.ofUser(userId)))
      return count
    }
  }
}

/** As they were written, to the byte: what one process tells live, another one replays. */
function eventsOf(events: unknown): readonly TurnEvent[] {
  if (!areEvents(events)) throw new TypeError('the turn log holds what is not an event')
  return events
}

function areEvents(value: unknown): value is TurnEvent[] {
  return eventsSchema.safeParse(value).success
}

function flag(value: boolean): '0' | '1' {
  return value ? '1' : '0'
}

function* chunks(all: readonly string[]): Generator<string[]> {
  for (let start = 0; start < all.length; start += AT_ONCE) yield all.slice(start, start + AT_ONCE)
}
