import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSearch } from './query.ts'
import { rank, snippet } from './rank.ts'

const DAY = 86_400_000
const NOW = 400 * DAY

function shown(text: string, typed: string): string {
  const clauses = parseSearch(typed)
  return snippet(text, clauses)
    .map((piece) => (piece.hit ? `[${piece.text}]` : piece.text))
    .join('')
}

function best(typed: string, ...candidates: readonly { readonly text: string; readonly createdAt: number }[]): string[] {
  return rank(candidates, parseSearch(typed), NOW).map((candidate) => candidate.text)
}

describe('the ranking', () => {
  it('puts the newer of two equals first', () => {
    expect(best('cost ', { text: 'new cost', createdAt: NOW }, { text: 'old cost', createdAt: NOW - 90 * DAY })).toEqual(['new cost', 'old cost'])
  })

  it('lets a much better match win over a somewhat newer one', () => {
    const better = { text: 'cost and budget: the cost of a budget', createdAt: NOW - 3 * DAY }
    const newer = { text: `cost of this ${'and that '.repeat(60)} within the budget`, createdAt: NOW }
    expect(best('cost budget ', newer, better)[0]).toBe(better.text)
  })

  it('prefers words that stand together', () => {
    const apart = { text: `nat is one thing, ${'quite another thing '.repeat(5)} is a gateway`, createdAt: NOW }
    const together = { text: `${'quite another thing '.repeat(5)} and one thing is a nat gateway`, createdAt: NOW }
    expect(best('nat gateway ', apart, together)[0]).toBe(together.text)
  })
})

describe('the snippet', () => {
  it('marks what matched, whole phrases as one', () => {
    expect(shown('The NAT gateway costs 33 USD.', '"nat gateway" cost')).toBe('The [NAT gateway] [costs] 33 USD.')
  })

  it('is about 160 characters around the first hit, cut between words', () => {
    const text = `${'before it '.repeat(40)}needle${' and after it'.repeat(40)}`
    const piece = shown(text, 'needle')
    expect(piece).toMatch(/^…[a-z ]+ \[needle\] [a-z ]+…$/)
    expect(piece.length).toBeGreaterThan(120)
    expect(piece.length).toBeLessThan(180)
  })

  it('finds the hit deep inside a long message', () => {
    expect(shown(`${'word '.repeat(40_000)}needle`, 'needle')).toContain('[needle]')
  })

  it('is one line of plain text, markup included', () => {
    expect(shown('<b>cost</b>\n\n| a |\n', 'cost')).toBe('<b>[cost]</b> | a | ')
  })

  it('shows the beginning where nothing can be marked', () => {
    expect(shown('nothing here', 'needle')).toBe('nothing here')
  })

  it('never cuts a character in half and never loses text between its ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.nat(390), (text, at) => {
        const typed = text.slice(at, at + 6)
        const whole = shown(text, typed)
        expect(whole.isWellFormed()).toBe(true)
        const flat = whole.replace(/[[\]…]/g, '').replace(/\s+/g, ' ')
        expect(text.replace(/[[\]…]/g, '').replace(/\s+/g, ' ')).toContain(flat)
      }),
      { numRuns: 200 }
    )
  })
})
