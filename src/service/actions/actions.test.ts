// Decisions and their actions: written together, executed once as far as the target allows, held for a person where they must be.
import { describe, expect, it } from 'vitest'
import { actionTarget, anAction, anInput, anOutput, toldBus } from '../../../test/fakes/action-target.ts'
import { keptLog, never, tempStore } from '../../../test/fakes/service-parts.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { AuditEvent } from '../audit/audit.ts'
import type { ActionBus } from './bus.ts'
import { createHttpBus } from './bus.undici.ts'
import type { KeptAction } from './outbox.ts'
import { createSqliteOutbox } from './outbox.sqlite.ts'
import { nextAttempt, startActionPump } from './pump.ts'
import { targetsSchema } from './targets.ts'
import { createSqliteWorklist } from './worklist.sqlite.ts'

async function setUp() {
  const temp = await tempStore()
  const work = { list: createSqliteWorklist(temp.store), outbox: createSqliteOutbox(temp.store) }
  return { temp, ...work, [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
}
const lease = { leaseMs: 1_000, limit: 9 }
const idsOf = (actions: readonly KeptAction[]): string[] => actions.map(({ action }) => action.id)

describe('worklist', () => {
  it('keeps an input once, and what was decided with its actions, across a restart', async () => {
    await using house = await setUp()
    expect(await house.list.accept(anInput(), 5)).toEqual({ isNew: true })
    expect(await house.list.accept(anInput({ type: 'other' }), 6)).toEqual({ isNew: false })
    expect(await house.list.waiting(9, 9)).toMatchObject([{ input: anInput(), state: 'waiting', output: null }])
    expect(await house.list.decided(anOutput(), 7)).toBe(true)
    expect(await house.list.decided(anOutput({ actions: [anAction({ id: 'x' })] }), 8)).toBe(false)
    const store = await house.temp.reopen()
    expect(await createSqliteWorklist(store).inspect('i1')).toMatchObject({ state: 'settled', output: anOutput(), decidedAt: 7 })
    expect(await createSqliteOutbox(store).ofInput('i1')).toMatchObject([{ action: anAction(), state: 'ready', businessId: 'acme' }])
    expect(await createSqliteWorklist(store).waiting(9, 9)).toEqual([])
  })

  it('writes neither the decision nor any action when one of them can’t be written', async () => {
    await using house = await setUp()
    await house.list.accept(anInput(), 5)
    await expect(house.list.decided(anOutput({ actions: [anAction(), anAction()] }), 7)).rejects.toThrow(/UNIQUE/)
    expect(await house.list.inspect('i1')).toMatchObject({ state: 'waiting', output: null })
    expect(await house.outbox.ofInput('i1')).toEqual([])
  })

  it('lets nothing of a held decision go before a person has said yes, and drops it at a no', async () => {
    await using house = await setUp()
    for (const id of ['i1', 'i2']) {
      await house.list.accept(anInput({ id }), 5)
      await house.list.decided(anOutput({ id: `${id}:out`, inputId: id, requiresHumanReview: true, actions: [anAction({ id: `${id}:a0` })] }), 7)
    }
    expect(await house.outbox.lease(1e12, lease)).toEqual([])
    expect(await house.outbox.nextAt()).toBeNull()
    expect((await house.list.held('acme', 9)).map(({ input }) => input.id)).toEqual(['i1', 'i2'])
    expect(await house.list.held('globex', 9)).toEqual([])
    const verdict = { reviewer: 'mia', reason: 'checked', now: 9 }
    expect(await house.list.review({ inputId: 'i1', isApproved: true, ...verdict })).toMatchObject({ state: 'approved', review: { reviewer: 'mia' } })
    await house.list.review({ inputId: 'i2', isApproved: false, ...verdict })
    await expect(house.list.review({ inputId: 'i2', isApproved: true, ...verdict })).rejects.toMatchObject({ code: 'conflict' })
    await expect(house.list.review({ inputId: 'i3', isApproved: true, ...verdict })).rejects.toMatchObject({ code: 'not_found' })
    expect(idsOf(await house.outbox.lease(1e12, lease))).toEqual(['i1:a0'])
    expect(await house.outbox.ofInput('i2')).toMatchObject([{ state: 'dropped', endedAt: 9 }])
  })
})

describe('outbox', () => {
  it('gives out what is due, most urgent first, to one taker at a time', async () => {
    await using house = await setUp()
    await house.list.accept(anInput(), 5)
    const actions = [anAction({ id: 'low', priority: 'low' }), anAction({ id: 'high', priority: 'high' }), anAction({ id: 'late', executeAt: 500 })]
    await house.list.decided(anOutput({ actions }), 7)
    expect(idsOf(await house.outbox.lease(100, lease))).toEqual(['high', 'low'])
    expect(await house.outbox.lease(100, lease)).toEqual([])
    expect(await house.outbox.nextAt()).toBe(500)
    expect((await house.outbox.lease(1_200, lease)).map(({ action, attempts }) => [action.id, attempts])).toEqual([
      ['high', 2],
      ['late', 1],
      ['low', 2]
    ])
  })

  it('gives out at once, after a restart, what the process before had taken', async () => {
    await using house = await setUp()
    await house.list.accept(anInput(), 5)
    await house.list.decided(anOutput(), 7)
    await house.outbox.lease(100, { leaseMs: 1e9, limit: 9 })
    expect(idsOf(await createSqliteOutbox(await house.temp.reopen()).lease(101, lease))).toEqual(['i1:a0'])
  })

  it('revives what was given up, and nothing else', async () => {
    await using house = await setUp()
    await house.list.accept(anInput(), 5)
    await house.list.decided(anOutput(), 7)
    await expect(house.outbox.revive('i1:a0', 9)).rejects.toMatchObject({ code: 'conflict' })
    await expect(house.outbox.revive('nothing', 9)).rejects.toMatchObject({ code: 'not_found' })
    await house.outbox.dead('i1:a0', 'no', 8)
    expect(await house.outbox.inState('dead', 9)).toMatchObject([{ lastError: 'no', endedAt: 8 }])
    await house.outbox.revive('i1:a0', 9)
    expect(await house.outbox.lease(9, lease)).toMatchObject([{ attempts: 1 }])
  })
})

describe('nextAttempt', () => {
  const kept = { action: anAction({ retryPolicy: { maxAttempts: 3, backoffMs: 100 } }), attempts: 1 } as KeptAction
  const at = { now: 1_000, random: () => 1 }
  it('doubles the wait, heeds what the target asks for, and ends', () => {
    const down = new CopilotError('unavailable', 'x')
    expect(nextAttempt(kept, down, at)).toBe(1_100)
    expect(nextAttempt(kept, down, { ...at, random: () => 0 })).toBe(1_050)
    expect(nextAttempt({ ...kept, attempts: 2 }, down, at)).toBe(1_200)
    expect(nextAttempt({ ...kept, attempts: 3 }, down, at)).toBeNull()
    expect(nextAttempt(kept, new CopilotError('rate_limited', 'x', { retryAfterMs: 9_000 }), at)).toBe(10_000)
    expect(nextAttempt(kept, new CopilotError('forbidden', 'x'), at)).toBeNull()
  })
})

async function pumped(bus: ActionBus, actions = [anAction()]) {
  const house = await setUp()
  await house.list.accept(anInput(), 5)
  await house.list.decided(anOutput({ actions }), 7)
  const audited: AuditEvent[] = []
  const clock = { now: () => Date.now() }
  const logger = keptLog()
  const audit = { record: async (event: AuditEvent) => void audited.push(event) }
  const pump = startActionPump({ outbox: house.outbox, bus, audit, clock, random: () => 0, logger })
  const ended = async (state: 'done' | 'dead') => {
    for (;;) {
      const found = await house.outbox.inState(state, 9)
      if (found.length === actions.length) return found
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return {
    ...house,
    pump,
    audited,
    ended,
    logger,
    async [Symbol.asyncDispose]() {
      await pump.stop()
      await house[Symbol.asyncDispose]()
    }
  }
}

describe('action pump', () => {
  const quick = { retryPolicy: { maxAttempts: 3, backoffMs: 2 } }

  it('tries again until the target takes it, then leaves it alone; audited', async () => {
    const bus = toldBus((attempt) => (attempt < 3 ? new CopilotError('unavailable', 'down') : null))
    await using house = await pumped(bus, [anAction(quick)])
    expect(await house.ended('done')).toMatchObject([{ attempts: 3 }])
    house.pump.wake()
    expect(bus.sent).toEqual(['i1:a0', 'i1:a0', 'i1:a0'])
    expect(house.audited).toMatchObject([{ action: 'action.executed', subject: 'i1:a0', details: { outcome: 'done', attempts: 3 } }])
  })

  it('keeps what it gives up, with why', async () => {
    await using house = await pumped(
      toldBus(() => new CopilotError('timeout', 'too slow')),
      [anAction(quick)]
    )
    expect(await house.ended('dead')).toMatchObject([{ attempts: 3, lastError: 'too slow' }])
    expect(house.audited).toMatchObject([{ details: { outcome: 'given up: timeout' } }])
  })

  it('executes nothing as done that could not be audited', async () => {
    await using house = await setUp()
    await house.list.accept(anInput(), 5)
    await house.list.decided(anOutput({ actions: [anAction(quick)] }), 7)
    const refusing = { record: () => Promise.reject(new CopilotError('unavailable', 'disk')) }
    const logger = keptLog()
    const bus = toldBus()
    const pump = startActionPump({ outbox: house.outbox, bus, audit: refusing, clock: { now: () => Date.now() }, random: () => 0, logger })
    while (!logger.lines.some(({ event }) => event === 'action.unsettled')) await new Promise((resolve) => setImmediate(resolve))
    await pump.stop()
    expect(await house.outbox.ofInput('i1')).toMatchObject([{ state: 'ready' }])
  })
})

describe('HTTP bus', () => {
  const targetsFor = (url: string, host: string) =>
    targetsSchema.parse({ notification: { billing: url }, external_call: [url], allowPrivate: [host] })
  const kept = (action = anAction()): KeptAction => ({
    action, inputId: 'i1', businessId: 'acme', state: 'ready', attempts: 1, nextAt: 0, lastError: null, endedAt: null
  }) // prettier-ignore

  it('posts the action under its id', async () => {
    await using target = await actionTarget()
    const bus = createHttpBus({ targets: targetsFor(target.url, target.host), timeoutMs: 1_000 })
    await bus.deliver(kept(), never)
    expect(target.got).toMatchObject([
      { key: 'i1:a0', path: '/hook', body: { id: 'i1:a0', type: 'notification', payload: { number: 17 }, businessId: 'acme' } }
    ])
    await bus.stop()
  })

  it('says which failures pass and which stay', async () => {
    await using target = await actionTarget()
    const bus = createHttpBus({ targets: targetsFor(target.url, target.host), timeoutMs: 300 })
    target.answers = [500, { status: 429, retryAfter: '7' }, 404, 302, 'hang']
    const codes = []
    for (let call = 0; call < 5; call += 1) codes.push(await bus.deliver(kept(), never).then(() => 'done', (error: CopilotError) => [error.code, error.retryAfterMs]))
    expect(codes).toEqual([['unavailable', undefined], ['rate_limited', 7_000], ['invalid_request', undefined], ['invalid_request', undefined], ['timeout', undefined]])
    await bus.stop()
  }) // prettier-ignore

  it('calls nothing inside the own network, whatever a name resolves to', async () => {
    await using target = await actionTarget()
    const port = target.host.split(':')[1] ?? ''
    const url = `https://rebound.example:${port}/`
    const lookup = (_host: string, _options: { all: true }, callback: (error: null, all: { address: string; family: number }[]) => void) =>
      callback(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 }
      ])
    const bus = createHttpBus({ targets: targetsSchema.parse({ external_call: [url] }), timeoutMs: 500, lookup })
    await expect(bus.deliver(kept(anAction({ type: 'external_call', target: url })), never)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(bus.deliver(kept(anAction({ target: 'elsewhere' })), never)).rejects.toMatchObject({ code: 'forbidden' })
    expect(target.got).toEqual([])
    await bus.stop()
  })
})
