// The outbox shows the order in which questions go.
import { expect, it } from 'vitest'
import type { Delivery, Message } from '../../../shared/domain.ts'
import { countOutbox, groupOutbox } from './groups.ts'

const question = (id: string, sessionId: string, position: number, delivery: Partial<Delivery> = {}, createdAt = position): Message => ({
  id, sessionId, turnId: id, role: 'user', text: id, createdAt, position, quickAction: null, answer: null,
  delivery: { state: 'waiting', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null, ...delivery }
}) // prettier-ignore

it('puts the session that waits longest first, and each session in its own order', () => {
  const groups = groupOutbox([question('b2', 'b', 9, {}, 90), question('a1', 'a', 3, {}, 50), question('b1', 'b', 7, {}, 20)], {})
  expect(groups.map((group) => group.entries.map(({ message }) => message.id))).toEqual([['b1', 'b2'], ['a1']])
})

it('says which questions go after another one of their session; one that failed holds nobody up', () => {
  const groups = groupOutbox([question('f', 's', 1, { state: 'failed' }), question('x', 's', 2, { state: 'sending' }), question('y', 's', 3)], {})
  expect(groups[0]?.entries.map(({ isBehind }) => isBehind)).toEqual([false, false, true])
  expect(groupOutbox([question('f', 's', 1, { state: 'failed' }), question('y', 's', 3)], {})[0]?.entries[1]?.isBehind).toBe(false)
})

it('counts what waits, what is held and what failed apart', () => {
  const all = [
    question('a', 's', 1),
    question('b', 's', 2, { needsConfirmation: true }),
    question('c', 's', 3, { state: 'failed' }),
    question('d', 's', 4, { state: 'sending' })
  ]
  expect(countOutbox(all)).toEqual({ waiting: 2, held: 1, failed: 1 })
})
