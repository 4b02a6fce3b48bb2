// Who answers which turn, among the processes on one Redis. A process that lives renews one lease for all its turns; a turn whose
// owner's lease has run out goes to whoever claims it first, with a higher fence, so that the old owner can't write to it any more.
import { CopilotError } from '../../shared/errors.ts'
import type { Random } from '../../shared/kit/clock.ts'
import { isTerminal } from '../../shared/turn.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { RedisConnection } from '../store/redis.ts'
import { follow } from './follow.ts'
import type { HeldTurns } from './heldTurns.ts'
import type { TurnOwnership } from './ownership.ts'
import { CLAIM, ORPHANS, RELEASE, turnKeys } from './turnKeys.ts'
import type { TurnLog } from './turnLog.ts'
import type { Patience } from './patience.ts'
import { askedMessage, type TurnNews } from './turnNews.redis.ts'
import { faults } from './turnPolicy.ts'
import { createWake } from './wake.ts'

export interface RedisOwnershipOptions {
  readonly redis: RedisConnection
  readonly held: HeldTurns
  readonly log: TurnLog
  readonly news: TurnNews
  /** For who listens to an answer under way. */
  readonly patience: Patience
  readonly logger: Logger
  readonly random: Random
  readonly timing?: Partial<OwnershipTiming>
}

export interface OwnershipTiming {
  /** How long a process may say nothing before its turns go to others; longer than a connection takes to come back. */
  readonly leaseMs: number
  readonly renewEveryMs: number
}

export interface RedisOwnership extends TurnOwnership {
  /** From now on turns that were left behind are looked for, and taken up. */
  start(takeUp: () => Promise<unknown>): void
  /** Looks now. */
  sweep(): void
  /** Gives the lease back: what was not released goes to others at once. */
  stop(): Promise<void>
}

const usualTiming: OwnershipTiming = { leaseMs: 3_000, renewEveryMs: 1_000 }
/** As long as an owner may take to stop an answer; longer than it takes to find out that it is dead. */
const END_WITHIN_MS = 10_000
const ASK_AGAIN_MS = 500
const MOST_ORPHANS = 500

