// Who may do what with the agent beside the chat: everybody within their own business, and what belongs to others does not exist.
import { describe, expect, it } from 'vitest'
import { aModel } from '../../../test/contracts/decisions.ts'
import { anOutput } from '../../../test/fakes/action-target.ts'
import { fakeClock, tempStore } from '../../../test/fakes/service-parts.ts'
import { createSqliteOutbox } from '../actions/outbox.sqlite.ts'
import { createSqliteWorklist } from '../actions/worklist.sqlite.ts'
import type { AuditEvent } from '../audit/audit.ts'
import type { Caller } from '../auth/caller.ts'
import { createSqliteMessageModels } from '../decisions/decisions.sqlite.ts'
import { createSqliteSchedule } from '../schedule/schedule.sqlite.ts'
import { createInputDesk } from './inputDesk.ts'

const caller = (userId: string, role = 'user', organisation?: string): Caller => ({ userId, role, organisation, expiresAt: null })
const anna = caller('anna', 'user', 'acme')
const bob = caller('bob', 'user', 'acme')
const mia = caller('mia', 'manager', 'acme')
const max = caller('max', 'manager', 'globex')
const root = caller('root', 'admin')
const partner = caller('client:1', 'service')
const order = { type: 'invoice.overdue', content: { text: 'late', data: { number: 1 } } }
const task = { name: 'n', cron: '0 9 * * 1-5', type: 'report' }
const yes = { approve: true, reason: 'checked' }

async function setUp() {
  const temp = await tempStore()
  const audited: AuditEvent[] = []
  let ids = 0
  let works = 0
  const worklist = createSqliteWorklist(temp.store)
  const desk = createInputDesk({
    worklist,
    outbox: createSqliteOutbox(temp.store),
    models: createSqliteMessageModels(temp.store),
    schedule: createSqliteSchedule(temp.store),
    audit: { record: async (event) => void audited.push(event) },
    clock: fakeClock(),
    newId: () => `n${++ids}`,
    onWork: () => void works++
  })
  const hold = async (by: Caller, id: string) => {
    const { id: full } = await desk.submit(by, { ...order, id })
    await worklist.decided(anOutput({ id: `${full}:out`, inputId: full, requiresHumanReview: true, actions: [] }), 1)
    return full
  }
  return { desk, hold, audited, worklist, works: () => works, [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
}

describe('input desk', () => {
  it('takes an input once per sender and id, within the sender’s business', async () => {
    await using house = await setUp()
    expect(await house.desk.submit(anna, { ...order, id: 'x' })).toEqual({ id: 'anna:x', isDuplicate: false })
    expect(await house.desk.submit(anna, { ...order, id: 'x' })).toEqual({ id: 'anna:x', isDuplicate: true })
    expect(await house.desk.submit(bob, { ...order, id: 'x' })).toEqual({ id: 'bob:x', isDuplicate: false })
    expect((await house.worklist.inspect('anna:x'))?.input).toMatchObject({ source: 'api', businessId: 'acme', userId: 'anna' })
    await expect(house.desk.submit(anna, { ...order, businessId: 'globex' })).rejects.toMatchObject({ code: 'forbidden' })
    await house.desk.submit(partner, { ...order, id: 'p', businessId: 'globex' })
    expect((await house.worklist.inspect('client:1:p'))?.input.businessId).toBe('globex')
    expect(house.works()).toBe(4)
  })

  it('shows an input to its sender, managers of its business and administrators; to others there is none', async () => {
    await using house = await setUp()
    const { id } = await house.desk.submit(anna, order)
    for (const who of [anna, mia, root]) expect((await house.desk.inspect(who, id)).item.input.id).toBe(id)
    for (const who of [bob, max, partner]) await expect(house.desk.inspect(who, id)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('lets managers review their own business and nobody else, once, on the audit first', async () => {
    await using house = await setUp()
    const id = await house.hold(anna, 'x')
    for (const who of [anna, partner]) {
      await expect(house.desk.held(who)).rejects.toMatchObject({ code: 'forbidden' })
      await expect(house.desk.review(who, id, yes)).rejects.toMatchObject({ code: 'forbidden' })
    }
    expect(await house.desk.held(max)).toEqual([])
    await expect(house.desk.review(max, id, yes)).rejects.toMatchObject({ code: 'not_found' })
    expect(await house.desk.held(mia)).toHaveLength(1)
    expect(await house.desk.held(root)).toHaveLength(1)
    expect(await house.desk.review(mia, id, yes)).toMatchObject({ state: 'approved', review: { reviewer: 'mia', reason: 'checked' } })
    await expect(house.desk.review(root, id, yes)).rejects.toMatchObject({ code: 'conflict' })
    expect(house.audited).toEqual([{ actor: 'mia', action: 'review.decided', subject: id, details: { isApproved: true, reason: 'checked' } }])
  })

  it('lets only administrators lay down message models', async () => {
    await using house = await setUp()
    for (const who of [anna, mia, partner]) await expect(house.desk.putModel(who, aModel())).rejects.toMatchObject({ code: 'forbidden' })
    await house.desk.putModel(root, aModel())
    await house.desk.putModel(root, aModel({ decisionCode: 'theirs', businessId: 'globex' }))
    expect((await house.desk.models(anna)).map(({ decisionCode }) => decisionCode)).toEqual(['invoice.remind'])
    expect(await house.desk.models(root)).toHaveLength(2)
  })

  it('schedules tasks that only their owner, managers and administrators see and cancel', async () => {
    await using house = await setUp()
    const { taskId, nextAt } = await house.desk.schedule(anna, task)
    expect(nextAt).toBeGreaterThan(fakeClock().now())
    expect(await house.desk.tasks(bob)).toEqual([])
    for (const who of [anna, mia, root]) expect(await house.desk.tasks(who)).toHaveLength(1)
    await expect(house.desk.cancelTask(bob, taskId)).rejects.toMatchObject({ code: 'not_found' })
    expect(await house.desk.cancelTask(anna, taskId)).toMatchObject({ state: 'cancelled', nextAt: null })
    await expect(house.desk.cancelTask(anna, taskId)).rejects.toMatchObject({ code: 'conflict' })
    await expect(house.desk.schedule(anna, { ...task, cron: 'never' })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(house.desk.schedule(anna, { ...task, cron: '0 0 30 2 *' })).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it.each([
    null,
    undefined,
    'x',
    [],
    7,
    {},
    { type: '' },
    { type: 'x', content: 'y' },
    { type: 'x', content: { text: 'x'.repeat(200_000) } },
    { type: 1 },
    { type: 'x', id: 'y'.repeat(999) }
  ])('refuses a body that is none: %#', async (body) => {
    await using house = await setUp()
    for (const refused of [
      house.desk.submit(anna, body),
      house.desk.schedule(anna, body),
      house.desk.putModel(root, body),
      house.desk.review(mia, 'x', body)
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'invalid_request' })
    }
  })
})
