// Two halves become one text: nothing twice, nothing lost, in whatever pieces they come.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anchorOf, createSeam } from './seam.ts'

/** The whole text, when `continuation` comes in these pieces. */
function joined(said: string, pieces: readonly string[], anchor: string): string {
  const seam = createSeam(said, { anchor })
  return said + pieces.map((piece) => seam.next(piece)).join('') + seam.end()
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, index = 0; at < text.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return pieces
}

const word = fc.stringMatching(/^[a-zäöü]{1,9}[,.]?$/)
const prose = fc.array(word, { minLength: 1, maxLength: 60 }).map((words) => words.join(' '))
/** Few words, so that repetitions by chance are common. */
const chorus = fc.array(fc.constantFrom('la', 'lo', 'lala'), { minLength: 1, maxLength: 40 }).map((words) => words.join(' '))
/** Any code units, lone surrogates too. */
const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes))
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })

describe('createSeam', () => {
  it('joins a text cut anywhere when the continuation first repeats the last words, as it was told', () => {
    fc.assert(
      fc.property(fc.oneof(prose, chorus), fc.nat(), sizes, (text, seed, cuts) => {
        const at = 1 + (seed % text.length)
        const said = text.slice(0, at)
        const anchor = anchorOf(said)
        expect(joined(said, cut(anchor + text.slice(at), cuts), anchor)).toBe(text)
      }),
      { numRuns: 500 }
    )
  })

  it('joins it too when the continuation starts the whole answer again', () => {
    fc.assert(
      fc.property(prose, fc.nat(), sizes, fc.boolean(), (text, seed, cuts, told) => {
        fc.pre(text.length >= 3)
        const at = Math.min(text.length, 3 + (seed % text.length))
        const said = text.slice(0, at)
        expect(joined(said, cut(text, cuts), told ? anchorOf(said) : '')).toBe(text)
      }),
      { numRuns: 500 }
    )
  })

  it('joins it when the continuation goes on by itself and repeats nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), sizes, (said, rest, cuts) => {
        // Digits in one and no digit in the other: no part of it can be a repetition.
        const [first, second] = [`${said.replace(/\d/g, '')}1`, rest.replace(/\d/g, '')]
        expect(joined(first, cut(second, cuts), '')).toBe(first + second)
      }),
      { numRuns: 500 }
    )
  })

  it('gives the same text in whatever pieces it comes', () => {
    fc.assert(
      fc.property(prose, prose, sizes, fc.boolean(), (said, rest, cuts, told) => {
        const anchor = told ? anchorOf(said) : ''
        expect(joined(said, cut(rest, cuts), anchor)).toBe(joined(said, [rest], anchor))
      }),
      { numRuns: 500 }
    )
  })

  it.each([
    ['a word that happens to come twice', 'It was a ban', 'ana split', '', 'It was a banana split'],
    ['white space before the repetition', 'We keep it in ', '\n\nWe keep it in Zurich.', 'keep it in ', 'We keep it in Zurich.'],
    ['a model that ignores what it was told', 'The price is', 'about 5 USD.', 'The price is', 'The price is about 5 USD.'],
    ['half a word, begun again', 'Use the standa', 'standard class.', 'Use the standa', 'Use the standard class.'],
    ['a long repetition nobody asked for', 'One two three four five six ', 'three four five six seven', '', 'One two three four five six seven']
  ])('handles %s', (_what, said, rest, anchor, whole) => {
    expect(joined(said, [rest], anchor)).toBe(whole)
  })

  it('brings nothing new when the continuation ends within what was said', () => {
    const said = 'First the long beginning of it all, then the middle, then the end.'
    expect(joined(said, ['the long beginning of it all'], 'then the end.')).toBe(said)
  })
})

describe('anchorOf', () => {
  it('is the last words, whole, wherever the text was cut', () => {
    expect(anchorOf('one two three four five six seven eight')).toBe('three four five six seven eight')
    expect(anchorOf('short ')).toBe('short ')
    expect(anchorOf('')).toBe('')
    fc.assert(
      fc.property(units, (said) => {
        const anchor = anchorOf(said)
        expect(said.endsWith(anchor)).toBe(true)
        expect(anchor.isWellFormed()).toBe(true)
      })
    )
  })
})
