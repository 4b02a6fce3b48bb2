// Who may ask how much, in which words they are refused, and who may lift it.
import { describe, expect, it } from 'vitest'
import { fakeClock, tempStore } from '../../../test/fakes/service-parts.ts'
import type { AuditEvent } from '../audit/audit.ts'
import type { Caller } from '../auth/caller.ts'
import { createMemoryAnswering } from './answering.memory.ts'
import { createLimits, type LimitRates } from './limits.ts'
import { createSqliteAccounts, createSqliteOverrides } from './limits.sqlite.ts'
import { readLimitsFile } from './limitsFile.ts'
import { limitsFileSchema, limitsPolicy } from './limitsPolicy.ts'
import { createMemoryLimitStore } from './limitStore.memory.ts'
import { createOverrides, LONGEST_OVERRIDE_MS } from './overrides.ts'

const noon = Date.parse('2026-11-21T12:00:00Z')
const rates: LimitRates = { socketMessagesPerMinute: 100, requestsPerMinute: 60, servicePerMinute: 1_000, streamsPerUser: 5 }
const caller = (userId: string, tier?: string, organisation = 'north'): Caller => ({ userId, role: 'user', expiresAt: null, organisation, tier })

function desk(part: Partial<LimitRates> = {}, file: unknown = {}) {
  const clock = fakeClock(noon)
  const lifted = new Set<string>()
  const before = new Map<string, number>()
  const limits = createLimits({
    store: createMemoryLimitStore(),
    answering: createMemoryAnswering(),
    policy: limitsPolicy(limitsFileSchema.parse(file), 'ENTERPRISE'),
    clock,
    rates: { ...rates, ...part },
    isLifted: (organisation) => lifted.has(organisation),
    turnsSince: (userId) => Promise.resolve(before.get(userId) ?? 0)
  })
  /** How many of so many are let through. */
  const through = async (count: number, act: () => Promise<unknown>): Promise<number> => {
    const results = await Promise.allSettled(Array.from({ length: count }, act))
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'rate_limited', retryAfterMs: expect.any(Number) })
    }
    return results.filter(({ status }) => status === 'fulfilled').length
  }
  const begin = async (who: Caller): Promise<void> => (await limits.begin(who)).release()
  return { clock, limits, lifted, before, through, begin }
}

describe('messages', () => {
  it.each([
    ['socket', 100],
    ['request', 60]
  ] as const)('over a %s are %d a minute and user, and refill evenly', async (channel, most) => {
    const { clock, limits, through } = desk()
    expect(await through(most + 20, () => limits.message(caller('anna'), channel))).toBe(most)
    expect(await through(1, () => limits.message(caller('bob'), channel))).toBe(1)
    clock.set(noon + 30_000)
    expect(await through(most, () => limits.message(caller('anna'), channel))).toBe(most / 2)
  })

  it('do not hold back the desktop that owns the service, however much waits in its outbox', async () => {
    const { limits, through, begin } = desk({ servicePerMinute: 1, streamsPerUser: 1 }, { tiers: { FREE: { turnsPerDay: 1 } } })
    const owner: Caller = { ...caller('local', 'FREE'), isOwner: true }
    expect(await through(500, () => limits.message(owner, 'request'))).toBe(500)
    expect(await through(500, () => limits.begin(owner))).toBe(500)
    expect(await through(2, () => begin(caller('anna', 'FREE')))).toBe(1)
  })

  it('are bounded for the whole service', async () => {
    const { limits, through } = desk({ servicePerMinute: 10 })
    let user = 0
    expect(await through(30, () => limits.message(caller(`user-${(user += 1)}`), 'socket'))).toBe(10)
  })

  it('that are refused say when to come back, and truly', async () => {
    const { clock, limits, through } = desk({ requestsPerMinute: 2 })
    await through(2, () => limits.message(caller('anna'), 'request'))
    const refused = await limits.message(caller('anna'), 'request').catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfterMs: 30_000, message: expect.stringContaining('Nothing was lost') })
    clock.set(noon + 30_000)
    await limits.message(caller('anna'), 'request')
  })
})

