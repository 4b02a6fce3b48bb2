// The contract of the history port: questions and their rows of the outbox.
import { describe, expect, it } from 'vitest'
import { answered, eventsOf, HOUR, newQuestion, newSession, START, turnIdOf } from '../fakes/historySamples.ts'
import type { HistoryHarness } from './historyHarness.ts'

export function questionsContract(of: HistoryHarness): void {
  describe('accepting a question', () => {
    it('saves message, turn and outbox row together', async () => {
      const saved = await of.accept(1, 'How fast is Graviton?', { quickAction: 'check-number' }, START + 7)
      expect(saved.fresh).toBe(true)
      expect(saved.session).toMatchObject({ messageCount: 1, lastActivityAt: START + 7 })
      expect(saved.message).toEqual({
        id: 'q1',
        sessionId: 's1',
        turnId: turnIdOf(1),
        role: 'user',
        text: 'How fast is Graviton?',
        createdAt: START + 7,
        position: saved.message.position,
        quickAction: 'check-number',
        delivery: { state: 'waiting', attempts: 0, nextAttemptAt: null, needsConfirmation: false, error: null },
        answer: null
      })
      expect(await of.history.message('q1')).toEqual(saved.message)
      expect(await of.history.question(turnIdOf(1))).toEqual(newQuestion(1, 'How fast is Graviton?', { quickAction: 'check-number' }))
      expect(await of.history.outboxRow(turnIdOf(1))).toEqual({
        turnId: turnIdOf(1),
        messageId: 'q1',
        sessionId: 's1',
        state: 'waiting',
        position: saved.message.position,
        attempts: 0,
        acceptedAt: START + 7,
        nextAttemptAt: null,
        confirmedAt: null,
        error: null,
        lastSeq: 0
      })
      expect(await of.history.waitingCount()).toBe(1)
    })

    it('accepts the same turn once', async () => {
      const first = await of.accept(1, 'Once')
      const again = await of.history.accept({ question: newQuestion(1, 'Once'), messageId: 'other', at: START + 99 })
      expect(again).toEqual({ ...first, fresh: false })
      expect((await of.history.page({ sessionId: 's1', limit: 10 })).messages).toHaveLength(1)
    })

    it('refuses a turn id that was used for something else, and changes nothing', async () => {
      await of.history.createSession(newSession('s2'))
      await of.accept(1, 'Once')
      await expect(of.accept(1, 'Twice')).rejects.toMatchObject({ code: 'conflict' })
      await expect(of.accept(1, 'Once', { sessionId: 's2' })).rejects.toMatchObject({ code: 'conflict' })
      await expect(of.history.accept({ question: newQuestion(2, 'New'), messageId: 'q1', at: START })).rejects.toMatchObject({ code: 'conflict' })
      await expect(of.accept(3, 'Nowhere', { sessionId: 'none' })).rejects.toMatchObject({ code: 'not_found' })
      expect(await of.history.waitingCount()).toBe(1)
      expect(await of.history.question(turnIdOf(2))).toBeNull()
    })

    it('orders an answer right behind its question, whenever it comes', async () => {
      await of.accept(1, 'first')
      await of.accept(2, 'second')
      await of.history.saveEvents(turnIdOf(2), answered(2, 'two'))
      await of.history.saveEvents(turnIdOf(1), answered(1, 'one'))
      const { messages } = await of.history.page({ sessionId: 's1', limit: 10 })
      expect(messages.map((message) => message.id)).toEqual(['q1', 'a1', 'q2', 'a2'])
      expect((await of.history.session('s1'))?.messageCount).toBe(4)
    })

    it('takes calls made at once in their order', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => of.accept(n + 1, `question ${n + 1}`)))
      const { messages } = await of.history.page({ sessionId: 's1', limit: 50 })
      expect(messages.map((message) => message.id)).toEqual(Array.from({ length: 20 }, (_, n) => `q${n + 1}`))
    })
  })

  describe('the outbox', () => {
    it('keeps changes and tells what is open, oldest first', async () => {
      await of.accept(1, 'one')
      await of.accept(2, 'two')
      await of.accept(3, 'three')
      const error = { code: 'rate_limited', message: 'Slow down.', retryAfterMs: 5 } as const
      const changed = await of.history.changeOutbox(turnIdOf(2), { state: 'waiting', attempts: 3, nextAttemptAt: START + 9, error })
      expect(changed.delivery).toEqual({ state: 'waiting', attempts: 3, nextAttemptAt: START + 9, needsConfirmation: false, error })
      await of.history.changeOutbox(turnIdOf(2), { state: 'failed', nextAttemptAt: null })
      await of.history.changeOutbox(turnIdOf(1), { state: 'cancelled' })
      expect(await of.history.outbox()).toMatchObject([
        { turnId: turnIdOf(2), state: 'failed', attempts: 3, nextAttemptAt: null, error },
        { turnId: turnIdOf(3), state: 'waiting' }
      ])
      expect(await of.history.waitingCount()).toBe(1)
      expect(await of.history.outboxRow(turnIdOf(1))).toMatchObject({ state: 'cancelled' })
      expect(await of.history.outboxRow(turnIdOf(9))).toBeNull()
      await expect(of.history.changeOutbox(turnIdOf(9), {})).rejects.toMatchObject({ code: 'not_found' })
    })

    it('asks for confirmation after an hour of waiting, until it is given', async () => {
      await of.accept(1, 'old')
      const delivery = async (): Promise<boolean | undefined> => (await of.history.message('q1'))?.delivery?.needsConfirmation
      of.clock.set(START + HOUR)
      expect(await delivery()).toBe(false)
      of.clock.set(START + HOUR + 1)
      expect(await delivery()).toBe(true)
      await of.history.changeOutbox(turnIdOf(1), { confirmedAt: of.clock.now() })
      expect(await delivery()).toBe(false)
    })

    it('of.never lets go of an answer: a settled question stays settled', async () => {
      await of.accept(1, 'one')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'yes'))
      await expect(of.history.changeOutbox(turnIdOf(1), { state: 'waiting' })).rejects.toMatchObject({ code: 'conflict' })
      expect((await of.history.message('q1'))?.delivery?.state).toBe('settled')
    })
  })

  describe('editing a question', () => {
    it('rewrites one that waits, as a new turn', async () => {
      const before = await of.accept(1, 'What is the old figure?')
      of.clock.set(START + 2 * HOUR)
      const edited = await of.history.editQuestion('q1', { text: 'What is the new number?', turnId: turnIdOf(2), at: of.clock.now() })
      expect(edited).toEqual({ ...before.message, text: 'What is the new number?', turnId: turnIdOf(2) })
      expect(await of.history.outbox()).toMatchObject([{ turnId: turnIdOf(2), state: 'waiting', attempts: 0, acceptedAt: START + 2 * HOUR }])
      expect(await of.history.question(turnIdOf(1))).toBeNull()
      expect(await of.history.question(turnIdOf(2))).toEqual(newQuestion(2, 'What is the new number?'))
      expect(await of.find('figure')).toEqual([])
      expect(await of.find('number')).toEqual(['q1'])
    })

    it('keeps the id of the old turn used, so that a late retry makes no second message', async () => {
      await of.accept(1, 'old')
      await of.history.editQuestion('q1', { text: 'new', turnId: turnIdOf(2), at: START })
      expect(await of.accept(1, 'old')).toMatchObject({ fresh: false, message: { id: 'q1', text: 'new' } })
      const saved = await of.history.saveEvents(turnIdOf(1), answered(1, 'too late'))
      expect(saved).toMatchObject({ message: null, lastSeq: 0 })
      expect((await of.history.page({ sessionId: 's1', limit: 10 })).messages).toHaveLength(1)
    })

    it('rewrites one that failed and keeps what had been answered', async () => {
      await of.accept(1, 'one')
      const error = { code: 'internal', message: 'Broken.' } as const
      await of.history.saveEvents(
        turnIdOf(1),
        eventsOf(1, [
          { type: 'accepted', messageId: 'a1' },
          { type: 'delta', text: 'half' },
          { type: 'failed', error }
        ])
      )
      await of.history.editQuestion('q1', { text: 'one more time', turnId: turnIdOf(2), at: START })
      await of.history.saveEvents(turnIdOf(2), answered(2, 'whole'))
      const { messages } = await of.history.page({ sessionId: 's1', limit: 10 })
      expect(messages.map((message) => [message.id, message.text])).toEqual([
        ['q1', 'one more time'],
        ['a1', 'half'],
        ['a2', 'whole']
      ])
      expect(messages[0]?.delivery?.state).toBe('settled')
    })

    it('refuses one that is being sent, was answered, or is unknown', async () => {
      await of.accept(1, 'one')
      const edit = (n: number): Promise<unknown> => of.history.editQuestion('q1', { text: 'other', turnId: turnIdOf(n), at: START })
      await of.history.changeOutbox(turnIdOf(1), { state: 'sending' })
      await expect(edit(2)).rejects.toMatchObject({ code: 'conflict' })
      await of.history.saveEvents(turnIdOf(1), answered(1, 'yes').slice(0, 2))
      await of.history.changeOutbox(turnIdOf(1), { state: 'waiting' })
      await expect(edit(2)).rejects.toMatchObject({ code: 'conflict' })
      await of.history.saveEvents(turnIdOf(1), answered(1, 'yes'))
      await expect(edit(2)).rejects.toMatchObject({ code: 'conflict' })
      await of.accept(3, 'three')
      await expect(of.history.editQuestion('q3', { text: 'x', turnId: turnIdOf(1), at: START })).rejects.toMatchObject({ code: 'conflict' })
      await expect(of.history.editQuestion('a1', { text: 'x', turnId: turnIdOf(9), at: START })).rejects.toMatchObject({ code: 'not_found' })
      expect(await of.history.message('q3')).toMatchObject({ text: 'three' })
    })
  })
}
