// Every price of the book against the package it comes from, in another arithmetic; and what a book must never do: guess.
import { readFile } from 'node:fs/promises'
import { calcPrice } from '@pydantic/genai-prices'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createModelPriceBook, microsOf, readModelPrices } from './modelPrices.ts'

const content = JSON.parse(await readFile('resources/pricing/models/prices.json', 'utf8')) as {
  providers: { id: string; models: { id: string }[] }[]
}
const book = createModelPriceBook(content)
const names = content.providers.flatMap(({ id, models }) => models.map((model) => ({ provider: id, model: model.id })))
const at = Date.parse('2026-11-20T12:00:00Z')

describe('the price book of language models', () => {
  it('agrees with its source for every model, size of prompt, share of cache and day', () => {
    expect(names.length).toBeGreaterThan(400)
    let compared = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        fc.integer({ min: 0, max: 100_000 }),
        fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2026-12-31') }),
        ({ provider, model }, inputTokens, [readShare, writeShare], outputTokens, moment) => {
          const cachedTokens = Math.floor(inputTokens * readShare * 0.5)
          const cacheWriteTokens = Math.floor(inputTokens * writeShare * 0.5)
          const theirs = calcPrice(
            { input_tokens: inputTokens, cache_read_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens, output_tokens: outputTokens },
            model,
            { providerId: provider, timestamp: new Date(moment) }
          )
          const ours = book.costOf(provider, model, { inputTokens, outputTokens, cachedTokens, cacheWriteTokens }, moment)
          expect(theirs === null).toBe(ours === null)
          if (theirs === null || ours === null) return
          compared += 1
          // Their sums are floats of dollars; prices without an exact micro-USD are rounded up by at most one.
          expect(Math.abs(Number(ours) / 1e12 - theirs.total_price)).toBeLessThanOrEqual(1e-6 + inputTokens * 1e-12)
        }
      ),
      { numRuns: 3_000 }
    )
    expect(compared).toBeGreaterThan(2_500)
  })

  it('sums exactly and rounds once, half up', () => {
    const use = { inputTokens: 1, outputTokens: 0, cachedTokens: 0 }
    // gpt-4o-mini: 0.15 USD a million: a token is 0.15 micro-USD.
    expect(book.costOf('openai', 'gpt-4o-mini', use, at)).toBe(150_000n)
    expect(microsOf(150_000n)).toBe(0)
    expect(microsOf(500_000n)).toBe(1)
    expect(microsOf(150_000n * 10n)).toBe(2)
    expect(book.costOf('openai', 'gpt-4o-mini', { inputTokens: 1_000_000, outputTokens: 1_000_000, cachedTokens: 400_000 }, at)).toBe(
      600_000n * 150_000n + 400_000n * 75_000n + 1_000_000n * 600_000n
    )
  })

  it('charges a long prompt at the rate of its size, from one token above the threshold', () => {
    const cost = (inputTokens: number) => book.costOf('google', 'gemini-2.5-pro', { inputTokens, outputTokens: 0, cachedTokens: 0 }, at)
    expect(cost(200_000)).toBe(200_000n * 1_250_000n)
    expect(cost(200_001)).toBe(200_001n * 2_500_000n)
  })

  it('takes the price of the day of the turn', () => {
    const cost = (day: string) =>
      book.costOf('anthropic', 'claude-opus-4-6', { inputTokens: 300_000, outputTokens: 0, cachedTokens: 0 }, Date.parse(day))
    expect(cost('2026-03-12T23:59:59Z')).toBe(300_000n * 10_000_000n)
    expect(cost('2026-03-13T00:00:00Z')).toBe(300_000n * 5_000_000n)
  })

  it.each([
    ['openai', 'gpt-99-imaginary'],
    ['openai', ''],
    ['nobody', 'gpt-4o'],
    ['ollama', 'llama3:8b'],
    ['openai', '\ud800<script>'],
    ['openai', 'x'.repeat(200_000)]
  ])('has no price for %s %.20s, and never guesses one', (provider, model) => {
    expect(book.costOf(provider, model, { inputTokens: 5, outputTokens: 5, cachedTokens: 0 }, at)).toBeNull()
  })

  it('refuses a use that does not add up', () => {
    expect(book.costOf('openai', 'gpt-4o', { inputTokens: 5, outputTokens: 0, cachedTokens: 6 }, at)).toBeNull()
  })

  it('knows a service by its address, and not by an address that only looks like it', () => {
    expect(book.providerAt('https://api.groq.com/openai/v1')).toBe('groq')
    expect(book.providerAt('http://127.0.0.1:11434/v1')).toBeNull()
    expect(book.providerAt('http://evil.example/https://api.openai.com')).toBeNull()
  })

  it('says so when the file is no price book, and is simply not there when there is none', async () => {
    expect(() => createModelPriceBook({ providers: 'x' })).toThrow('providers')
    expect(await readModelPrices('test/fixtures')).toBeNull()
  })
})
