// However a text is cut, its pieces are well-formed and make the same text.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWholeText } from './wholeText.ts'

const joined = (pieces: readonly string[]): { parts: string[]; text: string } => {
  const whole = createWholeText()
  const parts = [...pieces.map((piece) => whole.next(piece)), whole.end()]
  return { parts, text: parts.join('') }
}

describe('createWholeText', () => {
  it('gives well-formed pieces that make the same text, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(40), { maxLength: 8 }), (text, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
        const { parts, text: out } = joined(at.slice(1).map((end, index) => text.slice(at[index], end)))
        expect(out).toBe(text)
        expect(parts.every((part) => part.isWellFormed())).toBe(true)
      })
    )
  })
  it('holds half a character back until its other half has come', () => {
    const whole = createWholeText()
    expect([whole.next('a\ud83d'), whole.next('\ude80b'), whole.end()]).toEqual(['a', '🚀b', ''])
  })
  it('replaces halves that stay alone, at the end and in the middle', () => {
    expect(joined(['a\ud83d', 'b', '\ude80', 'c\ud83d']).text).toBe('a\ufffdb\ufffdc\ufffd')
  })
})
