// The agent as a state graph. A chat's way has two nodes, because each costs a quarter of a millisecond: prepare (normalise, guard,
// gather) and answer (decide, answer, validate, record); inputs from elsewhere go collect, decide, commit. Each step is a room of its own; tokens never travel through the graph.
import type { FinishReason } from '../../shared/turn.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { PriceBook } from '../cost/priceBook.ts'
import { clientKey } from '../knowledge/client.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import type { Orchestrator } from '../orchestrator/orchestrator.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import { maskCredentials } from '../safety/credentials.ts'
import { inputOfTurn, maskTurn } from './admit.ts'
import type { Agent, AgentTurn, AnswerOptions } from './agent.ts'
import { chatOutput } from './chatOutput.ts'
import { agentInputSchema, agentOutputSchema, type AgentInput, type AgentOutput } from '../decisions/contract.ts'
import { clientOf } from './clientOf.ts'
import type { Conversation } from './conversation.ts'
import { createGather } from './gather.ts'
import type { Collected, InputStages } from './inputStages.ts'
import { respond } from './respond.ts'

export interface AgentGraph extends Agent {
  /** Loads the graph library ahead of the first answer; it takes some 400 ms. */
  warm(): Promise<void>
  /**
   * Decides on an input from elsewhere than a chat; what was decided is durable, with its actions, when it resolves. Rejects with
   * `CopilotError`; then nothing was decided.
   */
  handle(input: AgentInput, signal: AbortSignal): Promise<AgentOutput>
}

export interface AgentGraphOptions {
  readonly conversation: Conversation
  readonly knowledge: Knowledge
  readonly priceBook: PriceBook
  readonly orchestrator: Orchestrator
  readonly audit: Audit
  readonly clock: Clock
  readonly inputs: InputStages
  /** Who pays for a user's questions; absent: nobody in particular. */
  readonly organisationOf?: (userId: string) => Promise<string | null>
  /** Hears of every outcome once it is recorded. Never throws. */
  readonly onOutput?: (output: AgentOutput) => void
}

interface Prepared {
  readonly input: AgentInput
  readonly organisation: string | null
  readonly startedAt: number
  readonly request: ProviderRequest
}

/** An input from elsewhere on its way. */
interface InputRun {
  readonly input: AgentInput
  readonly signal: AbortSignal
  readonly startedAt: number
}

/** What one run knows; each node adds its part. */
interface Run {
  /** Null: a chat's turn. */
  readonly incoming: InputRun | null
  readonly collected: Collected
  readonly output: AgentOutput
  readonly turn: AgentTurn
  readonly options: AnswerOptions
  readonly startedAt: number
  readonly prepared: Prepared
  readonly finish: FinishReason
}

type Node = (run: Run) => Promise<Partial<Run>>

/** Nothing is kept between two runs: no checkpoints, no memory but the ports'. */
export function createAgentGraph(options: AgentGraphOptions): AgentGraph {
  const { conversation, orchestrator, audit, clock, inputs, onOutput } = options
  const gather = createGather(options)
  const organisationOf = async (userId: string): Promise<string | null> => (await options.organisationOf?.(userId)) ?? null

  const prepare: Node = async ({ turn, options: answering, startedAt }) => {
    const masked = await maskTurn(turn, answering.emit, audit)
    const organisation = await organisationOf(turn.userId)
    const input = agentInputSchema.parse(inputOfTurn(masked, organisation))
    answering.emit({ type: 'status', stage: 'Reading the knowledge base' })
    return { turn: masked, prepared: { input, organisation, startedAt, request: await gather(masked, answering, organisation) } }
  }

  /** What was read is what was said, also where it was stopped or broke off. */
  const answer: Node = async ({ turn, prepared, options: answering }) => {
    const { input, request, organisation, startedAt } = prepared
    const { userId, turnId, question } = turn
    const { text, result } = await respond(orchestrator, { turn, request, organisation }, answering)
    if (text !== '')
      await conversation.save({
        userId,
        sessionId: question.sessionId,
        turnId,
        client: clientKey(clientOf(question)),
        role: 'assistant',
        text,
        createdAt: clock.now()
      })
    if ('error' in result) throw result.error
    const processingTime = Math.max(0, clock.now() - startedAt)
    onOutput?.(agentOutputSchema.parse(chatOutput({ input, request, text, processingTime })))
    return { finish: result.finish }
  }

  const collect: Node = async ({ incoming }) => {
    const { input, signal } = required(incoming)
    return { collected: await inputs.collect(agentInputSchema.parse(input), signal) }
  }

  const decide: Node = async ({ incoming, collected }) => {
    const { signal, startedAt } = required(incoming)
    return { output: await inputs.decide(collected, { gather, signal, startedAt }) }
  }

  const commit: Node = async ({ collected, output }) => {
    await inputs.commit(collected.input, output)
    onOutput?.(output)
    return {}
  }

  let loading: ReturnType<typeof compile> | null = null
  // Loaded when it is first needed: it would add its 400 ms to the time that the service takes to start.
  const compiled = (): ReturnType<typeof compile> => (loading ??= compile({ prepare, answer, collect, decide, commit }))

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
    warm: async () => void (await compiled()),
    async answer(turn, answering) {
      const graph = await compiled()
      // Without the signal: an aborted run must still keep what was said. The nodes heed the signal themselves.
      const { finish } = await graph.invoke({ incoming: null, turn, options: answering, startedAt: clock.now() })
      return finish
    },
    async handle(input, signal) {
      const graph = await compiled()
      const { output } = await graph.invoke({ incoming: { input, signal, startedAt: clock.now() } })
      return output
    }
  }
}

function required(incoming: InputRun | null): InputRun {
  if (incoming === null) throw new Error('a chat’s turn took the way of an input')
  return incoming
}

type Nodes = Readonly<Record<'prepare' | 'answer' | 'collect' | 'decide' | 'commit', Node>>

async function compile({ prepare, answer, collect, decide, commit }: Nodes) {
  const { Annotation, END, START, StateGraph } = await import('@langchain/langgraph')
  const state = Annotation.Root({
    incoming: Annotation<InputRun | null>(),
    collected: Annotation<Collected>(),
    output: Annotation<AgentOutput>(),
    turn: Annotation<AgentTurn>(),
    options: Annotation<AnswerOptions>(),
    startedAt: Annotation<number>(),
    prepared: Annotation<Prepared>(),
    finish: Annotation<FinishReason>()
  })
  return new StateGraph(state)
    .addNode('prepare', prepare)
    .addNode('answer', answer)
    .addNode('collect', collect)
    .addNode('decide', decide)
    .addNode('commit', commit)
    .addConditionalEdges(START, ({ incoming }) => (incoming === null ? 'prepare' : 'collect'), ['prepare', 'collect'])
    .addEdge('prepare', 'answer')
    .addEdge('answer', END)
    .addEdge('collect', 'decide')
    .addEdge('decide', 'commit')
    .addEdge('commit', END)
    .compile()
}
