// Opens the graph: a turn becomes an input like any other, and loses the credentials that somebody pasted into it before
// anything else sees it.
import type { Audit } from '../audit/audit.ts'
import { maskCredentials } from '../safety/credentials.ts'
import type { AgentTurn, AnswerOptions } from './agent.ts'
import type { AgentInput } from '../decisions/contract.ts'

/** Whose business a turn is when its user belongs to no organisation. */
export const NO_BUSINESS = 'none'

/** A chat turn as the agent's input. Pure. */
export function inputOfTurn({ turnId, userId, messageId, question, createdAt }: AgentTurn, organisation: string | null): AgentInput {
  return {
    id: turnId,
    source: 'chat',
    userId,
    businessId: organisation === null || organisation === '' ? NO_BUSINESS : organisation,
    type: question.quickAction ?? 'question',
    content: { text: question.text, data: question.context, metadata: { sessionId: question.sessionId, messageId } },
    timestamp: createdAt,
    correlationId: turnId
  }
}

/** The turn as it may leave: without credentials that somebody pasted into a question or a session's form. */
export async function maskTurn(turn: AgentTurn, emit: AnswerOptions['emit'], audit: Audit): Promise<AgentTurn> {
  const { question } = turn
  const text = maskCredentials(question.text)
  const context = Object.entries(question.context).map(([name, value]) => [name, maskCredentials(value)] as const)
  if (text.kinds.length === 0 && context.every(([, value]) => value.kinds.length === 0)) return turn
  const kinds = [...new Set([...text.kinds, ...context.flatMap(([, value]) => value.kinds)])]
  emit({ type: 'notice', kind: 'masked', text: `Left out before anything was sent: ${kinds.join(', ')}. If it is in use, change it.` })
  await audit.record({ actor: turn.userId, action: 'credential.masked', subject: turn.turnId, details: { kinds: kinds.join(', ') } })
  return {
    ...turn,
    question: { ...question, text: text.text, context: Object.fromEntries(context.map(([name, value]) => [name, value.text])) }
  }
}

/** The same for an input from elsewhere: its text and every string in its data. */
export async function maskInput(input: AgentInput, audit: Audit): Promise<AgentInput> {
  const kinds = new Set<string>()
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const masked = maskCredentials(value)
      for (const kind of masked.kinds) kinds.add(kind)
      return masked.text
    }
    if (Array.isArray(value)) return value.map(clean)
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, clean(part)]))
    return value
  }
  const content = clean(input.content) as AgentInput['content']
  if (kinds.size === 0) return input
  const details = { kinds: [...kinds].join(', ') }
  await audit.record({ actor: input.userId ?? 'service', action: 'credential.masked', subject: input.id, details })
  return { ...input, content }
}
