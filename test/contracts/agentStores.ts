// What every store of the agent's work promises: conversation memory, events from outside, schedules, inputs and their actions.
import { describe, expect, it } from 'vitest'
import type { KeptAction } from '../../src/service/actions/outbox.ts'
import type { ScheduledTask } from '../../src/service/schedule/schedule.ts'
import type { Stores } from '../../src/service/stores/stores.ts'
import { anAction, anInput, anOutput } from '../fakes/action-target.ts'

export interface OpenAgentStores
  extends AsyncDisposable, Pick<Stores, 'conversation' | 'events' | 'schedule' | 'worklist' | 'outbox' | 'accounts' | 'overrides'> {}

export const aTask = (part: Partial<ScheduledTask> = {}): ScheduledTask => ({
  taskId: 't1', businessId: 'acme', userId: 'anna', name: 'Report', cron: '0 * * * *', timezone: 'UTC', type: 'report', text: 'Report', data: {},
  state: 'active', nextAt: 1_000, lastAt: null, runs: 0, missed: 0, createdAt: 1, ...part
}) // prettier-ignore

export const anEvent = (deliveryId: string, part: { eventId?: string; receivedAt?: number } = {}) => ({
  source: 'crm', deliveryId, eventId: `e-${deliveryId}`, type: 'deal.won', body: '{"text":"\\u0000"}', receivedAt: 5, ...part
}) // prettier-ignore

const lease = { leaseMs: 1_000, limit: 9 }
const idsOf = (actions: readonly KeptAction[]): string[] => actions.map(({ action }) => action.id)

