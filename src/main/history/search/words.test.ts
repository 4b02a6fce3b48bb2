import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText } from '../../../../test/fakes/historyText.ts'
import { analyse, fold, isCommon, pairOf, singular, words } from './words.ts'

const tokensOf = (text: string): readonly string[] => analyse(text).tokens

describe('words of a text', () => {
  it('are parted by anything that is no letter or digit, and folded', () => {
    expect(tokensOf('A c5.xlarge costs $1,234.50 — “roughly”!')).toEqual(['a', 'c5', 'xlarge', 'cost', '1', '234', '50', 'roughly'])
  })

  it('lose case, accents, width and ligatures', () => {
    expect(tokensOf('Größe GROSSE Café cafe\u0301 ＡＷＳ ﬁnanz Łódź İstanbul')).toEqual([
      'grosse',
      'grosse',
      'cafe',
      'cafe',
      'aws',
      'finanz',
      'lodz',
      'istanbul'
    ])
    expect(fold('Straße Ærø')).toBe('strasse aero')
  })

  it('are single characters in scripts without spaces', () => {
    expect(tokensOf('AWSの東京リージョン')).toEqual(['aws', 'の', '東', '京', 'リ', 'ー', 'ジ', 'ョ', 'ン'])
    expect(tokensOf('비용은')).toEqual(['비', '용', '은'])
    expect(tokensOf('ค่าใช้จ่าย')).toHaveLength(7)
  })

  it('keep the marks that carry the meaning', () => {
    expect(tokensOf('हिन्दी')).toEqual(['हिन्दी'])
  })

  it('know their places', () => {
    const text = '  Größe of 東京, twice'
    const list = words(text)
    const shown = Array.from({ length: list.length }, (_, at) => text.slice(list.start(at), list.end(at)))
    expect(shown).toEqual(['Größe', 'of', '東', '京', 'twice'])
  })

  it('are cut where they are too long to be words', () => {
    expect(tokensOf('x'.repeat(500))).toEqual(['x'.repeat(64)])
  })

  it('stop where they are told to', () => {
    expect(words('one two three', 7).length).toBe(2)
  })

  it('come as singulars, the same from both sides', () => {
    const pairs = {
      policies: 'policy',
      costs: 'cost',
      boxes: 'box',
      processes: 'process',
      batches: 'batch',
      aws: 'aws',
      status: 'status',
      redis: 'redis'
    }
    for (const [plural, one] of Object.entries(pairs)) {
      expect(singular(plural)).toBe(one)
      expect(singular(one)).toBe(one)
    }
  })

  it('are ordered, apart, non-empty and made of word characters, whatever the text', () => {
    fc.assert(
      fc.property(anyText(60), (text) => {
        const list = words(text)
        const right = Array.from({ length: list.length }, (_, at) => {
          const inOrder = list.start(at) >= (at === 0 ? 0 : list.end(at - 1)) && list.end(at) > list.start(at)
          return inOrder && /^[\p{L}\p{N}\p{M}]+$/u.test(list.token(at)) && list.firstCode(at) === list.token(at).charCodeAt(0)
        })
        expect(right).not.toContain(false)
      }),
      { numRuns: 300 }
    )
  })

  it('make compounds where a hyphen or an apostrophe holds them together', () => {
    const compoundsOf = (text: string): string[] => [...analyse(text).compounds]
    expect(compoundsOf("E-mails that don’t reach the client's multi-cloud")).toEqual(['email', 'dont', 'client', 'multicloud'])
    expect(compoundsOf('10-20 of 555-1234, CVE-2024-1234')).toEqual(['cve2024'])
    expect(compoundsOf('one - two -three four- five_six')).toEqual([])
    // A chain of five names something; it is no word.
    expect(compoundsOf('a-b-c-d-e')).toEqual([])
  })

  it('make a pair where one of them is common', () => {
    expect(isCommon('the')).toBe(true)
    expect(pairOf('of', 'the')).toBe('of·the')
    expect(pairOf('of', 'cloud')).toBe('of·cloud')
    expect(pairOf('cloud', 'gateway')).toBeNull()
  })
})
