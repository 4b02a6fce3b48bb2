// What every keeper of personal data promises: all of it can be taken out, and none of it is left when it was erased.
import { expect, it } from 'vitest'
import { ownOrganisation } from '../../src/service/auth/caller.ts'
import type { Forgetting } from '../../src/service/person/retention.ts'
import type { PersonalStore } from '../../src/service/person/person.ts'
import type { Stores } from '../../src/service/stores/stores.ts'
import { anAction, anInput, anOutput } from '../fakes/action-target.ts'
import { anEvent, aTask } from './agentStores.ts'
import { aDecision } from './decisions.ts'
import { aReservation, aSettlement } from './ledgerSamples.ts'
import { anAnswer, aPending, aSession } from './sessions.ts'

export interface OpenHouse
  extends
    AsyncDisposable,
    Pick<Stores, 'conversation' | 'sessions' | 'events' | 'ledger' | 'accounts' | 'overrides' | 'schedule' | 'worklist' | 'decisions' | 'documents'> {
  readonly personal: readonly PersonalStore[]
  readonly forgetting: Forgetting
  /** Every row of every table, as text. */
  everything(): Promise<string>
}

async function live(house: OpenHouse, userId: string): Promise<void> {
  const sessionId = `session of ${userId}`
  await house.accounts.remember(userId, 'north')
  await house.sessions.create(aSession({ userId, sessionId }))
  await house.sessions.keep(aPending('m1', { userId, sessionId, caller: { userId, role: 'user', expiresAt: null } }))
  await house.sessions.answer(anAnswer('m1', { userId, sessionId }))
  await house.conversation.save({ userId, sessionId, turnId: `turn of ${userId}`, role: 'user', text: `words of ${userId}`, createdAt: 1_000 })
  await house.ledger.reserve(aReservation(`attempt ${userId.length}`, { userId, turnId: 't' }))
  await house.ledger.settle(aSettlement(`attempt ${userId.length}`))
  // As somebody whose token names no organisation.
  const own = ownOrganisation(userId)
  await house.ledger.reserve(aReservation(`own attempt ${userId.length}`, { userId, turnId: 't', organisation: own }))
  await house.ledger.settle(aSettlement(`own attempt ${userId.length}`))
  await house.overrides.put({ organisation: own, until: 9, grantedBy: 'boss', reason: 'Board' })
  await house.documents.expect({
    id: `document ${userId.length}`,
    organisation: own,
    client: 'Northwind',
    origin: 'upload',
    name: 'a.md',
    sizeBytes: 1,
    modifiedAt: 1,
    addedAt: 1,
    date: '2026-11-01'
  })
  await house.overrides.put({ organisation: `org ${userId.length}`, until: 9, grantedBy: userId, reason: 'Board' })
  await house.schedule.add(aTask({ taskId: `task ${userId.length}`, userId }))
  const input = anInput({ id: `${userId}:i`, userId })
  await house.worklist.accept(input, 5)
  await house.worklist.decided(anOutput({ inputId: input.id, requiresHumanReview: true, actions: [anAction({ id: `${userId}:a` })] }), 6)
  await house.worklist.review({ inputId: input.id, isApproved: true, reviewer: userId, reason: 'fine', now: 7 })
  await house.decisions.put(aDecision({ id: `d ${userId.length}`, userId }))
}

async function all(read: Promise<Iterable<object>> | AsyncIterable<object>): Promise<object[]> {
  const found: object[] = []
  for await (const value of await read) found.push(value)
  return found
}

export function personContract(open: () => Promise<OpenHouse>): void {
  it('takes out everything of one person, and of nobody else', async () => {
    await using house = await open()
    for (const userId of ['anna-maria', 'bob']) await live(house, userId)
    const found = Object.fromEntries(await Promise.all(house.personal.map(async ({ name, read }) => [name, await all(read('anna-maria'))] as const)))
    expect(Object.fromEntries(Object.entries(found).map(([name, rows]) => [name, rows.length]))).toEqual({
      turns: 0, messages: 1, chatMessages: 2, chatSessions: 1, costs: 2, account: 1, overrides: 2, inputs: 1, reviews: 1, decisions: 1, tasks: 1, documents: 1
    }) // prettier-ignore
    expect(found['inputs']).toMatchObject([
      { input: { userId: 'anna-maria' }, actions: [{ id: 'anna-maria:a' }], output: { confidence: expect.any(Number) } }
    ])
    expect(found['chatSessions']).toMatchObject([{ context: { cloud: 'AWS' }, metadata: { n: [1, { deep: true }] } }])
    expect(JSON.stringify(found)).not.toContain('bob')
  })

  it('leaves nothing of who is erased; the books still add up', async () => {
    await using house = await open()
    for (const userId of ['anna-maria', 'bob']) await live(house, userId)
    const before = await house.ledger.total()
    const none: string[] = []
    for (const { name, erase } of house.personal) if ((await erase('anna-maria')) === 0) none.push(name)
    // Her own review went with the input that it was of.
    expect(none).toEqual(['turns', 'reviews'])
    expect(await house.everything()).not.toContain('anna-maria')
    expect(await house.everything()).toContain('bob')
    expect(await house.ledger.total()).toEqual(before)
  })

  it('forgets what is older, but nothing that somebody waits for', async () => {
    await using house = await open()
    await house.sessions.create(aSession({ updatedAt: 100 }))
    await house.sessions.create(aSession({ sessionId: 'young', updatedAt: 900 }))
    await house.sessions.create(aSession({ sessionId: 'waiting', updatedAt: 100 }))
    await house.sessions.keep(aPending('m1', { sessionId: 'waiting', createdAt: 100 }))
    await house.conversation.save({ userId: 'anna', sessionId: 's', turnId: 't', role: 'user', text: 'old', createdAt: 100 })
    for (const id of ['1', '2']) await house.events.receive(anEvent(id, { receivedAt: 100 }))
    await house.events.settle('e-1', 101)
    for (const id of ['done', 'open']) await house.worklist.accept(anInput({ id }), 100)
    await house.worklist.decided(anOutput({ id: 'done:out', inputId: 'done', actions: [] }), 101)
    await house.worklist.told('done', 102)
    for (const [id, decidedAt] of [
      ['old', 100],
      ['young', 900]
    ] as const)
      await house.decisions.put(aDecision({ id, decidedAt }))
    for (const taskId of ['runs', 'cancelled']) await house.schedule.add(aTask({ taskId, createdAt: 100 }))
    await house.schedule.cancel('cancelled')
    expect(await house.forgetting.forget(500)).toEqual({ messages: 1, chatSessions: 1, externalEvents: 1, inputs: 1, decisions: 1, tasks: 1 })
    expect((await house.sessions.list({ userId: 'anna', kind: 'consultant' }, { limit: 9 })).map(({ sessionId }) => sessionId).toSorted()).toEqual([
      'waiting',
      'young'
    ])
    expect(await house.events.waiting(9)).toHaveLength(1)
    expect(await house.forgetting.forget(500)).toEqual({ messages: 0, chatSessions: 0, externalEvents: 0, inputs: 0, decisions: 0, tasks: 0 })
  })
}
