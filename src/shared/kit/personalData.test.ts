// Measured on a labelled set: what a reader calls personal data is found, and what is none is left alone.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findPersonalData, scrubPersonalData } from './personalData.ts'

interface Labelled {
  readonly text: string
  readonly holds: readonly string[]
}
const { sentences } = JSON.parse(readFileSync('test/fixtures/safety/personal-data.json', 'utf8')) as { sentences: Labelled[] }

describe('personal data', () => {
  it.each(sentences)('in: $text', ({ text, holds }) => {
    expect(findPersonalData(text).map(({ kind }) => kind)).toEqual(holds)
  })

  it('scrubs once and for all', () => {
    expect(scrubPersonalData('Write to anna@example.com or call +49 30 901820.')).toBe('Write to [email] or call [phone].')
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...sentences.map(({ text }) => text))), fc.string({ unit: 'grapheme' }), (parts, noise) => {
        const once = scrubPersonalData(parts.join(`\n${noise}\n`))
        expect(scrubPersonalData(once)).toBe(once)
      })
    )
  })

  it('takes time in proportion to the text, also for text made to be slow', () => {
    const hostile = [
      '1 '.repeat(100_000),
      'a.'.repeat(100_000),
      `${'a'.repeat(200_000)}@`,
      '+1-'.repeat(60_000),
      'DE00 '.repeat(40_000),
      '1.'.repeat(100_000)
    ]
    for (const text of hostile) {
      const start = performance.now()
      findPersonalData(text)
      // A quadratic rule takes minutes here.
      expect(performance.now() - start).toBeLessThan(2_000)
    }
  })
})
