// What is known of a model by its name, behind any prefix that a platform puts before it.
import { describe, expect, it } from 'vitest'
import { modelFacts } from './models.ts'

describe('modelFacts', () => {
  it.each([
    ['gpt-4o-mini-2024-07-18', { contextWindow: 128_000, quality: 1, reasoning: false }],
    ['gpt-5', { contextWindow: 400_000, quality: 3, reasoning: true }],
    ['gpt-5-nano', { quality: 1, reasoning: true }],
    ['o3-mini', { quality: 2, reasoning: true }],
    ['claude-3-5-haiku-latest', { maxOutputTokens: 8_192, prefill: true }],
    ['eu.anthropic.claude-sonnet-4-5-20250929-v1:0', { contextWindow: 200_000, prefill: true, quality: 3 }],
    ['claude-opus-4-6', { prefill: false, quality: 3 }],
    ['global.anthropic.claude-opus-5', { prefill: false, quality: 3 }],
    ['models/gemini-2.5-flash-lite', { quality: 1, contextWindow: 1_048_576 }],
    ['amazon.nova-micro-v1:0', { modalities: ['text'] }]
  ])('knows %s', (model, facts) => {
    expect(modelFacts(model)).toMatchObject(facts)
  })

  it.each([null, '', 'my-own-model', '\ud800'])('takes %j for small, until somebody says otherwise', (model) => {
    expect(modelFacts(model)).toMatchObject({ contextWindow: 8_192, prefill: false, reasoning: false })
    expect(modelFacts(model, { contextWindow: 32_768 }).contextWindow).toBe(32_768)
  })
})
