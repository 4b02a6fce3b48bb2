import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSearch, planSearch } from './query.ts'

const plain = (token: string): object => ({ head: [], last: [{ token, prefix: false }] })
const begun = (token: string): object => ({ head: [], last: [{ token, prefix: true }] })

const singulars = (typed: string): string[] =>
  parseSearch(typed).flatMap((clause) => clause.last.filter((one) => !one.prefix).map((one) => one.token))

describe('what is typed into the search box', () => {
  it('becomes a clause per word; the last one is still being typed', () => {
    expect(parseSearch('Cloud Gate')).toEqual([plain('cloud'), begun('gate')])
    expect(parseSearch('cloud gate ')).toEqual([plain('cloud'), plain('gate')])
  })

  it('asks for neighbours where it is quoted, or one word to the eye', () => {
    expect(parseSearch('"nat gateways" ')).toEqual([{ head: ['nat'], last: [{ token: 'gateway', prefix: false }] }])
    expect(parseSearch('„nat gat')).toEqual([{ head: ['nat'], last: [{ token: 'gat', prefix: true }] }])
    expect(parseSearch('c5.xlarge ')).toEqual([{ head: ['c5'], last: [{ token: 'xlarge', prefix: false }] }])
    expect(parseSearch('予算 ')).toEqual([{ head: ['予'], last: [{ token: '算', prefix: false }] }])
  })

  it('takes a plural that is being typed for its singular as well', () => {
    expect(singulars('policies')).toEqual(['policy'])
    expect(singulars('policie')).toEqual(['policy'])
    expect(singulars('processe')).toEqual(['process'])
    expect(singulars('gateway')).toEqual([])
  })

  it('does not take one letter for a beginning', () => {
    expect(parseSearch('a')).toEqual([plain('a')])
  })

  it('is nothing where there is no word, and one clause where it is repeated', () => {
    expect(parseSearch(' "" *() ')).toEqual([])
    expect(parseSearch('cost cost cost ')).toEqual([plain('cost')])
  })

  it('is bounded', () => {
    expect(parseSearch(Array.from({ length: 250 }, (_, n) => `w${n}`).join(' '))).toHaveLength(16)
  })

  it('asks the index for what narrows, and leaves common words to be checked in the text', () => {
    expect(planSearch(parseSearch('cloud the gat'))).toEqual({ table: 'words', match: 'words : ("cloud") AND words : ("gat" *)', check: true })
    expect(planSearch(parseSearch('the of '))).toEqual({ table: 'words', match: 'words : ("the") AND words : ("of")', check: false })
    expect(planSearch(parseSearch('"nat gateway" '))).toEqual({ table: 'words', match: 'words : ("nat gateway")', check: false })
  })

  it('looks a phrase up by its pairs where common words hold it together', () => {
    expect(planSearch(parseSearch('"the cloud"'))).toEqual({ table: 'pairs', match: '"the·cloud"', check: false })
    expect(planSearch(parseSearch('"cost of the cloud" '))).toEqual({ table: 'pairs', match: '"cost·of" AND "of·the" AND "the·cloud"', check: true })
    expect(planSearch(parseSearch('"out of the clo'))).toEqual({ table: 'pairs', match: '"out·of" AND "of·the"', check: true })
    expect(planSearch(parseSearch('"the nat gateway"'))).toMatchObject({ table: 'words' })
    expect(planSearch(parseSearch('"the clo'))).toMatchObject({ table: 'words' })
  })

  it('never lets anything typed out of its quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const rest = planSearch(parseSearch(text)).match.replace(/"[\p{L}\p{N}\p{M} ·]+"/gu, 'x')
        expect(rest).toMatch(/^(?:(?:words : \((?:x(?: \*)?(?: OR )?)+\)|x)(?: AND )?)*$/)
      }),
      { numRuns: 500 }
    )
  })
})