describe('turns', () => {
  it.each([
    ['FREE', 10],
    ['starter', 100]
  ])('of tier %s are %d a day, until midnight UTC', async (tier, most) => {
    const { clock, through, begin } = desk(
      {},
      { tiers: { FREE: { burst: 1_000, requestsPerMinute: 1_000 }, STARTER: { burst: 1_000, requestsPerMinute: 1_000 } } }
    )
    let asked = 0
    for (let round = 0; round < most + 5; round += 1) asked += await through(1, () => begin(caller('anna', tier)))
    expect(asked).toBe(most)
    await expect(begin(caller('anna', tier))).rejects.toMatchObject({ code: 'rate_limited', resetAt: Date.parse('2026-11-22T00:00:00Z') })
    clock.set(Date.parse('2026-11-22T00:00:00Z'))
    await begin(caller('anna', tier))
  })

  it('of today that another process has counted are counted', async () => {
    const { before, through, begin } = desk()
    before.set('anna', 8)
    expect(await through(5, () => begin(caller('anna', 'FREE')))).toBe(2)
  })

  it('are five at once for a user, and the sixth when one has ended', async () => {
    const { limits } = desk()
    const leases = await Promise.all(Array.from({ length: 5 }, () => limits.begin(caller('anna'))))
    await expect(limits.begin(caller('anna'))).rejects.toMatchObject({ code: 'rate_limited' })
    await limits.begin(caller('bob'))
    leases[0]?.release()
    leases[0]?.release()
    await limits.begin(caller('anna'))
    await expect(limits.begin(caller('anna'))).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('that are refused hold no place', async () => {
    const { limits } = desk({}, { tiers: { FREE: { turnsPerDay: 1 } } })
    const first = await limits.begin(caller('anna', 'FREE'))
    for (let round = 0; round < 10; round += 1) await expect(limits.begin(caller('anna', 'FREE'))).rejects.toThrow('questions of today')
    first.release()
    await expect(limits.begin(caller('anna', 'FREE'))).rejects.toThrow('questions of today')
  })

  it('of an organisation share its requests a minute, with a burst', async () => {
    const { clock, through, begin } = desk({}, { organisations: { north: { tier: 'FREE' } } })
    let user = 0
    const next = () => begin(caller(`user-${(user += 1)}`))
    expect(await through(20, next)).toBe(5)
    clock.set(noon + 60_000)
    expect(await through(20, next)).toBe(5)
    expect(await through(5, () => begin(caller('south-1', undefined, 'south')))).toBe(5)
  })

  it('wait when the organisation has used its tokens, as long as it takes them to refill', async () => {
    const { clock, limits, begin } = desk({}, { organisations: { north: { tier: 'STARTER' } }, tiers: { STARTER: { tokensPerHour: 1_000 } } })
    await begin(caller('anna'))
    await limits.used('north', 1_500)
    const refused = await begin(caller('anna')).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfterMs: 1_800_000 })
    await begin(caller('cid', undefined, 'south'))
    clock.set(noon + 1_800_000)
    await begin(caller('anna'))
  })

  it('are free while the limits are lifted, but not endless at once', async () => {
    const { lifted, limits, through, begin } = desk({}, { tiers: { FREE: { turnsPerDay: 1 } } })
    lifted.add('north')
    for (let round = 0; round < 20; round += 1) expect(await through(1, () => begin(caller('anna', 'FREE')))).toBe(1)
    expect(await through(7, () => limits.begin(caller('anna', 'FREE')))).toBe(5)
  })
})

