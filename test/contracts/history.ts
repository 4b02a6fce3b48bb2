// The contract of the history port: every adapter and every fake keeps it.
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../src/main/history/history.ts'
import { reduceTurn, type Question, type TurnEvent, type TurnEventBody } from '../../src/shared/turn.ts'
import { anyText } from '../fakes/historyText.ts'
import { answered, eventsOf, HOUR, handClock, newQuestion, newSession, START, turnIdOf, usage, type HandClock } from '../fakes/historySamples.ts'

export interface HistoryUnderTest {
  readonly history: History
  close(): Promise<void>
}

const never = new AbortController().signal

export function historyContract(name: string, open: (clock: HandClock) => Promise<HistoryUnderTest>): void {
  describe(`history: ${name}`, () => {
    let clock: HandClock
    let under: HistoryUnderTest
    let history: History

    beforeEach(async () => {
      clock = handClock()
      under = await open(clock)
      history = under.history
      await history.createSession(newSession('s1'))
    })
    afterEach(() => under.close())

    const accept = (n: number, text: string, change: Partial<Question> = {}, at = clock.now()): ReturnType<History['accept']> =>
      history.accept({ question: newQuestion(n, text, change), messageId: `q${n}`, at })
    const find = async (text: string, change: object = {}): Promise<string[]> => {
      const { hits } = await history.search({ text, limit: 30, ...change }, never)
      return hits.map((hit) => hit.messageId)
    }

    const pageOf = async (request: object): Promise<{ ids: string; earlier: boolean; later: boolean }> => {
      const page = await history.page({ sessionId: 's1', limit: 3, ...request })
      return { ids: page.messages.map((message) => message.id).join(' '), earlier: page.hasEarlier, later: page.hasLater }
    }
    const positionOf = async (id: string): Promise<number> => (await history.message(id))?.position ?? -1

    describe('sessions', () => {
      it('gives a session back as it was made', async () => {
        expect(await history.session('s1')).toEqual(newSession('s1'))
        expect(await history.session('none')).toBeNull()
      })

      it('refuses a second session with the same id', async () => {
        await expect(history.createSession(newSession('s1'))).rejects.toMatchObject({ code: 'conflict' })
      })

      it('changes only what the change names', async () => {
        const changed = await history.updateSession('s1', { details: { clientName: 'Globex', cloudProviders: ['gcp'] }, pinned: true }, START + 5)
        expect(changed).toEqual(newSession('s1', { clientName: 'Globex', cloudProviders: ['gcp'], pinned: true, updatedAt: START + 5 }))
        expect(await history.session('s1')).toEqual(changed)
        await expect(history.updateSession('none', {}, START)).rejects.toMatchObject({ code: 'not_found' })
      })

      it('lists pinned ones first, then the latest activity, and finds by title and client without accents or case', async () => {
        await history.createSession(newSession('s2', { title: 'Überblick', lastActivityAt: START + 10 }))
        await history.createSession(newSession('s3', { clientName: 'Café Société', lastActivityAt: START + 5, pinned: true }))
        await history.createSession(newSession('s4', { status: 'archived', lastActivityAt: START + 20 }))
        const ids = async (filter: Partial<Parameters<History['listSessions']>[0]>): Promise<string[]> =>
          (await history.listSessions({ limit: 10, ...filter })).map((session) => session.id)
        expect(await ids({})).toEqual(['s3', 's4', 's2', 's1'])
        expect(await ids({ status: 'active' })).toEqual(['s3', 's2', 's1'])
        expect(await ids({ limit: 2 })).toEqual(['s3', 's4'])
        expect(await ids({ text: 'uber' })).toEqual(['s2'])
        expect(await ids({ text: ' CAFE soc' })).toEqual(['s3'])
        expect(await ids({ text: "%_'" })).toEqual([])
      })

      it('removes a session with everything in it but the ledger', async () => {
        await accept(1, 'What does a landing zone cost?')
        await history.saveEvents(turnIdOf(1), answered(1, 'A landing zone costs little.'))
        await accept(2, 'Waiting landing')
        await history.removeSession('s1')
        expect(await history.session('s1')).toBeNull()
        expect(await history.message('q1')).toBeNull()
        expect(await history.message('a1')).toBeNull()
        expect(await history.outbox()).toEqual([])
        expect(await find('landing')).toEqual([])
        const report = await history.usage({ from: 0, to: START + HOUR })
        expect(report.bySession).toMatchObject([{ key: 's1', label: 'Meeting s1', totals: { turns: 1, costMicros: 321 } }])
        await expect(history.removeSession('s1')).rejects.toMatchObject({ code: 'not_found' })
        await expect(history.saveEvents(turnIdOf(2), answered(2, 'late'))).rejects.toMatchObject({ code: 'not_found' })
      })
    })

    describe('accepting a question', () => {
      it('saves message, turn and outbox row together', async () => {
        const saved = await accept(1, 'How fast is Graviton?', { quickAction: 'check-number' }, START + 7)
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
        expect(await history.message('q1')).toEqual(saved.message)
        expect(await history.question(turnIdOf(1))).toEqual(newQuestion(1, 'How fast is Graviton?', { quickAction: 'check-number' }))
        expect(await history.outboxRow(turnIdOf(1))).toEqual({
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
        expect(await history.waitingCount()).toBe(1)
      })

      it('accepts the same turn once', async () => {
        const first = await accept(1, 'Once')
        const again = await history.accept({ question: newQuestion(1, 'Once'), messageId: 'other', at: START + 99 })
        expect(again).toEqual({ ...first, fresh: false })
        expect((await history.page({ sessionId: 's1', limit: 10 })).messages).toHaveLength(1)
      })

      it('refuses a turn id that was used for something else, and changes nothing', async () => {
        await history.createSession(newSession('s2'))
        await accept(1, 'Once')
        await expect(accept(1, 'Twice')).rejects.toMatchObject({ code: 'conflict' })
        await expect(accept(1, 'Once', { sessionId: 's2' })).rejects.toMatchObject({ code: 'conflict' })
        await expect(history.accept({ question: newQuestion(2, 'New'), messageId: 'q1', at: START })).rejects.toMatchObject({ code: 'conflict' })
        await expect(accept(3, 'Nowhere', { sessionId: 'none' })).rejects.toMatchObject({ code: 'not_found' })
        expect(await history.waitingCount()).toBe(1)
        expect(await history.question(turnIdOf(2))).toBeNull()
      })

      it('orders an answer right behind its question, whenever it comes', async () => {
        await accept(1, 'first')
        await accept(2, 'second')
        await history.saveEvents(turnIdOf(2), answered(2, 'two'))
        await history.saveEvents(turnIdOf(1), answered(1, 'one'))
        const { messages } = await history.page({ sessionId: 's1', limit: 10 })
        expect(messages.map((message) => message.id)).toEqual(['q1', 'a1', 'q2', 'a2'])
        expect((await history.session('s1'))?.messageCount).toBe(4)
      })

      it('takes calls made at once in their order', async () => {
        await Promise.all(Array.from({ length: 20 }, (_, n) => accept(n + 1, `question ${n + 1}`)))
        const { messages } = await history.page({ sessionId: 's1', limit: 50 })
        expect(messages.map((message) => message.id)).toEqual(Array.from({ length: 20 }, (_, n) => `q${n + 1}`))
      })
    })

    describe('the outbox', () => {
      it('keeps changes and tells what is open, oldest first', async () => {
        await accept(1, 'one')
        await accept(2, 'two')
        await accept(3, 'three')
        const error = { code: 'rate_limited', message: 'Slow down.', retryAfterMs: 5 } as const
        const changed = await history.changeOutbox(turnIdOf(2), { state: 'waiting', attempts: 3, nextAttemptAt: START + 9, error })
        expect(changed.delivery).toEqual({ state: 'waiting', attempts: 3, nextAttemptAt: START + 9, needsConfirmation: false, error })
        await history.changeOutbox(turnIdOf(2), { state: 'failed', nextAttemptAt: null })
        await history.changeOutbox(turnIdOf(1), { state: 'cancelled' })
        expect(await history.outbox()).toMatchObject([
          { turnId: turnIdOf(2), state: 'failed', attempts: 3, nextAttemptAt: null, error },
          { turnId: turnIdOf(3), state: 'waiting' }
        ])
        expect(await history.waitingCount()).toBe(1)
        expect(await history.outboxRow(turnIdOf(1))).toMatchObject({ state: 'cancelled' })
        expect(await history.outboxRow(turnIdOf(9))).toBeNull()
        await expect(history.changeOutbox(turnIdOf(9), {})).rejects.toMatchObject({ code: 'not_found' })
      })

      it('asks for confirmation after an hour of waiting, until it is given', async () => {
        await accept(1, 'old')
        const delivery = async (): Promise<boolean | undefined> => (await history.message('q1'))?.delivery?.needsConfirmation
        clock.set(START + HOUR)
        expect(await delivery()).toBe(false)
        clock.set(START + HOUR + 1)
        expect(await delivery()).toBe(true)
        await history.changeOutbox(turnIdOf(1), { confirmedAt: clock.now() })
        expect(await delivery()).toBe(false)
      })

      it('never lets go of an answer: a settled question stays settled', async () => {
        await accept(1, 'one')
        await history.saveEvents(turnIdOf(1), answered(1, 'yes'))
        await expect(history.changeOutbox(turnIdOf(1), { state: 'waiting' })).rejects.toMatchObject({ code: 'conflict' })
        expect((await history.message('q1'))?.delivery?.state).toBe('settled')
      })
    })

    describe('editing a question', () => {
      it('rewrites one that waits, as a new turn', async () => {
        const before = await accept(1, 'What is the old figure?')
        clock.set(START + 2 * HOUR)
        const edited = await history.editQuestion('q1', { text: 'What is the new number?', turnId: turnIdOf(2), at: clock.now() })
        expect(edited).toEqual({ ...before.message, text: 'What is the new number?', turnId: turnIdOf(2) })
        expect(await history.outbox()).toMatchObject([{ turnId: turnIdOf(2), state: 'waiting', attempts: 0, acceptedAt: START + 2 * HOUR }])
        expect(await history.question(turnIdOf(1))).toBeNull()
        expect(await history.question(turnIdOf(2))).toEqual(newQuestion(2, 'What is the new number?'))
        expect(await find('figure')).toEqual([])
        expect(await find('number')).toEqual(['q1'])
      })

      it('keeps the id of the old turn used, so that a late retry makes no second message', async () => {
        await accept(1, 'old')
        await history.editQuestion('q1', { text: 'new', turnId: turnIdOf(2), at: START })
        expect(await accept(1, 'old')).toMatchObject({ fresh: false, message: { id: 'q1', text: 'new' } })
        const saved = await history.saveEvents(turnIdOf(1), answered(1, 'too late'))
        expect(saved).toMatchObject({ message: null, lastSeq: 0 })
        expect((await history.page({ sessionId: 's1', limit: 10 })).messages).toHaveLength(1)
      })

      it('rewrites one that failed and keeps what had been answered', async () => {
        await accept(1, 'one')
        const error = { code: 'internal', message: 'Broken.' } as const
        await history.saveEvents(
          turnIdOf(1),
          eventsOf(1, [
            { type: 'accepted', messageId: 'a1' },
            { type: 'delta', text: 'half' },
            { type: 'failed', error }
          ])
        )
        await history.editQuestion('q1', { text: 'one more time', turnId: turnIdOf(2), at: START })
        await history.saveEvents(turnIdOf(2), answered(2, 'whole'))
        const { messages } = await history.page({ sessionId: 's1', limit: 10 })
        expect(messages.map((message) => [message.id, message.text])).toEqual([
          ['q1', 'one more time'],
          ['a1', 'half'],
          ['a2', 'whole']
        ])
        expect(messages[0]?.delivery?.state).toBe('settled')
      })

      it('refuses one that is being sent, was answered, or is unknown', async () => {
        await accept(1, 'one')
        const edit = (n: number): Promise<unknown> => history.editQuestion('q1', { text: 'other', turnId: turnIdOf(n), at: START })
        await history.changeOutbox(turnIdOf(1), { state: 'sending' })
        await expect(edit(2)).rejects.toMatchObject({ code: 'conflict' })
        await history.saveEvents(turnIdOf(1), answered(1, 'yes').slice(0, 2))
        await history.changeOutbox(turnIdOf(1), { state: 'waiting' })
        await expect(edit(2)).rejects.toMatchObject({ code: 'conflict' })
        await history.saveEvents(turnIdOf(1), answered(1, 'yes'))
        await expect(edit(2)).rejects.toMatchObject({ code: 'conflict' })
        await accept(3, 'three')
        await expect(history.editQuestion('q3', { text: 'x', turnId: turnIdOf(1), at: START })).rejects.toMatchObject({ code: 'conflict' })
        await expect(history.editQuestion('a1', { text: 'x', turnId: turnIdOf(9), at: START })).rejects.toMatchObject({ code: 'not_found' })
        expect(await history.message('q3')).toMatchObject({ text: 'three' })
      })
    })

    describe('an answer', () => {
      beforeEach(() => accept(1, 'How?'))

      it('grows with its events and ends with everything settled', async () => {
        const events = eventsOf(1, [
          { type: 'accepted', messageId: 'a1' },
          { type: 'status', stage: 'Searching' },
          { type: 'delta', text: 'By ' },
          { type: 'citation', n: 1, title: 'Guide', source: 'AWS', date: '2026-01-01' },
          { type: 'delta', text: 'moving.' },
          { type: 'notice', kind: 'local', text: 'Answered here.' },
          { type: 'usage', ...usage },
          { type: 'done', messageId: 'a1', finish: 'stop' }
        ])
        clock.set(START + 500)
        const first = await history.saveEvents(turnIdOf(1), events.slice(0, 3))
        expect(first).toMatchObject({ sessionId: 's1', lastSeq: 3, session: { messageCount: 2, lastActivityAt: START + 500 } })
        expect(first.message).toMatchObject({ id: 'a1', role: 'assistant', text: 'By ', createdAt: START + 500, delivery: null })
        expect(first.message?.answer).toMatchObject({ state: 'answering', lastSeq: 3, citations: [], usage: null })
        expect((await history.outboxRow(turnIdOf(1)))?.lastSeq).toBe(3)

        const second = await history.saveEvents(turnIdOf(1), events.slice(3, 5))
        expect(second).toMatchObject({ lastSeq: 5, session: null, message: { text: 'By moving.' } })

        const last = await history.saveEvents(turnIdOf(1), events.slice(5))
        expect(last.message?.answer).toEqual({
          state: 'done',
          citations: [{ n: 1, title: 'Guide', source: 'AWS', date: '2026-01-01' }],
          notices: [{ kind: 'local', text: 'Answered here.' }],
          usage,
          error: null,
          finish: 'stop',
          lastSeq: 8
        })
        expect(await history.message('a1')).toEqual(last.message)
        expect((await history.message('q1'))?.delivery).toMatchObject({ state: 'settled', error: null })
        expect(await history.waitingCount()).toBe(0)
      })

      it('ignores what is stored already and what comes after the end', async () => {
        const events = answered(1, 'Yes.')
        await history.saveEvents(turnIdOf(1), events)
        const again = await history.saveEvents(turnIdOf(1), [...events, ...eventsOf(1, [{ type: 'delta', text: ' No.' }], 5)])
        expect(again).toMatchObject({ lastSeq: 4, session: null, message: { text: 'Yes.' } })
        expect((await history.usage({ from: 0, to: START + HOUR })).totals.turns).toBe(1)
      })

      it('refuses a gap or an event of another turn, and stores nothing of the batch', async () => {
        const events = answered(1, 'Yes.')
        await expect(history.saveEvents(turnIdOf(1), events.slice(1))).rejects.toMatchObject({ code: 'invalid_request' })
        await expect(history.saveEvents(turnIdOf(1), [events[0], events[2]] as TurnEvent[])).rejects.toMatchObject({ code: 'invalid_request' })
        await expect(
          history.saveEvents(turnIdOf(1), [events[0], ...eventsOf(2, [{ type: 'delta', text: 'x' }], 2)] as TurnEvent[])
        ).rejects.toMatchObject({ code: 'invalid_request' })
        expect(await history.message('a1')).toBeNull()
        expect((await history.outboxRow(turnIdOf(1)))?.lastSeq).toBe(0)
        await expect(history.saveEvents(turnIdOf(7), answered(7, 'x'))).rejects.toMatchObject({ code: 'not_found' })
      })

      it('keeps its partial text when it fails, and the error stands at the question', async () => {
        const error = { code: 'unavailable', message: 'Gone.', retryAfterMs: 10 } as const
        const saved = await history.saveEvents(
          turnIdOf(1),
          eventsOf(1, [
            { type: 'accepted', messageId: 'a1' },
            { type: 'delta', text: 'Partly zephyr' },
            { type: 'failed', error }
          ])
        )
        expect(saved.message).toMatchObject({ text: 'Partly zephyr', answer: { state: 'failed', error } })
        expect((await history.message('q1'))?.delivery).toMatchObject({ state: 'failed', error })
        expect(await find('zephyr')).toEqual(['a1'])
      })

      it('makes no empty answer of a turn that only failed', async () => {
        const error = { code: 'refused', message: 'No.' } as const
        const saved = await history.saveEvents(turnIdOf(1), eventsOf(1, [{ type: 'failed', error }]))
        expect(saved).toMatchObject({ message: null, lastSeq: 1 })
        expect((await history.message('q1'))?.delivery).toMatchObject({ state: 'failed', error })
        expect((await history.usage({ from: 0, to: START + HOUR })).byError).toEqual([{ code: 'refused', count: 1 }])
      })

      it('counts as settled when the person stopped it', async () => {
        const error = { code: 'cancelled', message: 'Stopped.' } as const
        const saved = await history.saveEvents(
          turnIdOf(1),
          eventsOf(1, [
            { type: 'accepted', messageId: 'a1' },
            { type: 'delta', text: 'So far' },
            { type: 'failed', error }
          ])
        )
        expect(saved.message).toMatchObject({ text: 'So far', answer: { state: 'cancelled' } })
        expect((await history.message('q1'))?.delivery?.state).toBe('settled')
        expect(await history.usage({ from: 0, to: START + HOUR })).toMatchObject({ totals: { turns: 1, failed: 0 }, byError: [] })
      })

      it('is made from the first event of a peer that accepts nothing and names nothing', async () => {
        const saved = await history.saveEvents(
          turnIdOf(1),
          eventsOf(1, [
            { type: 'delta', text: 'Hello' },
            { type: 'done', messageId: '', finish: 'stop' }
          ])
        )
        expect(saved.message).toMatchObject({ role: 'assistant', text: 'Hello', turnId: turnIdOf(1), answer: { state: 'done' } })
      })

      it('gets a name of its own where the given one is taken', async () => {
        await accept(2, 'Again?')
        await history.saveEvents(turnIdOf(1), answered(1, 'one'))
        const events = eventsOf(2, [
          { type: 'accepted', messageId: 'a1' },
          { type: 'delta', text: 'two' },
          { type: 'done', messageId: 'a1', finish: 'stop' }
        ])
        const saved = await history.saveEvents(turnIdOf(2), events)
        expect(saved.message?.id).not.toBe('a1')
        expect(await history.message(saved.message?.id ?? '')).toMatchObject({ text: 'two' })
        expect(await history.message('a1')).toMatchObject({ text: 'one' })
      })

      it('is the same whatever batches and repetitions its events came in', { timeout: 60_000 }, async () => {
        const body: fc.Arbitrary<TurnEventBody> = fc.oneof(
          { weight: 6, arbitrary: fc.record({ type: fc.constant('delta' as const), text: anyText(12) }) },
          { weight: 1, arbitrary: fc.constant({ type: 'delta' as const, text: '\ud83d' }) },
          { weight: 1, arbitrary: fc.constant({ type: 'delta' as const, text: '\ude00' }) },
          { weight: 1, arbitrary: fc.constant({ type: 'status' as const, stage: 'Thinking', progress: 5 }) },
          {
            weight: 1,
            arbitrary: fc.record({
              type: fc.constant('citation' as const),
              n: fc.integer({ min: 1, max: 3 }),
              title: fc.string(),
              source: fc.string()
            })
          },
          { weight: 1, arbitrary: fc.record({ type: fc.constant('notice' as const), kind: fc.constant('local' as const), text: fc.string() }) },
          { weight: 1, arbitrary: fc.constant({ type: 'usage' as const, ...usage }) }
        )
        const end = fc.option(
          fc.oneof(
            fc.constant({ type: 'done' as const, messageId: 'x', finish: 'stop' as const }),
            fc.constant({ type: 'failed' as const, error: { code: 'timeout' as const, message: 'Late.' } })
          )
        )
        let n = 100
        await fc.assert(
          fc.asyncProperty(
            fc.array(body, { maxLength: 14 }),
            end,
            fc.array(fc.tuple(fc.nat(20), fc.nat(4)), { maxLength: 6 }),
            async (bodies, last, cuts) => {
              n += 1
              await accept(n, 'Property')
              const events = eventsOf(n, [{ type: 'accepted', messageId: `a${n}` }, ...bodies, ...(last === null ? [] : [last])])
              const ends = [...cuts.map(([cut]) => 1 + (cut % events.length)), events.length].sort((a, b) => a - b)
              let stored = 0
              for (const [index, cut] of ends.entries()) {
                const repeated = Math.max(0, stored - (cuts[index]?.[1] ?? 0))
                await history.saveEvents(turnIdOf(n), events.slice(repeated, cut))
                stored = cut
              }
              const view = reduceTurn(events)
              const message = await history.message(`a${n}`)
              const text = last === null ? view.text.replace(/[\ud800-\udbff]$/, '') : view.text
              expect(message?.text).toBe(text.toWellFormed())
              expect(message?.answer).toEqual({
                state: last === null ? 'answering' : view.state,
                citations: view.citations,
                notices: view.notices,
                usage: view.usage,
                error: view.error,
                finish: view.finish,
                lastSeq: view.lastSeq
              })
            }
          ),
          { numRuns: 60 }
        )
      })
    })

    describe('pages', () => {
      beforeEach(async () => {
        await history.createSession(newSession('s2'))
        for (let n = 1; n <= 10; n++) {
          await accept(n, `question ${n}`)
          await accept(100 + n, `elsewhere ${n}`, { sessionId: 's2' })
        }
      })
      it('begins with the last ones', async () => {
        expect(await pageOf({})).toEqual({ ids: 'q8 q9 q10', earlier: true, later: false })
        expect(await pageOf({ limit: 10 })).toMatchObject({ earlier: false, later: false })
      })

      it('goes back and forth from a position', async () => {
        expect(await pageOf({ before: await positionOf('q8') })).toEqual({ ids: 'q5 q6 q7', earlier: true, later: true })
        expect(await pageOf({ before: await positionOf('q3') })).toEqual({ ids: 'q1 q2', earlier: false, later: true })
        expect(await pageOf({ after: await positionOf('q2') })).toEqual({ ids: 'q3 q4 q5', earlier: true, later: true })
        expect(await pageOf({ after: await positionOf('q8') })).toEqual({ ids: 'q9 q10', earlier: true, later: false })
        expect(await pageOf({ after: await positionOf('q10') })).toEqual({ ids: '', earlier: true, later: false })
        expect(await pageOf({ before: 0 })).toEqual({ ids: '', earlier: false, later: true })
      })

      it('opens around a message and fills the page at either end', async () => {
        expect(await pageOf({ around: 'q5' })).toEqual({ ids: 'q4 q5 q6', earlier: true, later: true })
        expect(await pageOf({ around: 'q1' })).toEqual({ ids: 'q1 q2 q3', earlier: false, later: true })
        expect(await pageOf({ around: 'q10' })).toEqual({ ids: 'q8 q9 q10', earlier: true, later: false })
        expect(await pageOf({ around: 'q5', limit: 1 })).toEqual({ ids: 'q5', earlier: true, later: true })
        expect(await pageOf({ around: 'q5', limit: 4 })).toEqual({ ids: 'q3 q4 q5 q6', earlier: true, later: true })
      })

      it('knows no page of what is not there', async () => {
        await expect(pageOf({ around: 'q101' })).rejects.toMatchObject({ code: 'not_found' })
        await expect(pageOf({ sessionId: 'none' })).rejects.toMatchObject({ code: 'not_found' })
      })
    })

    describe('search', () => {
      beforeEach(async () => {
        await history.createSession(newSession('s2', { title: 'Globex kick-off', clientName: 'Globex' }))
        await accept(1, 'What does a NAT gateway cost per month?', {}, START)
        await accept(2, 'Größenordnung der Kosten für Café-Netzwerke?', {}, START + HOUR)
        await accept(3, '東京リージョンの予算はいくらですか', { sessionId: 's2' }, START + 2 * HOUR)
        await accept(4, 'Gateway load balancers and the cost of traffic', { sessionId: 's2' }, START + 3 * HOUR)
        await history.saveEvents(turnIdOf(1), answered(1, 'About 33 USD for a c5.xlarge; migrations and policies cost extra.'))
      })

      it('finds all terms, in any order and case', async () => {
        expect((await find('COST gateway ')).toSorted()).toEqual(['q1', 'q4'])
        expect(await find('gateway month ')).toEqual(['q1'])
        expect(await find('gateway nonsense')).toEqual([])
      })

      it('finds as one types: the last word is a beginning', async () => {
        expect((await find('gat')).toSorted()).toEqual(['q1', 'q4'])
        expect(await find('gat ')).toEqual([])
        expect(await find('load bal')).toEqual(['q4'])
        for (const typed of ['pol', 'poli', 'policie', 'policies', 'policy', 'migratio', 'migrations']) expect(await find(typed)).toEqual(['a1'])
      })

      it('finds phrases in quotes, closed or not', async () => {
        expect(await find('"nat gateway"')).toEqual(['q1'])
        expect(await find('"gateway nat"')).toEqual([])
        expect(await find('“cost of traf')).toEqual(['q4'])
        expect(await find('c5.xlarge')).toEqual(['a1'])
      })

      it('finds across accents, case and ß, and inside texts without spaces', async () => {
        expect(await find('cafe')).toEqual(['q2'])
        expect(await find('GRÖSSENORDNUNG')).toEqual(['q2'])
        expect(await find('予算')).toEqual(['q3'])
        expect(await find('リージョン いくら')).toEqual(['q3'])
        expect(await find('算予')).toEqual([])
      })

      it('filters by session, client, role and date', async () => {
        expect(await find('gateway', { sessionId: 's2' })).toEqual(['q4'])
        expect(await find('gateway', { clientName: 'Acme' })).toEqual(['q1'])
        expect(await find('gateway', { clientName: 'Nobody' })).toEqual([])
        expect(await find('cost', { role: 'assistant' })).toEqual(['a1'])
        expect(await find('cost', { role: 'user', from: START, to: START + HOUR })).toEqual(['q1'])
        expect(await find('cost', { from: START + 3 * HOUR, to: START + 9 * HOUR })).toEqual(['q4'])
      })

      it('shows where it was found, as plain pieces', async () => {
        const { hits } = await history.search({ text: 'balancer traf', limit: 5 }, never)
        expect(hits).toEqual([
          {
            messageId: 'q4',
            sessionId: 's2',
            sessionTitle: 'Globex kick-off',
            clientName: 'Globex',
            role: 'user',
            createdAt: START + 3 * HOUR,
            snippet: [
              { text: 'Gateway load ', hit: false },
              { text: 'balancers', hit: true },
              { text: ' and the cost of ', hit: false },
              { text: 'traffic', hit: true }
            ]
          }
        ])
      })

      it('says when there is more than was asked for', async () => {
        const { hits, more } = await history.search({ text: 'gateway', limit: 1 }, never)
        expect([hits.length, more]).toEqual([1, true])
        expect((await history.search({ text: 'gateway', limit: 2 }, never)).more).toBe(false)
      })

      it('takes anything that can be typed', { timeout: 60_000 }, async () => {
        const odd = [
          '',
          ' ',
          '"',
          '""',
          '*',
          'NOT',
          'AND OR NEAR(',
          'a* "b',
          "';--",
          '{x}:y',
          '^',
          '\u0000',
          '\ud800',
          '<script>',
          'x'.repeat(500),
          '"'.repeat(500),
          'a '.repeat(250)
        ]
        for (const text of odd) expect(await find(text)).toBeInstanceOf(Array)
        await fc.assert(
          fc.asyncProperty(
            fc.string({ unit: fc.constantFrom('a', 'b', '"', '*', '(', ')', '^', ':', '{', '-', '\u0000', '\ud800', '予', '\u0301', ' ') }),
            async (text) => {
              await history.search({ text, limit: 3 }, never)
            }
          ),
          { numRuns: 60 }
        )
      })

      it('rejects as cancelled when it was given up', async () => {
        await expect(history.search({ text: 'gateway', limit: 5 }, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
        const controller = new AbortController()
        const search = history.search({ text: 'gateway', limit: 5 }, controller.signal)
        controller.abort()
        await expect(search).rejects.toMatchObject({ code: 'cancelled' })
        expect(await find('gateway')).toHaveLength(2)
      })
    })

    describe('the usage ledger', () => {
      const all = { from: 0, to: START + 1000 * HOUR }

      it('adds up what turns cost, by day, client, session, model and provider', async () => {
        await history.createSession(newSession('s2', { title: 'Other', clientName: 'Globex' }))
        const error = { code: 'timeout', message: 'Late.' } as const
        for (const n of [1, 2, 3]) await accept(n, `question ${n}`, n === 3 ? { sessionId: 's2' } : {})
        await history.saveEvents(turnIdOf(1), answered(1, 'one'))
        await history.saveEvents(
          turnIdOf(2),
          eventsOf(2, [
            { type: 'accepted', messageId: 'a2' },
            { type: 'usage', ...usage, model: 'big', costMicros: 1000, firstTextMs: 10, totalMs: 4000 },
            { type: 'done', messageId: 'a2', finish: 'stop' }
          ])
        )
        await history.saveEvents(turnIdOf(3), eventsOf(3, [{ type: 'failed', error }]))
        const report = await history.usage(all)
        expect(report.totals).toEqual({ turns: 3, failed: 1, inputTokens: 240, outputTokens: 90, cachedTokens: 10, costMicros: 1321, failovers: 2 })
        expect(report.firstTextMs).toEqual({ p50: 10, p95: 90, p99: 90 })
        expect(report.totalMs).toEqual({ p50: 400, p95: 4000, p99: 4000 })
        expect(report.byClient.map((group) => [group.key, group.totals.turns])).toEqual([
          ['Acme', 2],
          ['Globex', 1]
        ])
        expect(report.bySession.map((group) => [group.key, group.label, group.totals.costMicros])).toEqual([
          ['s1', 'Meeting s1', 1321],
          ['s2', 'Other', 0]
        ])
        expect(report.byModel.map((group) => [group.key, group.totals.costMicros])).toEqual([
          ['big', 1000],
          ['knowledge', 321],
          ['', 0]
        ])
        expect(report.byProvider.map((group) => group.key)).toEqual(['local', ''])
        expect(report.byDay).toHaveLength(1)
        expect(report.byError).toEqual([{ code: 'timeout', count: 1 }])
        expect((await history.usage({ ...all, clientName: 'Globex' })).totals.turns).toBe(1)
        expect((await history.usage({ ...all, sessionId: 's1' })).totals.turns).toBe(2)
        expect(await history.usage({ from: START + HOUR, to: START + 2 * HOUR })).toMatchObject({
          totals: { turns: 0 },
          firstTextMs: null,
          byDay: []
        })
      })

      it('follows its session as long as there is one', async () => {
        await accept(1, 'one')
        await history.saveEvents(turnIdOf(1), answered(1, 'one'))
        await history.updateSession('s1', { details: { clientName: 'Initech', title: 'Renamed' } }, START)
        await history.removeSession('s1')
        const report = await history.usage(all)
        expect(report.byClient.map((group) => group.key)).toEqual(['Initech'])
        expect(report.bySession.map((group) => group.label)).toEqual(['Renamed'])
      })
    })

    describe('bad input', () => {
      it('keeps hostile and broken text as harmless text', async () => {
        const texts = [
          '<script>alert(1)</script>',
          "'; DROP TABLE messages; --",
          'nul\u0000inside',
          'half \ud83d surrogate',
          '\u202eright to left',
          'x'.repeat(200_000)
        ]
        for (const [n, text] of texts.entries()) {
          const saved = await accept(n + 1, text)
          expect(saved.message.text).toBe(text.toWellFormed())
          expect(await accept(n + 1, text)).toMatchObject({ fresh: false })
          const answer = await history.saveEvents(turnIdOf(n + 1), answered(n + 1, text))
          expect(answer.message?.text).toBe(text.toWellFormed())
        }
        await history.removeSession('s1')
        expect(await find('alert')).toEqual([])
      })
    })

    it('refuses calls after it was closed', async () => {
      await history.close()
      await expect(history.session('s1')).rejects.toMatchObject({ code: 'unavailable' })
    })
  })
}
