// The agent as a state graph. A chat's way has two nodes, because each costs a quarter of a millisecond: prepare (normalise, guard,
// gather) and answer (decide, answer, validate, record). Each step is a room of its own; tokens never travel through the graph.
import type { FinishReason } from '../../shared/turn.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { PriceBook } from '../cost/priceBook.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { Orchestrator } from '../orchestrator/orchestrator.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import { maskCredentials } from '../safety/credentials.ts'
import { inputOfTurn, maskTurn } from './admit.ts'
import type { Agent, AgentTurn, AnswerOptions } from './agent.ts'
import { chatOutput } from './chatOutput.ts'
import { agentInputSchema, agentOutputSchema, type AgentInput, type AgentOutput } from '../decisions/contract.ts'
import type { Conversation } from './conversation.ts'
import { createGather } from './gather.ts'
import { respond } from './respond.ts'

export interface AgentGraph extends Agent {
  /** Loads the graph library ahead of the first answer; it takes some 400 ms. */
  warm(): Promise<void>
}

export interface AgentGraphOptions {
  readonly conversation: Conversation
  readonly knowledge: Knowledge
  readonly priceBook: PriceBook
  readonly orchestrator: Orchestrator
  readonly audit: Audit
  readonly clock: Clock
  /** Who pays for a user's questions; absent: nobody in particular. */
  readonly organisationOf?: (userId: string) => string | null
  /** Hears of every outcome once it is recorded. Never throws. */
  readonly onOutput?: (output: AgentOutput) => void
}

interface Prepared {
  readonly input: AgentInput
  readonly organisation: string | null
  readonly startedAt: number
  readonly request: ProviderRequest
}

/** What one run knows; each node adds its part. */
interface ChatRun {
  readonly turn: AgentTurn
  readonly options: AnswerOptions
  readonly startedAt: number
  readonly prepared: Prepared
  readonly finish: FinishReason
}

type Node = (run: ChatRun) => Promise<Partial<ChatRun>>

/** Nothing is kept between two runs: no checkpoints, no memory but the ports'. */
export function createAgentGraph(options: AgentGraphOptions): AgentGraph {
  const { conversation, orchestrator, audit, clock, onOutput } = options
  const gather = createGather(options)
  const organisationOf = (userId: string): string | null => options.organisationOf?.(userId) ?? null

  const prepare: Node = async ({ turn, options: answering, startedAt }) => {
    const masked = await maskTurn(turn, answering.emit, audit)
    const organisation = organisationOf(turn.userId)
    const input = agentInputSchema.parse(inputOfTurn(masked, organisation))
    answering.emit({ type: 'status', stage: 'Reading the knowledge base' })
    return { turn: masked, prepared: { input, organisation, startedAt, request: await gather(masked, answering, organisation) } }
  }

  /** What was read is what was said, also where it was stopped or broke off. */
  const answer: Node = async ({ turn, prepared, options: answering }) => {
    const { input, request, organisation, startedAt } = prepared
    const { userId, turnId, question } = turn
    const { text, result } = await respond(orchestrator, { turn, request, organisation }, answering)
    if (text !== '') await conversation.save({ userId, sessionId: question.sessionId, turnId, role: 'assistant', text, createdAt: clock.now() })
    if ('error' in result) throw result.error
    const processingTime = Math.max(0, clock.now() - startedAt)
    onOutput?.(agentOutputSchema.parse(chatOutput({ input, request, text, processingTime })))
    return { finish: result.finish }
  }

  let loading: ReturnType<typeof compile> | null = null
  // Loaded when it is first needed: it would add its 400 ms to the time that the service takes to start.
  const compiled = (): ReturnType<typeof compile> => (loading ??= compile({ prepare, answer }))

  return {
    receive: ({ userId, turnId, question, createdAt }) =>
      conversation.save({ userId, sessionId: question.sessionId, turnId, role: 'user', text: maskCredentials(question.text).text, createdAt }),
    warm: async () => void (await compiled()),
    async answer(turn, answering) {
      const graph = await compiled()
      // Without the signal: an aborted run must still keep what was said. The nodes heed the signal themselves.
      const { finish } = await graph.invoke({ turn, options: answering, startedAt: clock.now() })
      return finish
    }
  }
}

async function compile({ prepare, answer }: Readonly<Record<'prepare' | 'answer', Node>>) {
  const { Annotation, END, START, StateGraph } = await import('@langchain/langgraph')
  const state = Annotation.Root({
    turn: Annotation<AgentTurn>(),
    options: Annotation<AnswerOptions>(),
    startedAt: Annotation<number>(),
    prepared: Annotation<Prepared>(),
    finish: Annotation<FinishReason>()
  })
  return new StateGraph(state)
    .addNode('prepare', prepare)
    .addNode('answer', answer)
    .addEdge(START, 'prepare')
    .addEdge('prepare', 'answer')
    .addEdge('answer', END)
    .compile()
}
