import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerHash, contextHash, scopeHash, type KeyParts } from './answerKey.ts'

const parts = (request: Partial<KeyParts['request']> = {}, more: Partial<KeyParts> = {}): KeyParts => ({
  client: 'Harbor',
  request: { question: 'q', quickAction: undefined, history: [], prompt: [{ role: 'user', content: 'q' }], ...request },
  context: {},
  ...more
})

describe('the key of an answer', () => {
  it('is the same for the same, and another wherever anything differs or stands elsewhere', () => {
    const word = fc.string({ maxLength: 3, unit: fc.constantFrom('a', ':', '1', '0') })
    const any = fc.record({ client: word, question: word, prompt: fc.array(fc.record({ role: word, content: word }), { maxLength: 3 }) })
    fc.assert(
      fc.property(any, any, (one, other) => {
        const [first, second] = [one, other].map(({ client, question, prompt }) => answerHash(parts({ question, prompt }, { client })))
        expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other))
      }),
      { numRuns: 2_000 }
    )
  })

  it('knows a context whatever the order of its entries, long ones too, and tells contexts and clients apart', () => {
    for (const size of [1, 2_000]) {
      const [a, b] = ['a'.repeat(size), 'b'.repeat(size)]
      expect(contextHash('x', { one: a, two: b })).toBe(contextHash('x', { two: b, one: a }))
      expect(contextHash('x', { one: a, two: b })).not.toBe(contextHash('x', { one: b, two: a }))
      expect(contextHash('x', { one: a })).not.toBe(contextHash('y', { one: a }))
    }
  })

  it('takes only questions of one client, context, action and conversation for alike', () => {
    const scopes = [
      parts(),
      parts({}, { client: 'Quay' }),
      parts({}, { context: { project: 'new' } }),
      parts({ quickAction: 'cost' }),
      parts({ history: [{ role: 'user', text: 'Earlier' }] }),
      parts({ history: [{ role: 'user', text: 'Before' }] })
    ].map(scopeHash)
    expect(new Set(scopes).size).toBe(scopes.length)
    expect(scopeHash(parts({ question: 'in other words', prompt: [] }))).toBe(scopes[0])
  })
})
