// Second step of the graph: what an answer to a chat turn may rest on (conversation, knowledge, a computed cost), guarded and
// numbered, as the request to a model.
import type { Question } from '../../shared/turn.ts'
import type { Audit } from '../audit/audit.ts'
import { maySayHowMuch } from '../cost/amounts.ts'
import { asksForCost, namesItem } from '../cost/costQuestion.ts'
import { estimate } from '../cost/estimate.ts'
import { estimateTable, type EstimateTable } from '../cost/estimateTable.ts'
import type { PriceBook } from '../cost/priceBook.ts'
import { clientKey } from '../knowledge/client.ts'
import type { Findings, Knowledge } from '../knowledge/knowledge.ts'
import { NO_ORGANISATION } from '../limits/limits.ts'
import type { ConversationMessage, ProviderRequest } from '../providers/provider.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'
import { clientOf } from './clientOf.ts'
import type { Conversation } from './conversation.ts'
import { materialOf } from './material.ts'
import { promptFor } from './prompt.ts'
import { createSafeguard } from './safeguard.ts'
import { subjectOf, wantsSum } from './subject.ts'

export interface GatherOptions {
  readonly conversation: Conversation
  readonly knowledge: Knowledge
  readonly priceBook: PriceBook
  readonly audit: Audit
}

export type Gather = (turn: AgentTurn, options: AnswerOptions, organisation: string | null) => Promise<ProviderRequest>

/** Messages of the session that an answer may know. */
const REMEMBERED = 20

export function createGather({ conversation, knowledge, priceBook, audit }: GatherOptions): Gather {
  const safeguard = createSafeguard()

  /** Passages that speak to the model are left out: said in the answer, and audited without their text. */
  const guarded = async (turn: AgentTurn, findings: Findings, emit: AnswerOptions['emit']): Promise<Findings> => {
    const { passages, attacks } = safeguard(findings.passages)
    for (const { passage, rules } of attacks) {
      emit({ type: 'notice', kind: 'masked', text: `A passage of “${passage.title}” was left out: it tries to give the model instructions.` })
      await audit.record({
        actor: turn.userId,
        action: 'injection.blocked',
        subject: turn.turnId,
        details: { source: passage.slug, rules: rules.join(' ') }
      })
    }
    return { ...findings, passages }
  }

  return async (turn, { signal, emit, delivery }, organisation) => {
    const { question, userId, turnId } = turn
    const { text, quickAction, sessionId, context } = question
    const history = await conversation.before({ userId, sessionId, turnId, client: clientKey(clientOf(question)) }, REMEMBERED)
    const findings =
      quickAction === 'summarise'
        ? { passages: [], terms: [] }
        : await knowledge.find(
            {
              text: subjectOf(question, history),
              context: Object.values(context).join('\n'),
              wantsPractice: quickAction === 'best-practice',
              scope: { organisation: organisation ?? NO_ORGANISATION, client: clientOf(question) }
            },
            signal
          )
    const material = materialOf(await guarded(turn, findings, emit), costOf(question, history, priceBook))
    const caller = { userId, sessionId, turnId, organisation: organisation ?? undefined }
    const prompt = promptFor({ question: text, quickAction, context, history, material })
    return { question: text, quickAction, history, material, caller, delivery, prompt }
  }
}

/** A sum is wanted when the question says so, or when it names things, amounts and a time and nothing else is asked. */
function costOf(question: Question, history: readonly ConversationMessage[], priceBook: PriceBook): EstimateTable | null {
  const { text, quickAction, context } = question
  const asks = asksForCost(text)
  // The dear test last: every question passes here, and few are about money.
  const isSum = quickAction === 'cost' || ((asks || (maySayHowMuch(text) && namesItem(text, priceBook))) && wantsSum(text))
  if (!isSum) return null
  const computed = estimate(quickAction === 'cost' ? subjectOf(question, history) : text, priceBook, Object.values(context).join('\n'))
  if (computed === null) return null
  return quickAction === 'cost' || asks || computed.isExplicit ? estimateTable(computed) : null
}
