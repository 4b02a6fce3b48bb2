import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText } from '../../../../test/fakes/historyText.ts'
import { parseSearch, planClosest, planSearch } from './query.ts'

const exactly = (...tokens: readonly string[]): object => ({ phrases: [{ tokens, prefix: false, weight: 1 }] })
const begun = (token: string): object => ({ phrases: [{ tokens: [token], prefix: true, weight: 1 }] })

const singulars = (typed: string): string[] =>
  parseSearch(typed).flatMap((clause) => clause.phrases.filter((one) => !one.prefix).map((one) => one.tokens.join(' ')))
/** Every way that what is typed may be written. */
const ways = (typed: string): string[] => parseSearch(typed).flatMap((clause) => clause.phrases.map((one) => one.tokens.join(' ')))

describe('what is typed into the search box', () => {
  it('becomes a clause per word; the last one is still being typed', () => {
    expect(parseSearch('Cloud Gate')).toEqual([exactly('cloud'), begun('gate')])
    expect(parseSearch('cloud gate ')).toEqual([exactly('cloud'), exactly('gate')])
  })

  it('asks for neighbours where it is quoted, or one word to the eye', () => {
    expect(parseSearch('"nat gateways" ')).toEqual([exactly('nat', 'gateway')])
    expect(parseSearch('„nat gat')).toEqual([{ phrases: [{ tokens: ['nat', 'gat'], prefix: true, weight: 1 }] }])
    expect(parseSearch('c5.xlarge ')).toEqual([exactly('c5', 'xlarge')])
    expect(parseSearch('予算 ')).toEqual([exactly('予', '算')])
  })

  it('takes a plural that is being typed for its singular as well', () => {
    expect(singulars('policies')).toEqual(['policy'])
    expect(singulars('policie')).toEqual(['policy'])
    expect(singulars('processe')).toEqual(['process'])
    expect(singulars('gateway')).toEqual([])
  })

  it('is looked for as others may have written it', () => {
    expect(ways('1200 ')).toEqual(['1200', '1 200'])
    expect(ways('1,200 ')).toEqual(['1 200', '1200'])
    expect(ways('1.234.567 ')).toEqual(['1 234 567', '1234567'])
    expect(ways('192.168.0.1 ')).toEqual(['192 168 0 1', '192168 0 1'])
    expect(ways('Größe ')).toEqual(['grosse', 'groesse'])
    expect(ways('Groesse ')).toEqual(['groesse', 'grosse'])
    expect(ways('value queue does ')).toEqual(['value', 'queue', 'does'])
    expect(ways('e-mail ')).toEqual(['e mail', 'email'])
    expect(ways('don’t ')).toEqual(['don t', 'dont'])
    expect(ways(`"${'1,234 größe '.repeat(9)}" `).length).toBeLessThanOrEqual(8)
  })

  it('does not take one letter for a beginning', () => {
    expect(parseSearch('a')).toEqual([exactly('a')])
  })

  it('is nothing where there is no word, and one clause where it is repeated', () => {
    expect(parseSearch(' "" *() ')).toEqual([])
    expect(parseSearch('cost cost cost ')).toEqual([exactly('cost')])
  })

  it('is bounded', () => {
    expect(parseSearch(Array.from({ length: 250 }, (_, n) => `w${n}`).join(' '))).toHaveLength(16)
  })

  it('asks the index for what narrows, and leaves common words to be checked in the text', () => {
    expect(planSearch(parseSearch('cloud the gat'))).toEqual({ table: 'words', match: '"cloud" AND "gat" *', check: true })
    expect(planSearch(parseSearch('the of '))).toEqual({ table: 'words', match: '"the" AND "of"', check: false })
    expect(planSearch(parseSearch('"nat gateway" '))).toEqual({ table: 'words', match: '"nat gateway"', check: false })
  })

  it('looks a phrase up by its pairs where common words hold it together', () => {
    expect(planSearch(parseSearch('"the cloud"'))).toEqual({ table: 'pairs', match: '"the·cloud"', check: false })
    expect(planSearch(parseSearch('"cost of the cloud" '))).toEqual({ table: 'pairs', match: '"cost·of" AND "of·the" AND "the·cloud"', check: true })
    expect(planSearch(parseSearch('"out of the clo'))).toEqual({ table: 'pairs', match: '"out·of" AND "of·the"', check: true })
    expect(planSearch(parseSearch('"the nat gateway"'))).toMatchObject({ table: 'words' })
    expect(planSearch(parseSearch('"the clo'))).toMatchObject({ table: 'words' })
  })

  it('asks for what stands close together where more than one thing narrows', () => {
    expect(planClosest(parseSearch('nat the gat'))).toEqual({ table: 'words', match: 'NEAR("nat" "gat" *, 4)', check: true })
    expect(planClosest(parseSearch('the nat '))).toBeNull()
    expect(planClosest(parseSearch('gat'))).toBeNull()
  })

  it('never lets anything typed out of its quotes', () => {
    fc.assert(
      fc.property(anyText(40), (text) => {
        const rest = planSearch(parseSearch(text)).match.replace(/"[\p{L}\p{N}\p{M} ·]+"/gu, 'x')
        expect(rest).toMatch(/^(?:(?:\(x(?: \*)?(?: OR x(?: \*)?)+\)|x(?: \*)?)(?: AND )?)*$/)
      }),
      { numRuns: 200 }
    )
  })
})
