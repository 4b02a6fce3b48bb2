// Counting is right, quick on hostile text, and the estimate errs upwards on what people write.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countTokens, estimateTokens, mostTokens, tokenFamily } from './tokens.ts'

const corpus = readdirSync('resources/knowledge', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => readFileSync(join('resources/knowledge', name), 'utf8'))

describe('tokens', () => {
  it('counts as OpenAI does', () => {
    expect(countTokens('', 'openai')).toBe(0)
    expect(countTokens('hello world', 'openai')).toBe(2)
    expect(countTokens('The quick brown fox jumps over the lazy dog.', 'openai')).toBe(10)
  })

  it('takes special tokens for the text they are', () => {
    expect(countTokens('<|endoftext|>', 'openai')).toBeGreaterThan(1)
  })

  it('never counts more tokens than bytes, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(countTokens(text, 'openai')).toBeLessThanOrEqual(mostTokens(text.toWellFormed()))
      })
    )
  })

  it.each(['a', ' ', '!', '\n', '\u0000', '\ud800', 'é'])('is done in a moment with 200,000 times %j', (letter) => {
    const started = performance.now()
    expect(countTokens(letter.repeat(200_000), 'openai')).toBeGreaterThan(1_000)
    // Without the cuts a wall of one letter takes 18 s.
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  it('estimates no less than it counts on all of the knowledge pack, and at most twice as much as a whole', () => {
    expect(corpus.length).toBeGreaterThan(50)
    for (const text of corpus) expect(estimateTokens(text, 'openai')).toBeGreaterThanOrEqual(countTokens(text, 'openai'))
    const all = (of: typeof countTokens): number => corpus.reduce((sum, text) => sum + of(text, 'openai'), 0)
    expect(all(estimateTokens)).toBeLessThan(all(countTokens) * 2)
  })

  it.each([
    ['gpt-4o-mini', 'openai'],
    ['o3', 'openai'],
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic'],
    ['gemini-2.5-pro', 'google'],
    ['gpt-oss-120b', 'other'],
    ['llama3:8b', 'other'],
    [null, 'other']
  ])('knows the maker of %s', (model, family) => {
    expect(tokenFamily(model)).toBe(family)
  })
})
