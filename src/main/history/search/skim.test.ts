import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText } from '../../../../test/fakes/historyText.ts'
import { parseSearch } from './query.ts'
import { find, matches } from './rank.ts'
import { skim, skimText } from './skim.ts'

const word = fc.constantFrom(
  'the',
  'policy',
  'policies',
  'box',
  'boxes',
  'e-mail',
  'email',
  "don't",
  'c5.xlarge',
  '1,200',
  '1200',
  'a',
  'x9',
  'cost',
  'costs'
)
const text = fc.oneof(
  fc.array(word, { maxLength: 12 }).map((list) => list.join(' ')),
  anyText(40)
)
const typed = fc
  .array(word, { minLength: 1, maxLength: 3 })
  .chain((list) => fc.constantFrom(list.join(' '), `${list.join(' ')} `, `"${list.join(' ')}"`))

describe('the quick look', () => {
  it('says of plain text what the exact look says, or leaves it to that', () => {
    fc.assert(
      fc.property(text, typed, (message, query) => {
        const clauses = parseSearch(query)
        expect(matches(message, clauses, skimText(message))).toBe(matches(message, clauses))
      }),
      { numRuns: 2_000 }
    )
  })

  it('finds the places of words, plurals and phrases', () => {
    const places = (message: string, query: string): number[] | null => skim(skimText(message), parseSearch(query))?.map(({ at }) => at) ?? null
    expect(places('Policies, the policy; policymaker', 'policy ')).toEqual([0, 14])
    expect(places('Policies, the policy; policymaker', 'policy')).toEqual([0, 14, 22])
    expect(places('a nat gateway, NAT (gateways)', '"nat gateway" ')).toEqual([2, 15])
    expect(places('nothing of it', 'gateway ')).toEqual([])
    expect(places('nothing of it, well-known', 'wellknown ')).toBeNull()
    expect(find('nothing of it, well-known', parseSearch('wellknown ')).ranges).toEqual([{ start: 15, end: 25 }])
  })
})
