// What a chat came to is made here and not parsed on its way; this holds it to the schema.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { agentInputSchema, agentOutputSchema } from '../decisions/contract.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import { quickActions } from '../../shared/turn.ts'
import { inputOfTurn } from './admit.ts'
import { chatOutput } from './chatOutput.ts'

const passage = {
  id: 'x#0',
  slug: 'x',
  title: 't',
  heading: 'h',
  text: 'b',
  provider: 'aws',
  topic: '',
  source: 's',
  url: '',
  date: '2026-01-01',
  n: 1
}
const source = { n: 1, title: 't', source: 's', date: '2026-01-01' }

test('a chat’s input and output are what the schemas want, whatever was asked, found and said', () => {
  fc.assert(
    fc.property(
      fc.record({
        turnId: fc.uuid(),
        text: fc.string(),
        said: fc.string(),
        quickAction: fc.option(fc.constantFrom(...quickActions), { nil: undefined }),
        context: fc.dictionary(fc.string({ maxLength: 100 }), fc.string()),
        organisation: fc.option(fc.constantFrom('', 'acme')),
        relevances: fc.array(fc.double({ min: 0, max: 3, noNaN: true })),
        isSum: fc.boolean(),
        processingTime: fc.nat()
      }),
      ({ turnId, text, said, quickAction, context, organisation, relevances, isSum, processingTime }) => {
        const turn = { turnId, userId: 'u', messageId: 'm', question: { turnId, sessionId: 's', text, quickAction, context }, createdAt: 1 }
        const input = inputOfTurn(turn, organisation)
        const passages = relevances.map((relevance) => ({ ...passage, relevance }))
        const material = { passages, terms: [], estimate: isSum ? ['$1'] : [], sources: passages.map(() => source) }
        const request: ProviderRequest = { question: text, quickAction, history: [], material, prompt: [] }
        const output = chatOutput({ input, request, text: said, processingTime })
        expect(agentInputSchema.safeParse(input).error).toBeUndefined()
        expect(agentOutputSchema.parse(output)).toEqual(output)
      }
    )
  )
})
