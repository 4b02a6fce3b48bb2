// The steps of an input from elsewhere than a chat (schedule, webhook, API): collect, decide, commit. The graph puts them in order.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Worklist } from '../actions/worklist.ts'
import type { Audit } from '../audit/audit.ts'
import { agentOutputSchema, type AgentAction, type AgentInput, type AgentOutput } from '../decisions/contract.ts'
import type { Decisions, MessageModels } from '../decisions/decisions.ts'
import type { Orchestrator } from '../orchestrator/orchestrator.ts'
import { examinePassage } from '../safety/injection.ts'
import { maskInput } from './admit.ts'
import type { AgentTurn } from './agent.ts'
import { outputIdOf } from './chatOutput.ts'
import { choicePrompt, outputOf, plainChoice, readChoice, type Choice, type Gathered } from './decide.ts'
import type { Gather } from './gather.ts'
import { respond } from './respond.ts'

/** What is known about a business from elsewhere, as JSON texts. Never rejects for an API that is away: then it knows less. */
export type Background = (input: AgentInput, signal: AbortSignal) => Promise<readonly string[]>

export interface InputStagesOptions {
  readonly worklist: Worklist
  readonly models: MessageModels
  readonly decisions: Decisions
  readonly orchestrator: Orchestrator
  readonly audit: Audit
  readonly clock: Clock
  readonly background: Background
  /** Below this confidence a person looks first, 0 to 1. */
  readonly reviewBelow: number
  readonly isAllowed: (action: AgentAction) => boolean
}

export interface Collected extends Gathered {
  /** Without credentials. */
  readonly input: AgentInput
}

export interface InputStages {
  collect(input: AgentInput, signal: AbortSignal): Promise<Collected>
  decide(collected: Collected, options: { readonly gather: Gather; readonly signal: AbortSignal; readonly startedAt: number }): Promise<AgentOutput>
  /** Durable when it resolves, with its actions. */
  commit(input: AgentInput, output: AgentOutput): Promise<void>
}

const SIMILAR = 10

export function createInputStages(options: InputStagesOptions): InputStages {
  const { worklist, models, decisions, orchestrator, audit, clock, background, reviewBelow, isAllowed } = options

  const choose = async (collected: Collected, signal: AbortSignal): Promise<Choice> => {
    const { input } = collected
    const plain = plainChoice(input, collected)
    if (plain !== null) return plain
    let reply = ''
    const { userId = 'service', businessId, id } = input
    const material = { passages: [], terms: [], estimate: [], sources: [] }
    await orchestrator.answer(
      { question: input.type, quickAction: undefined, history: [], material, delivery: 'whole', prompt: choicePrompt(input, collected) },
      {
        signal,
        asker: { turnId: id, userId, organisation: businessId, client: '' },
        emit: (event) => void (event.type === 'delta' && (reply += event.text))
      }
    )
    return readChoice(reply, input, collected)
  }

  /** Nothing is laid down for this type of input: it is answered like a question, and nothing is done. */
  const answered = async (collected: Collected, gather: Gather, signal: AbortSignal): Promise<Omit<AgentOutput, 'processingTime'>> => {
    const { input, isSuspicious } = collected
    const turn = turnOf(input)
    const telling = { signal, delivery: 'whole' as const, emit: () => undefined }
    const request = await gather(turn, telling, input.businessId)
    const { text, result } = await respond(orchestrator, { turn, request, organisation: input.businessId }, telling)
    if ('error' in result) throw result.error
    return {
      id: outputIdOf(input.id),
      inputId: input.id,
      decisionCode: 'agent.answer',
      decisionType: 'answer',
      confidence: Math.min(1, Math.max(0, ...request.material.passages.map(({ relevance }) => relevance))),
      reasoning: `No message model is for this type of input; answered on ${request.material.sources.length} sources.`,
      actions: [],
      responses: [{ type: 'text', text }],
      // There is nothing to hold back: an answer is read by who asked for it.
      requiresHumanReview: isSuspicious
    }
  }

  return {
    async collect(given, signal) {
      const input = await maskInput(given, audit)
      const { businessId, type, content } = input
      const [fitting, similar, known] = await Promise.all([
        models.fitting(type, businessId),
        decisions.similar({ businessId, text: `${type} ${content.text}`, limit: SIMILAR }),
        background(input, signal)
      ])
      const { isAttack } = examinePassage(`${content.text}\n${textsOf(content.data).join('\n')}`)
      if (isAttack)
        await audit.record({ actor: input.userId ?? 'service', action: 'injection.blocked', subject: input.id, details: { source: input.source } })
      // What was decided before, and what an API says, is data too: it is left out where it speaks to the model.
      const safe = similar.map((past) => (examinePassage(past.summary).isAttack ? { ...past, summary: '' } : past))
      return { input, models: fitting, similar: safe, background: known.filter((text) => !examinePassage(text).isAttack), isSuspicious: isAttack }
    },

    async decide(collected, { gather, signal, startedAt }) {
      const { input } = collected
      if (collected.models.length === 0) {
        if (input.content.text.trim() === '')
          throw new CopilotError('invalid_request', `Nothing is laid down for inputs of the type ${input.type}, and it has no text.`)
        const output = await answered(collected, gather, signal)
        return { ...output, processingTime: Math.max(0, clock.now() - startedAt) }
      }
      return outputOf(input, await choose(collected, signal), collected, { reviewBelow, isAllowed, now: clock.now(), startedAt })
    },

    async commit(input, given) {
      const output = agentOutputSchema.parse(given)
      if (output.requiresHumanReview) {
        const details = { decisionCode: output.decisionCode, confidence: output.confidence, actions: output.actions.length }
        await audit.record({ actor: input.userId ?? 'service', action: 'review.requested', subject: input.id, details })
      }
      const isNew = await worklist.decided(output, clock.now())
      const version = output.metadata?.['version']
      if (isNew && typeof version === 'number') await models.used(output.decisionCode, version, clock.now())
    }
  }
}

function turnOf({ id, userId = 'service', content: { text, data }, timestamp }: AgentInput): AgentTurn {
  const context = Object.fromEntries(
    Object.entries(data).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value.slice(0, 4_000)]] : []))
  )
  return { turnId: id, userId, messageId: id, question: { turnId: id, sessionId: `input:${id}`.slice(0, 128), text, context }, createdAt: timestamp }
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}
