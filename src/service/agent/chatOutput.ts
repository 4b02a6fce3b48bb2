// What a chat turn came to, in the form that every input's outcome has. A chat answer never acts: there is nobody but its reader to
// act on it, so it needs no review either. Pure.
import type { ProviderRequest } from '../providers/provider.ts'
import type { AgentInput, AgentOutput } from '../decisions/contract.ts'

export interface ChatOutcome {
  readonly input: AgentInput
  readonly request: ProviderRequest
  readonly text: string
  readonly processingTime: number
}

/** Id of an input's output: there is one of each. */
export const outputIdOf = (inputId: string): string => `${inputId}:out`

/**
 * Always as `agentOutputSchema` wants it: a test holds that, so that no answer is parsed that was made here. `confidence` says how well the sources cover the question, not how sure a model is of itself: 1 for a computed sum, else the best
 * passage's share of the question's words, 0 without any source.
 */
export function chatOutput({ input, request, text, processingTime }: ChatOutcome): AgentOutput {
  const { estimate, passages, sources } = request.material
  const covered = Math.max(0, ...passages.map(({ relevance }) => relevance))
  return {
    id: outputIdOf(input.id),
    inputId: input.id,
    decisionCode: `chat.${input.type}`,
    decisionType: 'answer',
    confidence: estimate.length > 0 ? 1 : Math.min(1, covered),
    reasoning: estimate.length > 0 ? 'Computed from the price book.' : `Answered on ${sources.length} sources.`,
    actions: [],
    responses: [{ type: 'text', text }],
    requiresHumanReview: false,
    processingTime
  }
}