/** Resolves when this process is known to live. The caller stops it. */
export async function openRedisOwnership(options: RedisOwnershipOptions): Promise<RedisOwnership> {
  const { redis, held, log, news, patience, logger, random } = options
  const { leaseMs, renewEveryMs } = { ...usualTiming, ...options.timing }
  const [claimTurn, releaseTurn, findOrphans] = [redis.script(CLAIM), redis.script(RELEASE), redis.script(ORPHANS)]
  const [turns, leases] = [turnKeys.turn(''), turnKeys.lease('')]
  const handingOver = new AbortController()
  const following = {
    log: { read: log.read, find: (turnId: string) => patience(() => log.find(turnId)) },
    watch: news.watch,
    stopping: handingOver.signal
  }
  /** Let go of here, but Redis may not know it yet; with the fence they were held by, or nothing when that is not known. */
  const released = new Map<string, string>()
  const claiming = new Set<string>()
  let takeUp: (() => Promise<unknown>) | null = null
  let sweeping: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  /** When Redis was away, nobody could renew: for a while a missing lease says nothing. */
  const deathIsKnown = (): '0' | '1' => (redis.steadyMs >= leaseMs ? '1' : '0')

  const failed = (event: string) => (error: unknown) => {
    // That Redis is away is told where the connection is.
    if (error instanceof CopilotError && error.code === 'unavailable') logger.debug(errorFields(error), event)
    else logger.error(errorFields(error), event)
  }

  const renew = async (): Promise<void> => {
    await redis.run((client) => client.set(turnKeys.lease(held.owner), '1', { expiration: { type: 'PX', value: leaseMs } }))
  }
  const tellReleased = async (turnId: string, fence: string): Promise<void> => {
    await releaseTurn([turnKeys.turn(turnId), turnKeys.left, turnKeys.news(turnId)], [held.owner, fence, turnId])
    if (released.get(turnId) === fence) released.delete(turnId)
  }
  /** Also what Redis was told already and has not answered yet: its answer may be lost. */
  const tellAllReleased = async (): Promise<void> => {
    await Promise.all([...released].map(([turnId, fence]) => tellReleased(turnId, fence)))
  }
  const sweepOnce = async (): Promise<void> => {
    if (takeUp === null || handingOver.signal.aborted) return
    const found = await orphanIds()
    if (found.length > 0 && !handingOver.signal.aborted) await takeUp()
  }
  const orphanIds = async (): Promise<string[]> => {
    const found = await findOrphans([turnKeys.unfinished], [turns, leases, held.owner, deathIsKnown(), String(MOST_ORPHANS)])
    return Array.isArray(found) ? found.map(String) : []
  }
  const sweep = (): void => {
    sweeping ??= sweepOnce()
      .catch(failed('turns.sweep'))
      .finally(() => (sweeping = null))
  }

  const tick = (): void => {
    renew().catch(failed('turns.lease'))
    for (const turnId of held.takeDoubts()) {
      if (claiming.has(turnId)) held.doubt(turnId)
      else released.set(turnId, '')
    }
    tellAllReleased().catch(failed('turns.release'))
    news.ring()
    // An answer that is being taken up may take its time; the lease can't.
    sweep()
    timer = setTimeout(tick, renewEveryMs * (0.75 + random() / 4))
  }
  const endBack = redis.onBack(() => {
    if (stopped) return
    clearTimeout(timer)
    tick()
  })

  await renew()
  timer = setTimeout(tick, renewEveryMs)

  return {
    isShared: true,
    async orphans() {
      const found = await Promise.allSettled((await orphanIds()).map(log.find))
      return found.flatMap((one) => {
        if (one.status === 'fulfilled') return one.value === null || one.value.ended ? [] : [one.value]
        // The others don't wait for one that can't be read.
        failed('turns.orphan')(one.reason)
        return []
      })
    },
    async claim(turnId) {
      if (handingOver.signal.aborted) return false
      claiming.add(turnId)
      try {
        const fence = Number(await claimTurn([turnKeys.turn(turnId)], [held.owner, leases, deathIsKnown()]))
        if (fence > 0) held.take(turnId, fence)
        return fence > 0
      } catch (error) {
        held.doubt(turnId)
        throw error
      } finally {
        claiming.delete(turnId)
      }
    },
    release(turnId) {
      const fence = held.fenceOf(turnId)
      if (fence === undefined) return
      held.drop(turnId)
      released.set(turnId, String(fence))
      tellReleased(turnId, String(fence)).catch(failed('turns.release'))
    },
    follow: (turn, asked) => follow(turn, asked, following),
    async end(turn, { letGo }) {
      const { turnId } = turn
      const wake = createWake()
      const endWatch = news.watch(turnId, wake.ring)
      const startedAt = performance.now()
      let askedAt = -ASK_AGAIN_MS
      try {
        for (;;) {
          const [ended, owner, lastSeq] = await redis.run((client) => client.hmGet(turnKeys.turn(turnId), ['e', 'o', 's']))
          if (ended === null || ended === undefined) return false
          const isFree = !letGo || owner === '' || (await redis.run((client) => client.exists(turnKeys.lease(owner ?? '')))) === 0
          if (ended === '1' && isFree) {
            const last = (await log.read(turnId, Number(lastSeq) - 1)).at(-1)
            return last !== undefined && isTerminal(last) && last.type === 'failed' && last.error.code === 'cancelled'
          }
          const now = performance.now() - startedAt
          if (now >= END_WITHIN_MS) throw faults.stillAnswering()
          if (ended === '0' && owner !== '' && now - askedAt >= ASK_AGAIN_MS) {
            askedAt = now
            await redis.run((client) => client.publish(turnKeys.asked(owner ?? ''), askedMessage(turn)))
          }
          await wake.rung()
        }
      } finally {
        endWatch()
      }
    },
    handOver: () => handingOver.abort(),
    start(handler) {
      takeUp = handler
    },
    sweep,
    async stop() {
      stopped = true
      handingOver.abort()
      endBack()
      clearTimeout(timer)
      await sweeping
      try {
        await tellAllReleased()
        await redis.run((client) => Promise.all([client.unlink(turnKeys.lease(held.owner)), client.publish(turnKeys.left, '')]))
      } catch (error) {
        failed('turns.lease')(error)
      }
    }
  }
}
