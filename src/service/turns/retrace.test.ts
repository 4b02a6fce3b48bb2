// However an answer was cut and however it comes the second time, what is told in all is the answer, or nothing more.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numbered } from '../../../test/fakes/arbitraries.ts'
import { createRetrace } from './retrace.ts'

/** A text in pieces of any size, cut anywhere, also through a character. */
function cut(text: string, cuts: readonly number[]): string[] {
  const at = [0, ...cuts.map((one) => one % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}
const cuts = fc.array(fc.nat(60), { maxLength: 10 })

function retold(first: readonly string[], second: readonly string[]) {
  const retrace = createRetrace(
    numbered(
      't',
      first.map((text) => ({ type: 'delta', text }))
    )
  )
  const taken = second.map((text) => retrace.take({ type: 'delta', text }))
  const fresh = taken.map((event) => (event !== null && event !== 'parted' && event.type === 'delta' ? event.text : '')).join('')
  return { retrace, fresh, parted: taken.includes('parted') }
}

describe('createRetrace', () => {
  it('makes of any beginning and any second telling of the same answer the whole answer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(60), cuts, cuts, (answer, broke, firstCuts, secondCuts) => {
        const half = answer.slice(0, broke % (answer.length + 1))
        // What was said before is whole characters: half a one was held back.
        const said = half.isWellFormed() ? half : half.slice(0, -1)
        const { retrace, fresh, parted } = retold(cut(said, firstCuts), cut(answer, secondCuts))
        expect(said + fresh).toBe(answer)
        expect([parted, retrace.caughtUp]).toEqual([false, true])
      })
    )
  })
  it('adds nothing to an answer that is told otherwise', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), cuts, (said, other, secondCuts) => {
        fc.pre(!other.startsWith(said))
        const { retrace, fresh, parted } = retold([said], cut(other, secondCuts))
        expect(fresh).toBe('')
        expect(parted || !retrace.caughtUp).toBe(true)
      })
    )
  })
  it('says a citation, a notice and the usage once', () => {
    const usage = {
      type: 'usage',
      provider: 'p',
      model: 'm',
      inputTokens: 1,
      outputTokens: 1,
      cachedTokens: 0,
      costMicros: 0,
      firstTextMs: 1,
      totalMs: 2,
      failovers: 0
    } as const
    const citation = { type: 'citation', n: 1, title: 'T', source: 'S' } as const
    const notice = { type: 'notice', kind: 'local', text: 'no model' } as const
    const retrace = createRetrace(numbered('t', [citation, notice, usage]))
    expect([retrace.take(citation), retrace.take(notice), retrace.take(usage)]).toEqual([null, null, null])
    expect(retrace.take({ ...citation, n: 2 })).toMatchObject({ n: 2 })
    expect(retrace.take({ ...notice, kind: 'failover' })).toMatchObject({ kind: 'failover' })
  })
})
