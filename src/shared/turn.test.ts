// The reducer: one pure function that main, windows and the command line trust.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryTurn, numbered } from '../../test/fakes/arbitraries.ts'
import { applyTurnEvent, emptyTurn, isEnded, isTerminal, reduceTurn, turnEventSchema } from './turn.ts'

const id = '0198c5f0-0000-7000-8000-000000000001'

describe('reduceTurn', () => {
  it('joins the deltas into the answer', () => {
    fc.assert(
      fc.property(arbitraryTurn(id), (events) => {
        expect(reduceTurn(events).text).toBe(events.map((e) => (e.type === 'delta' ? e.text : '')).join(''))
      })
    )
  })

  it('gives the same view however often and in whatever overlapping pieces events come', () => {
    fc.assert(
      fc.property(arbitraryTurn(id), fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 8 }), (events, replays) => {
        const whole = reduceTurn(events)
        let view = emptyTurn(id)
        for (const [from, length] of replays) for (const event of events.slice(0, from + length)) view = applyTurnEvent(view, event)
        for (const event of events) view = applyTurnEvent(view, event)
        expect(view).toEqual(whole)
      })
    )
  })

  it('never applies an event that leaves a gap, and says where to fetch again', () => {
    fc.assert(
      fc.property(arbitraryTurn(id), fc.nat(30), (events, drop) => {
        fc.pre(drop < events.length - 1)
        const view = reduceTurn(events.toSpliced(drop, 1), id)
        expect(view.lastSeq).toBe(drop)
        expect(view.gapAfter).toBe(drop)
        expect(applyTurnEvent(view, events[drop]!).gapAfter).toBeNull()
      })
    )
  })

  it('ends with the first terminal event and ignores what comes after', () => {
    const events = numbered(id, [
      { type: 'accepted', messageId: 'm' },
      { type: 'delta', text: 'Yes.' },
      { type: 'done', messageId: 'm', finish: 'stop' },
      { type: 'delta', text: ' No.' }
    ])
    const view = reduceTurn(events)
    expect(view).toMatchObject({ state: 'done', text: 'Yes.', finish: 'stop', lastSeq: 3 })
  })

  it('keeps the text of an answer that failed or was stopped', () => {
    const failing = (code: 'unavailable' | 'cancelled') =>
      reduceTurn(
        numbered(id, [
          { type: 'delta', text: 'Half' },
          { type: 'failed', error: { code, message: 'Gone.' } }
        ])
      )
    expect(failing('unavailable')).toMatchObject({ state: 'failed', text: 'Half' })
    expect(failing('cancelled')).toMatchObject({ state: 'cancelled', text: 'Half' })
  })

  it('ignores events of other turns', () => {
    const other = numbered('other', [{ type: 'delta', text: 'x' }])
    expect(reduceTurn(other, id)).toEqual(emptyTurn(id))
  })

  it('has exactly one end, and the schema accepts every event', () => {
    fc.assert(
      fc.property(arbitraryTurn(id), (events) => {
        expect(events.filter(isTerminal)).toHaveLength(1)
        expect(isEnded(reduceTurn(events))).toBe(true)
        for (const event of events) expect(turnEventSchema.parse(event)).toEqual(event)
      })
    )
  })
})
