// What a caller may do: messages a minute, questions a day, tokens an hour, answers at once. The gateway asks here before it
// takes anything in, and the broker before it begins a turn.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Caller } from '../auth/caller.ts'
import type { Answering } from './answering.ts'
import type { Charge, LimitStore } from './limitStore.ts'
import type { LimitsPolicy, Tier } from './limitsPolicy.ts'

/** How a message came in: over a connection that stays open, or as a request of its own. */
export type Channel = 'socket' | 'request'

/** A turn that counts as being answered, until it is released. Twice is once. */
export interface TurnLease {
  release(): void
}

export interface Limits {
  /** For every message that asks something; an outbox that empties itself after a day on a train is not held back by its own machine. Throws `rate_limited` with `retryAfterMs`. */
  message(caller: Caller, channel: Channel): Promise<void>
  /** For every turn that is new. Throws `rate_limited` with `retryAfterMs`, and `resetAt` where a day is used up. */
  begin(caller: Caller): Promise<TurnLease>
  /** What an answer used. */
  used(organisation: string, tokens: number): Promise<void>
}

export interface LimitsOptions {
  readonly store: LimitStore
  readonly answering: Answering
  readonly policy: LimitsPolicy
  readonly clock: Clock
  /** Read at each message: they may change while the service runs. */
  readonly rates: LimitRates
  /** True while somebody has lifted the limits of the organisation. */
  readonly isLifted: (organisation: string) => boolean
  /** Questions of a user since then, for a process that has just started and has counted nothing yet. */
  readonly turnsSince: (userId: string, since: number) => Promise<number>
}

export interface LimitRates {
  readonly socketMessagesPerMinute: number
  readonly requestsPerMinute: number
  readonly servicePerMinute: number
  readonly streamsPerUser: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Organisations whose tier is remembered. */
const MOST_ORGANISATIONS = 10_000
const DAY_MS = 86_400_000
/** Of a caller whose token names none. */
export const NO_ORGANISATION = 'default'

export function organisationOf(caller: Caller): string {
  return caller.organisation ?? NO_ORGANISATION
}

export function createLimits({ store, answering, policy, clock, rates, isLifted, turnsSince }: LimitsOptions): Limits {
  /** As the last token said: what an answer used counts against the same bucket that was asked. */
  const tiers = new Map<string, Tier>()
  const seeding = new Map<string, Promise<void>>()

  const perMinute = (key: string, limit: number, cost = 1): Charge => ({
    key,
    cost,
    rule: { kind: 'bucket', limit, windowMs: MINUTE_MS, burst: limit }
  })
  const tokens = (organisation: string, { tokensPerHour: limit }: Tier, cost: number): Charge => ({
    key: `tokens:${organisation}`,
    cost,
    spends: true,
    rule: { kind: 'bucket', limit, windowMs: HOUR_MS, burst: limit }
  })

  /** `shortOf` says what is short, when the charge at that place did not fit: mostly nobody asks. */
  const refuse = async (charges: readonly Charge[], shortOf: (index: number) => string): Promise<void> => {
    const now = clock.now()
    const shortage = await store.take(charges, now)
    if (shortage === null) return
    const resetAt = charges[shortage.index]?.rule.kind === 'window' ? { resetAt: shortage.retryAt } : {}
    throw new CopilotError('rate_limited', `${shortOf(shortage.index)}. Nothing was lost; ask again ${when(shortage.retryAt - now)}.`, {
      retryAfterMs: Math.max(1, shortage.retryAt - now),
      ...resetAt
    })
  }

  return {
    async message(caller, channel) {
      if (caller.isOwner === true) return
      const limit = channel === 'socket' ? rates.socketMessagesPerMinute : rates.requestsPerMinute
      await refuse([perMinute(`${channel}:${caller.userId}`, limit), perMinute('service', rates.servicePerMinute)], (index) =>
        index === 0 ? `More than ${limit} messages in a minute` : 'The service has too much to do right now'
      )
    },

    async begin(caller) {
      if (caller.isOwner === true) return { release: () => undefined }
      const { userId } = caller
      const organisation = organisationOf(caller)
      const tier = policy.tierOf(organisation, caller.tier)
      if (tiers.size >= MOST_ORGANISATIONS) tiers.clear()
      tiers.set(organisation, tier)
      const release = await answering.begin(userId, rates.streamsPerUser)
      if (release === null) {
        throw new CopilotError(
          'rate_limited',
          `${rates.streamsPerUser} answers are on their way already. Nothing was lost; ask again when one has ended.`,
          {
            retryAfterMs: 1_000
          }
        )
      }
      try {
        if (!isLifted(organisation)) await charge(userId, organisation, tier)
      } catch (error) {
        release()
        throw error
      }
      return { release }
    },

    async used(organisation, count) {
      if (count > 0) await store.add(tokens(organisation, tiers.get(organisation) ?? policy.tierOf(organisation, undefined), count), clock.now())
    }
  }

  /** The first question of a user in this process: what was asked before today is counted, once however many come at once. */
  async function seed(day: Charge, userId: string): Promise<void> {
    const now = clock.now()
    if (await store.has(day, now)) return
    const underWay = seeding.get(day.key)
    if (underWay !== undefined) return await underWay
    const counting = (async () => {
      const before = await turnsSince(userId, Math.floor(now / DAY_MS) * DAY_MS)
      await store.seed({ ...day, cost: before }, now)
    })().finally(() => seeding.delete(day.key))
    seeding.set(day.key, counting)
    await counting
  }

  async function charge(userId: string, organisation: string, tier: Tier): Promise<void> {
    const { requestsPerMinute: limit, burst } = tier
    const charges: Charge[] = [
      { key: `requests:${organisation}`, cost: 1, rule: { kind: 'bucket', limit, windowMs: MINUTE_MS, burst } },
      tokens(organisation, tier, 0)
    ]
    if (tier.turnsPerDay !== null) {
      const day: Charge = { key: `day:${userId}`, cost: 1, spends: true, rule: { kind: 'window', limit: tier.turnsPerDay, windowMs: DAY_MS } }
      await seed(day, userId)
      charges.push(day)
    }
    await refuse(charges, (index) => {
      if (index === 0) return `The organisation asks more than ${limit} questions a minute`
      return index === 1
        ? `The organisation has used its ${tier.tokensPerHour} tokens an hour`
        : `All ${tier.turnsPerDay} questions of today are asked`
    })
  }
}

function when(ms: number): string {
  if (ms <= 60_000) return `in ${Math.max(1, Math.ceil(ms / 1_000))} s`
  return ms <= 3_600_000 ? `in ${Math.ceil(ms / 60_000)} minutes` : `in ${Math.ceil(ms / 3_600_000)} hours`
}
