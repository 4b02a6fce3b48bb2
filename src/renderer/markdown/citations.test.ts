// Sources are counted without gaps, in the text as in the list.
import { expect, it } from 'vitest'
import type { Citation } from '../../shared/turn.ts'
import { shownNumber, withShownNumbers } from './citations.ts'

const cited = (...numbers: number[]): Citation[] => numbers.map((n) => ({ n, title: `Source ${n}`, source: 'Guide' }))

it('counts the cited sources in their order', () => {
  expect([1, 3, 7, 2].map((n) => shownNumber(cited(1, 3, 7), n))).toEqual([1, 2, 3, null])
})

it('copies the numbers that are shown, and leaves code and other brackets alone', () => {
  expect(withShownNumbers('One [1], two [3]. `list[3]` [9]\n```\na[3]\n```\n[3]', cited(1, 3))).toBe(
    'One [1], two [2]. `list[3]` [9]\n```\na[3]\n```\n[2]'
  )
  expect(withShownNumbers('Untouched [1] [2]', cited(1, 2))).toBe('Untouched [1] [2]')
})
