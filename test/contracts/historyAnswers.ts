// The contract of the history port: answers, event by event.
import * as fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { reduceTurn, type TurnEvent, type TurnEventBody } from '../../src/shared/turn.ts'
import { answered, eventsOf, HOUR, START, turnIdOf, usage } from '../fakes/historySamples.ts'
import { anyText } from '../fakes/historyText.ts'
import type { HistoryHarness } from './historyHarness.ts'

export function answersContract(of: HistoryHarness): void {
  describe('an answer', () => {
    beforeEach(() => of.accept(1, 'How?'))

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
      of.clock.set(START + 500)
      const first = await of.history.saveEvents(turnIdOf(1), events.slice(0, 3))
      expect(first).toMatchObject({ sessionId: 's1', lastSeq: 3, session: { messageCount: 2, lastActivityAt: START + 500 } })
      expect(first.message).toMatchObject({ id: 'a1', role: 'assistant', text: 'By ', createdAt: START + 500, delivery: null })
      expect(first.message?.answer).toMatchObject({ state: 'answering', lastSeq: 3, citations: [], usage: null })
      expect((await of.history.outboxRow(turnIdOf(1)))?.lastSeq).toBe(3)

      const second = await of.history.saveEvents(turnIdOf(1), events.slice(3, 5))
      expect(second).toMatchObject({ lastSeq: 5, session: null, message: { text: 'By moving.' } })

      const last = await of.history.saveEvents(turnIdOf(1), events.slice(5))
      expect(last.message?.answer).toEqual({
        state: 'done',
        citations: [{ n: 1, title: 'Guide', source: 'AWS', date: '2026-01-01' }],
        notices: [{ kind: 'local', text: 'Answered here.' }],
        usage,
        error: null,
        finish: 'stop',
        lastSeq: 8
      })
      expect(await of.history.message('a1')).toEqual(last.message)
      expect((await of.history.message('q1'))?.delivery).toMatchObject({ state: 'settled', error: null })
      expect(await of.history.waitingCount()).toBe(0)
    })

    it('ignores what is stored already and what comes after the end', async () => {
      const events = answered(1, 'Yes.')
      await of.history.saveEvents(turnIdOf(1), events)
      const again = await of.history.saveEvents(turnIdOf(1), [...events, ...eventsOf(1, [{ type: 'delta', text: ' No.' }], 5)])
      expect(again).toMatchObject({ lastSeq: 4, session: null, message: { text: 'Yes.' } })
      expect((await of.history.usage({ from: 0, to: START + HOUR })).totals.turns).toBe(1)
    })

    it('refuses a gap or an event of another turn, and stores nothing of the batch', async () => {
      const events = answered(1, 'Yes.')
      await expect(of.history.saveEvents(turnIdOf(1), events.slice(1))).rejects.toMatchObject({ code: 'invalid_request' })
      await expect(of.history.saveEvents(turnIdOf(1), [events[0], events[2]] as TurnEvent[])).rejects.toMatchObject({ code: 'invalid_request' })
      await expect(
        of.history.saveEvents(turnIdOf(1), [events[0], ...eventsOf(2, [{ type: 'delta', text: 'x' }], 2)] as TurnEvent[])
      ).rejects.toMatchObject({ code: 'invalid_request' })
      expect(await of.history.message('a1')).toBeNull()
      expect((await of.history.outboxRow(turnIdOf(1)))?.lastSeq).toBe(0)
      await expect(of.history.saveEvents(turnIdOf(7), answered(7, 'x'))).rejects.toMatchObject({ code: 'not_found' })
    })

    it('keeps its partial text when it fails, and the error stands at the question', async () => {
      const error = { code: 'unavailable', message: 'Gone.', retryAfterMs: 10 } as const
      const saved = await of.history.saveEvents(
        turnIdOf(1),
        eventsOf(1, [
          { type: 'accepted', messageId: 'a1' },
          { type: 'delta', text: 'Partly zephyr' },
          { type: 'failed', error }
        ])
      )
      expect(saved.message).toMatchObject({ text: 'Partly zephyr', answer: { state: 'failed', error } })
      expect((await of.history.message('q1'))?.delivery).toMatchObject({ state: 'failed', error })
      expect(await of.find('zephyr')).toEqual(['a1'])
    })

    it('makes no empty answer of a turn that only failed', async () => {
      const error = { code: 'refused', message: 'No.' } as const
      const saved = await of.history.saveEvents(turnIdOf(1), eventsOf(1, [{ type: 'failed', error }]))
      expect(saved).toMatchObject({ message: null, lastSeq: 1 })
      expect((await of.history.message('q1'))?.delivery).toMatchObject({ state: 'failed', error })
      expect((await of.history.usage({ from: 0, to: START + HOUR })).byError).toEqual([{ code: 'refused', count: 1 }])
    })

    it('counts as settled when the person stopped it', async () => {
      const error = { code: 'cancelled', message: 'Stopped.' } as const
      const saved = await of.history.saveEvents(
        turnIdOf(1),
        eventsOf(1, [
          { type: 'accepted', messageId: 'a1' },
          { type: 'delta', text: 'So far' },
          { type: 'failed', error }
        ])
      )
      expect(saved.message).toMatchObject({ text: 'So far', answer: { state: 'cancelled' } })
      expect((await of.history.message('q1'))?.delivery?.state).toBe('settled')
      expect(await of.history.usage({ from: 0, to: START + HOUR })).toMatchObject({ totals: { turns: 1, failed: 0 }, byError: [] })
    })

    it('is made from the first event of a peer that accepts nothing and names nothing', async () => {
      const saved = await of.history.saveEvents(
        turnIdOf(1),
        eventsOf(1, [
          { type: 'delta', text: 'Hello' },
          { type: 'done', messageId: '', finish: 'stop' }
        ])
      )
      expect(saved.message).toMatchObject({ role: 'assistant', text: 'Hello', turnId: turnIdOf(1), answer: { state: 'done' } })
    })

    it('gets a name of its own where the given one is taken', async () => {
      await of.accept(2, 'Again?')
      await of.history.saveEvents(turnIdOf(1), answered(1, 'one'))
      const events = eventsOf(2, [
        { type: 'accepted', messageId: 'a1' },
        { type: 'delta', text: 'two' },
        { type: 'done', messageId: 'a1', finish: 'stop' }
      ])
      const saved = await of.history.saveEvents(turnIdOf(2), events)
      expect(saved.message?.id).not.toBe('a1')
      expect(await of.history.message(saved.message?.id ?? '')).toMatchObject({ text: 'two' })
      expect(await of.history.message('a1')).toMatchObject({ text: 'one' })
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
            await of.accept(n, 'Property')
            const events = eventsOf(n, [{ type: 'accepted', messageId: `a${n}` }, ...bodies, ...(last === null ? [] : [last])])
            const ends = [...cuts.map(([cut]) => 1 + (cut % events.length)), events.length].sort((a, b) => a - b)
            let stored = 0
            for (const [index, cut] of ends.entries()) {
              const repeated = Math.max(0, stored - (cuts[index]?.[1] ?? 0))
              await of.history.saveEvents(turnIdOf(n), events.slice(repeated, cut))
              stored = cut
            }
            const view = reduceTurn(events)
            const message = await of.history.message(`a${n}`)
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
}
