// Whatever is asked, the prompt fits and the question is in it; what goes, goes in the right order.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TOKENS_PER_MESSAGE } from '../cost/tokens.ts'
import { fitPrompt, predictTokens, tokenCounter } from './fitPrompt.ts'
import type { PromptMessage } from './provider.ts'

const passage = (n: number, body: string): string => `<source n="${n}" title="t" section="" as-of="2026-01-01">\n${body}\n</source>`
const system = (bodies: readonly string[]): PromptMessage => ({
  role: 'system',
  content: ['Be brief.', '<session>\nclient: A\n</session>', ...bodies.map((body, index) => passage(index + 1, body))].join('\n\n')
})
const count = tokenCounter('gpt-4o')
const costOf = (messages: readonly PromptMessage[]): number =>
  messages.reduce((sum, { content }) => sum + count(content) + TOKENS_PER_MESSAGE, TOKENS_PER_MESSAGE)
const words = fc.string({ unit: fc.constantFrom('a', 'word ', 'ß', '\n', '中', '😀', '\ud800', '<', '|', '7'), maxLength: 200 })
const history = fc.array(fc.tuple(words, words), { maxLength: 12 })

describe('fitPrompt', () => {
  it('never exceeds the window, never drops instructions, question or a begun answer, and drops only the oldest', () => {
    let cut = 0
    let refused = 0
    fc.assert(
      fc.property(
        fc.array(words, { maxLength: 6 }),
        history,
        words,
        fc.option(words, { nil: undefined }),
        fc.integer({ min: 20, max: 1_500 }),
        (passages, turns, question, begun, windowTokens) => {
          const said = turns.flatMap(([asked, answered]): PromptMessage[] => [
            { role: 'user', content: asked },
            { role: 'assistant', content: answered }
          ])
          const last: PromptMessage[] = [
            { role: 'user', content: question },
            ...(begun === undefined ? [] : [{ role: 'assistant', content: begun } as const])
          ]
          const prompt = [system(passages), ...said, ...last]
          let fitted
          try {
            fitted = fitPrompt(prompt, { windowTokens, reserveTokens: 10, count })
          } catch (error) {
            refused += 1
            expect(error).toMatchObject({ code: 'context_too_large', kind: 'context_too_large' })
            expect(costOf([system([]), ...last])).toBeGreaterThan(windowTokens - 10)
            return
          }
          const { messages, tokens, droppedTurns, droppedPassages } = fitted
          expect(costOf(messages)).toBeLessThanOrEqual(tokens)
          expect(tokens).toBeLessThanOrEqual(windowTokens - 10)
          expect(messages.slice(-last.length)).toEqual(last)
          expect(messages[0]?.content.startsWith('Be brief.\n\n<session>')).toBe(true)
          expect(messages.slice(1, -last.length)).toEqual(said.slice(droppedTurns * 2))
          expect(messages[0]?.content).toBe(system(passages.slice(0, passages.length - droppedPassages)).content)
          if (droppedPassages > 0) expect(droppedTurns).toBe(turns.length)
          if (droppedTurns > 0) cut += 1
        }
      ),
      { numRuns: 300 }
    )
    expect(cut).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })

  it('keeps as many of the newest turns as fit', () => {
    const turn = (text: string): PromptMessage[] => [
      { role: 'user', content: text },
      { role: 'assistant', content: text }
    ]
    const prompt = [system([]), ...turn('old '.repeat(50)), ...turn('mid '.repeat(50)), ...turn('new'), { role: 'user', content: 'Now?' } as const]
    const room = costOf([...prompt.slice(0, 1), ...prompt.slice(3)])
    expect(fitPrompt(prompt, { windowTokens: room, reserveTokens: 0, count }).droppedTurns).toBe(1)
    expect(fitPrompt(prompt, { windowTokens: room - 1, reserveTokens: 0, count }).droppedTurns).toBe(2)
  })

  it('leaves what certainly fits alone, without counting it', () => {
    const prompt = [system(['x']), { role: 'user', content: 'Hi' } as const]
    const fitted = fitPrompt(prompt, {
      windowTokens: 128_000,
      reserveTokens: 1_000,
      count: () => {
        throw new Error('counted')
      }
    })
    expect(fitted.messages).toBe(prompt)
  })

  it('predicts at least what is counted, for prompts as they are', () => {
    const prompt = [
      system(['Harbor keeps objects. Frozen costs $0.0036 a GB-month.']),
      { role: 'user', content: 'Which class for archives?' } as const
    ]
    expect(predictTokens(prompt, 'openai')).toBeGreaterThanOrEqual(costOf(prompt))
    expect(predictTokens(prompt, 'anthropic')).toBeGreaterThan(predictTokens(prompt, 'openai'))
  })
})
