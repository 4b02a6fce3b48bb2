// Whatever comes from outside ends up as text that can be shown, stored and sent.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanText } from './text.ts'

describe('cleanText', () => {
  it('is idempotent and well-formed for any input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, cut) => {
        const broken = text.slice(cut) + '\ud800' + text
        const clean = cleanText(broken)
        expect(clean.isWellFormed()).toBe(true)
        expect(cleanText(clean)).toBe(clean)
      })
    )
  })
  it('keeps what a person wrote: scripts, accents, emoji, tabs and lines', () => {
    const text = 'Überprüfe\t日本語 — “S3”?\n👩‍💻 <script>alert(1)</script> العربية'
    expect(cleanText(text)).toBe(text)
  })
  it('drops control characters and direction overrides, and joins line ends', () => {
    expect(cleanText('a\u0000b\u001b[31mc\u202ed\r\ne\rf\u0085')).toBe('ab[31mcd\ne\nf')
  })
})
