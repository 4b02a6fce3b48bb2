// The first agent: gather, answer, record, in a row. The state graph of the specification takes its place behind the
// same port.
import type { Clock } from '../../shared/kit/clock.ts'
import { estimate } from '../cost/estimate.ts'
import { estimateTable, type EstimateTable } from '../cost/estimateTable.ts'
import { asksForCost } from '../cost/costQuestion.ts'
import type { PriceBook } from '../cost/priceBook.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { Orchestrator, Reuse } from '../orchestrator/orchestrator.ts'
import type { Question } from '../../shared/turn.ts'
import type { ConversationMessage, ProviderRequest } from '../providers/provider.ts'
import type { Agent, AgentEvent, AgentTurn, Delivery } from './agent.ts'
import { createCitationScan } from './citations.ts'
import type { Conversation } from './conversation.ts'
import { materialOf } from './material.ts'
import { promptFor } from './prompt.ts'
import { subjectOf, wantsSum } from './subject.ts'

export interface PipelineOptions {
  readonly conversation: Conversation
  readonly knowledge: Knowledge
  readonly priceBook: PriceBook
  readonly orchestrator: Orchestrator
  readonly clock: Clock
  /** Who pays for a user's questions; absent: nobody in particular. */
  readonly organisationOf?: (userId: string) => string | null
}

/** The client whose meeting it is, in a question's context. */
const CLIENT = 'client_name'
/** In a question's context: `similar` takes an answer to nearly the same words, `none` wants a fresh one. */
const REUSE = 'answer_reuse'

function reuseOf({ sessionId, context }: Question): Reuse {
  const { [REUSE]: wish, ...rest } = context
  return { sessionId, context: rest, mode: wish === 'similar' || wish === 'none' ? wish : 'exact' }
}

/** Messages of the session that an answer may know. */
const REMEMBERED = 20

export function createPipeline({ conversation, knowledge, priceBook, orchestrator, clock, organisationOf }: PipelineOptions): Agent {
  /** A sum is wanted when the question says so, or when it names things, amounts and a time and nothing else is asked. */
  const costOf = ({ question }: AgentTurn, history: readonly ConversationMessage[]): EstimateTable | null => {
    const { text, quickAction, context } = question
    if (quickAction !== 'cost' && !wantsSum(text)) return null
    const computed = estimate(quickAction === 'cost' ? subjectOf(question, history) : text, priceBook, Object.values(context).join('\n'))
    if (computed === null) return null
    return quickAction === 'cost' || asksForCost(text) || computed.isExplicit ? estimateTable(computed) : null
  }

  const gather = async (turn: AgentTurn, signal: AbortSignal, delivery: Delivery | undefined): Promise<ProviderRequest> => {
    const { question, userId, turnId } = turn
    const { text, quickAction, sessionId, context } = question
    const history = await conversation.before({ userId, sessionId, turnId }, REMEMBERED)
    const findings =
      quickAction === 'summarise'
        ? { passages: [], terms: [] }
        : await knowledge.find(
            {
              text: subjectOf(question, history),
              context: Object.values(context).join('\n'),
              wantsPractice: quickAction === 'best-practice'
            },
            signal
          )
    const material = materialOf(findings, costOf(turn, history))
    const caller = { userId, sessionId, turnId, organisation: organisationOf?.(userId) ?? undefined }
    return {
      question: text,
      quickAction,
      history,
      material,
      caller,
      delivery,
      prompt: promptFor({ question: text, quickAction, context, history, material })
    }
  }

  return {
    receive: ({ userId, turnId, question, createdAt }) =>
      conversation.save({ userId, sessionId: question.sessionId, turnId, role: 'user', text: question.text, createdAt }),

    async answer(turn, { signal, emit, delivery }) {
      const { userId, turnId, question } = turn
      emit({ type: 'status', stage: 'Reading the knowledge base' })
      const request = await gather(turn, signal, delivery)
      signal.throwIfAborted()
      emit({ type: 'status', stage: 'Answering' })
      const scan = createCitationScan()
      let text = ''
      const pass = (event: AgentEvent): void => {
        emit(event)
        if (event.type !== 'delta') return
        text += event.text
        for (const n of scan.next(event.text)) {
          const source = request.material.sources[n - 1]
          if (source !== undefined) emit({ type: 'citation', ...source })
        }
      }
      try {
        const asker = { turnId, userId, organisation: organisationOf?.(userId) ?? '', client: question.context[CLIENT] ?? '' }
        const { finish, usage } = await orchestrator.answer(request, { signal, emit: pass, asker, reuse: reuseOf(question) })
        emit({ type: 'usage', ...usage })
        return finish
      } finally {
        // What was read is what was said, also where it was stopped or broke off.
        if (text !== '') await conversation.save({ userId, sessionId: question.sessionId, turnId, role: 'assistant', text, createdAt: clock.now() })
      }
    }
  }
}