describe('overrides', () => {
  async function office() {
    const temp = await tempStore()
    const clock = fakeClock(noon)
    const events: AuditEvent[] = []
    const audit = { record: (event: AuditEvent) => Promise.resolve(void events.push(event)) }
    const make = (store = temp.store) => createOverrides({ store: createSqliteOverrides(store), audit, clock, roles: ['admin'] })
    return { clock, events, make, reopen: () => temp.reopen(), [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
  }
  const admin: Caller = { userId: 'root', role: 'admin', expiresAt: null }
  const order = { organisation: 'north', forMs: 3_600_000, reason: 'Board meeting today' }

  it('reach a process that shares their store as soon as it is told of the change', async () => {
    await using temp = await tempStore()
    const parts = { store: createSqliteOverrides(temp.store), audit: { record: () => Promise.resolve() }, clock: fakeClock(noon), roles: ['admin'] }
    const there = await createOverrides(parts)
    const told: Promise<void>[] = []
    const here = await createOverrides({ ...parts, onChanged: () => void told.push(there.refresh()) })
    await here.grant(admin, order)
    await Promise.all(told)
    expect(there.isLifted('north')).toBe(true)
    await here.revoke(admin, 'north')
    await Promise.all(told)
    expect([told.length, there.isLifted('north')]).toEqual([2, false])
    await expect(here.grant({ ...admin, role: 'user' }, order)).rejects.toMatchObject({ code: 'forbidden' })
    expect(told).toHaveLength(2)
  })

  it('hold for their time, across a restart, and are on the audit', async () => {
    await using here = await office()
    const { clock, events, make, reopen } = here
    const overrides = await make()
    await overrides.grant(admin, order)
    expect(overrides.isLifted('north')).toBe(true)
    expect(overrides.isLifted('south')).toBe(false)
    expect(events).toMatchObject([
      { action: 'limit.overridden', actor: 'root', subject: 'north', details: { reason: order.reason, until: noon + 3_600_000 } }
    ])
    const later = await make(await reopen())
    expect(later.active()).toEqual([{ organisation: 'north', until: noon + 3_600_000, grantedBy: 'root', reason: order.reason }])
    clock.set(noon + 3_600_000)
    expect(later.isLifted('north')).toBe(false)
    expect(later.active()).toEqual([])
  })

  it('end when they are revoked', async () => {
    await using here = await office()
    const overrides = await here.make()
    await overrides.grant(admin, order)
    await overrides.revoke(admin, 'north')
    expect(overrides.isLifted('north')).toBe(false)
    expect(here.events.map(({ action }) => action)).toEqual(['limit.overridden', 'limit.restored'])
  })

  it('are refused to anybody else, which is on the audit too', async () => {
    await using here = await office()
    const overrides = await here.make()
    await expect(overrides.grant(caller('anna'), order)).rejects.toMatchObject({ code: 'forbidden' })
    expect(overrides.isLifted('north')).toBe(false)
    expect(here.events).toMatchObject([{ action: 'limit.override.refused', actor: 'anna' }])
  })

  it.each([[{ reason: ' ' }], [{ reason: 'x'.repeat(501) }], [{ forMs: 0 }], [{ forMs: LONGEST_OVERRIDE_MS + 1 }], [{ forMs: Number.NaN }]])(
    'need a reason and an end: %j',
    async (part) => {
      await using here = await office()
      await expect((await here.make()).grant(admin, { ...order, ...part })).rejects.toMatchObject({ code: 'invalid_request' })
      expect(here.events).toEqual([])
    }
  )

  it('count only once they are on the audit', async () => {
    await using temp = await tempStore()
    const audit = { record: () => Promise.reject(new Error('disk full')) }
    const overrides = await createOverrides({ store: createSqliteOverrides(temp.store), audit, clock: fakeClock(noon), roles: ['admin'] })
    await expect(overrides.grant(admin, order)).rejects.toThrow('disk full')
    expect(overrides.isLifted('north')).toBe(false)
  })
})

describe('the operator’s file', () => {
  const payer = { userId: 'anna', organisation: 'north', client: 'Harbor' }
  it('gives budgets to organisations and clients, in whole micro-USD', () => {
    const policy = limitsPolicy(
      limitsFileSchema.parse({
        organisations: { north: { budgetUsd: '250.000001', clients: { Harbor: { budgetUsd: 99.5 } }, clientBudgetUsd: 10 } }
      }),
      'FREE'
    )
    expect(policy.capsOf(payer)).toEqual([
      { organisation: 'north', client: null, micros: 250_000_001 },
      { organisation: 'north', client: 'Harbor', micros: 99_500_000 }
    ])
    expect(policy.capsOf({ ...payer, client: 'Other' })[1]).toEqual({ organisation: 'north', client: 'Other', micros: 10_000_000 })
    expect(policy.capsOf({ ...payer, client: '' })).toHaveLength(1)
    expect(policy.capsOf({ ...payer, organisation: 'south' })).toEqual([])
  })

  it.each([
    [{ organisations: { north: { budgetUsd: -1 } } }],
    [{ organisations: { north: { budgetUsd: '1.0000001' } } }],
    [{ organisations: { north: { buget: 1 } } }],
    [{ tiers: { GOLD: { turnsPerDay: 1 } } }],
    [{ tiers: { FREE: { turnsPerDay: 0 } } }],
    ['text']
  ])('is refused with what is wrong in it: %j', (file) => {
    expect(limitsFileSchema.safeParse(file).success).toBe(false)
  })

  it('that is not there stops the start with one line', async () => {
    await expect(readLimitsFile('/nowhere/limits.json')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/AI_LIMITS_FILE .* can’t be read\.$/)
    })
    expect(await readLimitsFile(null)).toEqual({ tiers: {}, organisations: {} })
  })
})

describe('accounts', () => {
  it('know after a restart whose user somebody was', async () => {
    await using temp = await tempStore()
    await createSqliteAccounts(temp.store).remember('anna', 'north')
    await createSqliteAccounts(temp.store).remember('anna', 'south')
    const later = createSqliteAccounts(await temp.reopen())
    expect(await later.organisationOf('anna')).toBe('south')
    expect(await later.organisationOf('nobody')).toBeNull()
  })
})
