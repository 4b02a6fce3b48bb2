// How far an answer is backed by its sources is counted, not guessed.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { supportOf } from './support.ts'

describe('supportOf', () => {
  it.each([
    ['', 0],
    ['I do not know.', 0],
    ['Frozen is for archives [1].', 1],
    ['# Storage\n\nUse one of:\n\n- Frozen [1]\n- Warm\n- Hot [2]\n- Live', 0.5],
    ['Frozen is for archives [1].\n\nThat is all.', 0.5],
    ['---\n\n[1]', 0]
  ])('of %j is %d', (answer, support) => expect(supportOf(answer)).toBe(support))

  it('is a share for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (answer) => {
        expect(supportOf(answer)).toBeGreaterThanOrEqual(0)
        expect(supportOf(answer)).toBeLessThanOrEqual(1)
      })
    )
  })
})
