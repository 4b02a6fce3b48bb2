// The first agent: gather, answer, record, in a row. The state graph of the specification takes its place behind the
// same port.
import type { Clock } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import { estimate } from '../cost/estimate.ts'
import { estimateTable, type EstimateTable } from '../cost/estimateTable.ts'
import { asksForCost } from '../cost/costQuestion.ts'
import type { PriceBook } from '../cost/priceBook.ts'
import { clientKey } from '../knowledge/client.ts'
import type { Findings, Knowledge } from '../knowledge/knowledge.ts'
import { NO_ORGANISATION } from '../limits/limits.ts'
import type { Orchestrator, Reuse } from '../orchestrator/orchestrator.ts'
import type { Question } from '../../shared/turn.ts'
import type { ConversationMessage, ProviderRequest } from '../providers/provider.ts'
import { maskCredentials } from '../safety/credentials.ts'
import { createOutputFilter } from '../safety/outputFilter.ts'
import type { Agent, AgentTurn, AnswerOptions } from './agent.ts'
import { createCitationScan } from './citations.ts'
import type { Conversation } from './conversation.ts'
import { materialOf } from './material.ts'
import { promptFor } from './prompt.ts'
import { createSafeguard } from './safeguard.ts'
import { subjectOf, wantsSum } from './subject.ts'

export interface PipelineOptions {
  readonly conversation: Conversation
  readonly knowledge: Knowledge
  readonly priceBook: PriceBook
  readonly orchestrator: Orchestrator
  readonly audit: Audit
  readonly clock: Clock
  /** Who pays for a user's questions; absent: nobody in particular. */
  readonly organisationOf?: (userId: string) => string | null
}

/** The client whose meeting it is, in a question's context. */
const CLIENT = 'client_name'
const clientOf = ({ context }: Question): string => context[CLIENT] ?? ''
/** In a question's context: `similar` takes an answer to nearly the same words, `none` wants a fresh one. */
const REUSE = 'answer_reuse'

function reuseOf({ sessionId, context }: Question): Reuse {
  const { [REUSE]: wish, ...rest } = context
  return { sessionId, context: rest, mode: wish === 'similar' || wish === 'none' ? wish : 'exact' }
}

/** Messages of the session that an answer may know. */
const REMEMBERED = 20

export function createPipeline({ conversation, knowledge, priceBook, orchestrator, audit, clock, organisationOf }: PipelineOptions): Agent {
  const safeguard = createSafeguard()

  /** A sum is wanted when the question says so, or when it names things, amounts and a time and nothing else is asked. */
  const costOf = ({ question }: AgentTurn, history: readonly ConversationMessage[]): EstimateTable | null => {
    const { text, quickAction, context } = question
    if (quickAction !== 'cost' && !wantsSum(text)) return null
    const computed = estimate(quickAction === 'cost' ? subjectOf(question, history) : text, priceBook, Object.values(context).join('\n'))
    if (computed === null) return null
    return quickAction === 'cost' || asksForCost(text) || computed.isExplicit ? estimateTable(computed) : null
  }

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

  const gather = async (turn: AgentTurn, { signal, emit, delivery }: AnswerOptions): Promise<ProviderRequest> => {
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
              scope: { organisation: organisationOf?.(userId) ?? NO_ORGANISATION, client: clientOf(question) }
            },
            signal
          )
    const material = materialOf(await guarded(turn, findings, emit), costOf(turn, history))
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

  /** The turn as it may leave: without credentials that somebody pasted into a question or a session's form. */
  const masked = async (turn: AgentTurn, emit: AnswerOptions['emit']): Promise<AgentTurn> => {
    const { question } = turn
    const text = maskCredentials(question.text)
    const context = Object.entries(question.context).map(([name, value]) => [name, maskCredentials(value)] as const)
    const kinds = [...new Set([...text.kinds, ...context.flatMap(([, value]) => value.kinds)])]
    if (kinds.length === 0) return turn
    emit({ type: 'notice', kind: 'masked', text: `Left out before anything was sent: ${kinds.join(', ')}. If it is in use, change it.` })
    await audit.record({ actor: turn.userId, action: 'credential.masked', subject: turn.turnId, details: { kinds: kinds.join(', ') } })
    return {
      ...turn,
      question: { ...question, text: text.text, context: Object.fromEntries(context.map(([name, value]) => [name, value.text])) }
    }
  }

  return {
    receive: ({ userId, turnId, question, createdAt }) =>
      conversation.save({
        userId,
        sessionId: question.sessionId,
        turnId,
        client: clientKey(clientOf(question)),
        role: 'user',
        text: maskCredentials(question.text).text,
        createdAt
      }),

    async answer(given, options) {
      const { signal, emit } = options
      const turn = await masked(given, emit)
      const { userId, turnId, question } = turn
      emit({ type: 'status', stage: 'Reading the knowledge base' })
      const request = await gather(turn, options)
      signal.throwIfAborted()
      emit({ type: 'status', stage: 'Answering' })
      const filter = createOutputFilter()
      const scan = createCitationScan()
      let text = ''
      const show = (piece: string): void => {
        if (piece === '') return
        emit({ type: 'delta', text: piece })
        text += piece
        for (const n of scan.next(piece)) {
          const source = request.material.sources[n - 1]
          if (source !== undefined) emit({ type: 'citation', ...source })
        }
      }
      try {
        const asker = { turnId, userId, organisation: organisationOf?.(userId) ?? '', client: clientOf(question) }
        const { finish, usage } = await orchestrator.answer(request, {
          signal,
          asker,
          reuse: reuseOf(question),
          emit: (event) => (event.type === 'delta' ? show(filter.next(event.text)) : emit(event))
        })
        show(filter.end())
        if (filter.removed.length > 0) {
          emit({ type: 'notice', kind: 'masked', text: `Left out of the answer: ${[...new Set(filter.removed)].join(', ')}.` })
        }
        emit({ type: 'usage', ...usage })
        return finish
      } finally {
        show(filter.end())
        // What was read is what was said, also where it was stopped or broke off.
        if (text !== '') {
          const client = clientKey(clientOf(question))
          await conversation.save({ userId, sessionId: question.sessionId, turnId, client, role: 'assistant', text, createdAt: clock.now() })
        }
      }
    }
  }
}