export function agentStoresContract(open: () => Promise<OpenAgentStores>): void {
  describe('conversation memory', () => {
    it('gives what was said before a turn, by user, session and client, and keeps the longest telling of an answer', async () => {
      await using house = await open()
      const { conversation } = house
      const say = (turnId: string, role: 'user' | 'assistant', text: string, part: { userId?: string; client?: string } = {}) =>
        conversation.save({ userId: 'anna', sessionId: 's', turnId, role, text, createdAt: 1, ...part })
      await say('t1', 'user', 'first')
      await say('t1', 'assistant', 'the lon')
      await say('t1', 'assistant', 'the longer one')
      await say('t1', 'assistant', 'short')
      await say('t1', 'user', 'not the first any more')
      await say('t2', 'user', 'of Quay \u0000', { client: 'quay' })
      await say('t3', 'user', 'bob’s', { userId: 'bob' })
      await say('t4', 'user', 'now')
      await say('t5', 'user', 'later')
      const before = (part: { client?: string; turnId?: string } = {}, limit = 9) =>
        conversation.before({ userId: 'anna', sessionId: 's', turnId: 't4', ...part }, limit)
      expect(await before()).toEqual([
        { role: 'user', text: 'first' },
        { role: 'assistant', text: 'the longer one' }
      ])
      expect(await before({ client: 'quay' }, 2)).toEqual([
        { role: 'assistant', text: 'the longer one' },
        { role: 'user', text: 'of Quay \u0000' }
      ])
      expect(await before({ turnId: 'new' }, 1)).toEqual([{ role: 'user', text: 'later' }])
    })
  })

  describe('events from outside', () => {
    it('are one however often they are delivered, and wait until they are settled', async () => {
      await using house = await open()
      const { events } = house
      expect(await events.receive(anEvent('1'))).toEqual({ eventId: 'e-1', isNew: true })
      expect(await events.receive(anEvent('1', { eventId: 'other' }))).toEqual({ eventId: 'e-1', isNew: false })
      await events.receive(anEvent('0', { receivedAt: 1 }))
      expect(await events.waiting(9)).toEqual([anEvent('0', { receivedAt: 1 }), anEvent('1')])
      expect(await events.waiting(1)).toHaveLength(1)
      await events.settle('e-0', 9)
      expect(await events.waiting(9)).toEqual([anEvent('1')])
    })
  })

  describe('accounts and overrides', () => {
    it('remember the last organisation of a user', async () => {
      await using house = await open()
      await house.accounts.remember('anna', 'north')
      await house.accounts.remember('anna', 'south')
      expect([await house.accounts.organisationOf('anna'), await house.accounts.organisationOf('bob')]).toEqual(['south', null])
      house.accounts.forget('anna')
      expect(await house.accounts.organisationOf('anna')).toBe('south')
    })

    it('keep one override for each organisation', async () => {
      await using house = await open()
      const override = { organisation: 'north', until: 9, grantedBy: 'root', reason: 'Board' }
      await house.overrides.put({ ...override, until: 5 })
      await house.overrides.put(override)
      await house.overrides.put({ ...override, organisation: 'south' })
      await house.overrides.remove('south')
      expect(await house.overrides.all()).toEqual([override])
    })
  })

  describe('schedule', () => {
    it('lists tasks of a business, gives out what is due, and moves on once from a time', async () => {
      await using house = await open()
      const { schedule } = house
      await schedule.add(aTask())
      await schedule.add(aTask({ taskId: 't2', businessId: 'globex', userId: null, nextAt: 500 }))
      expect(await schedule.inspect('t1')).toEqual(aTask())
      expect(await schedule.inspect('t9')).toBeNull()
      expect((await schedule.list('acme', 9)).map(({ taskId }) => taskId)).toEqual(['t1'])
      expect((await schedule.due(999, 9)).map(({ taskId }) => taskId)).toEqual(['t2'])
      expect(await schedule.nextAt()).toBe(500)
      const step = { dueAt: 1_000, nextAt: 2_000, ranAt: 1_001, missed: 2 }
      await schedule.advance('t1', step)
      await schedule.advance('t1', step)
      expect(await schedule.inspect('t1')).toMatchObject({ runs: 1, missed: 2, nextAt: 2_000, lastAt: 1_001, state: 'active' })
      expect([await schedule.cancel('t1'), await schedule.cancel('t1')]).toEqual([true, false])
      await schedule.advance('t1', { ...step, dueAt: 2_000, nextAt: 3_000 })
      await schedule.advance('t2', { dueAt: 500, nextAt: null, ranAt: 501, missed: 0 })
      expect(await schedule.inspect('t1')).toMatchObject({ state: 'cancelled', runs: 1, nextAt: null })
      expect(await schedule.inspect('t2')).toMatchObject({ state: 'finished', nextAt: null })
      expect([await schedule.due(1e15, 9), await schedule.nextAt()]).toEqual([[], null])
      expect((await schedule.list(null, 9)).map(({ taskId }) => taskId)).toEqual(['t1', 't2'])
    })
  })

  describe('worklist', () => {
    it('keeps an input once, and decides it once, with its actions', async () => {
      await using house = await open()
      const { worklist, outbox } = house
      expect(await worklist.accept(anInput(), 5)).toEqual({ isNew: true })
      expect(await worklist.accept(anInput({ type: 'other' }), 6)).toEqual({ isNew: false })
      for (let look = 0; look < 2; look += 1)
        expect(await worklist.waiting(9, 9)).toMatchObject([{ input: anInput(), state: 'waiting', output: null }])
      expect(await worklist.decided(anOutput(), 7)).toBe(true)
      expect(await worklist.decided(anOutput({ actions: [anAction({ id: 'x' })] }), 8)).toBe(false)
      expect(await worklist.inspect('i1')).toMatchObject({ state: 'settled', output: anOutput(), decidedAt: 7 })
      expect(await outbox.ofInput('i1')).toMatchObject([{ action: anAction(), state: 'ready', businessId: 'acme' }])
      expect([await worklist.waiting(9, 9), await worklist.inspect('i9')]).toEqual([[], null])
      expect((await worklist.untold(9)).map(({ input }) => input.id)).toEqual(['i1'])
      await worklist.told('i1', 9)
      expect(await worklist.untold(9)).toEqual([])
    })

    it('writes neither the decision nor any action when one of them can’t be written', async () => {
      await using house = await open()
      await house.worklist.accept(anInput(), 5)
      await expect(house.worklist.decided(anOutput({ actions: [anAction(), anAction()] }), 7)).rejects.toThrow(/unique/i)
      expect(await house.worklist.inspect('i1')).toMatchObject({ state: 'waiting', output: null })
      expect(await house.outbox.ofInput('i1')).toEqual([])
    })

    it('gives an input again when its time has come, until it has failed for good', async () => {
      await using house = await open()
      const { worklist } = house
      await worklist.accept(anInput(), 5)
      await worklist.undecided('i1', 'busy', 500)
      expect(await worklist.waiting(499, 9)).toEqual([])
      expect(await worklist.waiting(500, 9)).toMatchObject([{ attempts: 1, lastError: 'busy' }])
      await worklist.undecided('i1', 'broken', null)
      expect(await worklist.waiting(1e12, 9)).toEqual([])
      expect(await worklist.inspect('i1')).toMatchObject({ state: 'failed', attempts: 2 })
    })

    it('lets nothing of a held decision go before a person has said yes, and drops it at a no', async () => {
      await using house = await open()
      const { worklist, outbox } = house
      for (const id of ['i1', 'i2']) {
        await worklist.accept(anInput({ id }), 5)
        await worklist.decided(anOutput({ id: `${id}:out`, inputId: id, requiresHumanReview: true, actions: [anAction({ id: `${id}:a0` })] }), 7)
      }
      expect([await outbox.lease(1e12, lease), await outbox.nextAt()]).toEqual([[], null])
      expect((await worklist.held('acme', 9)).map(({ input }) => input.id)).toEqual(['i1', 'i2'])
      expect(await worklist.held('globex', 9)).toEqual([])
      expect(await worklist.held(null, 1)).toHaveLength(1)
      const verdict = { reviewer: 'mia', reason: 'checked', now: 9 }
      const twice = await Promise.allSettled([true, true].map((isApproved) => worklist.review({ inputId: 'i1', isApproved, ...verdict })))
      expect(twice.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(await worklist.inspect('i1')).toMatchObject({ state: 'approved', review: { reviewer: 'mia', at: 9, reason: 'checked' } })
      await worklist.review({ inputId: 'i2', isApproved: false, ...verdict })
      await expect(worklist.review({ inputId: 'i2', isApproved: true, ...verdict })).rejects.toMatchObject({ code: 'conflict' })
      await expect(worklist.review({ inputId: 'i3', isApproved: true, ...verdict })).rejects.toMatchObject({ code: 'not_found' })
      expect(idsOf(await outbox.lease(1e12, lease))).toEqual(['i1:a0'])
      expect(await outbox.ofInput('i2')).toMatchObject([{ state: 'dropped', endedAt: 9 }])
    })
  })

  describe('outbox', () => {
    it('gives out what is due, most urgent first, to one taker at a time', async () => {
      await using house = await open()
      const { worklist, outbox } = house
      await worklist.accept(anInput(), 5)
      const actions = [anAction({ id: 'low', priority: 'low' }), anAction({ id: 'high', priority: 'high' }), anAction({ id: 'late', executeAt: 500 })]
      await worklist.decided(anOutput({ actions }), 7)
      expect(idsOf(await outbox.lease(100, lease))).toEqual(['high', 'low'])
      expect(await outbox.lease(100, lease)).toEqual([])
      expect(await outbox.nextAt()).toBe(500)
      const again = await outbox.lease(1_200, lease)
      expect(again.map(({ action, attempts }) => [action.id, attempts])).toEqual([
        ['high', 2],
        ['late', 1],
        ['low', 2]
      ])
    })

    it('ends an action once, tries it again when it is told to, and revives only the dead', async () => {
      await using house = await open()
      const { worklist, outbox } = house
      await worklist.accept(anInput(), 5)
      await worklist.decided(anOutput({ actions: [anAction()] }), 7)
      const { id } = anAction()
      await outbox.lease(100, lease)
      await outbox.retry(id, 'away', 300)
      expect([await outbox.lease(299, lease), await outbox.nextAt()]).toEqual([[], 300])
      expect(await outbox.lease(300, lease)).toMatchObject([{ attempts: 2, lastError: 'away' }])
      await expect(outbox.revive(id, 1)).rejects.toMatchObject({ code: 'conflict' })
      await expect(outbox.revive('never', 1)).rejects.toMatchObject({ code: 'not_found' })
      await outbox.dead(id, 'refused', 400)
      await outbox.done(id, 401)
      expect(await outbox.inState('dead', 9)).toMatchObject([{ state: 'dead', lastError: 'refused', endedAt: 400 }])
      await outbox.revive(id, 500)
      expect(await outbox.lease(500, lease)).toMatchObject([{ attempts: 1 }])
      await outbox.done(id, 600)
      expect(await outbox.inState('done', 9)).toMatchObject([{ endedAt: 600, lastError: null }])
    })
  })
}
