// The agent as a state graph. A chat has one node, because each costs a quarter of a millisecond, and those that come within a moment
// share a run (chatRound.ts): it is prepared (normalise, guard, gather) and answered (decide, answer, validate, record). Inputs from
// elsewhere go collect, decide, commit. Each step is a room of its own; tokens never travel through the graph.
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
import { createChatRounds, type ChatRound } from './chatRound.ts'
import { agentInputSchema, type AgentInput, type AgentOutput } from '../decisions/contract.ts'
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
  /** Without credentials. */
  readonly turn: AgentTurn
  readonly input: AgentInput
  readonly organisation: string | null
  readonly startedAt: number
  readonly request: ProviderRequest
}

/** An input from elsewhere on its way. */
interface Incoming {
  readonly input: AgentInput
  readonly signal: AbortSignal
  readonly startedAt: number
}

/** What one run knows; each node adds its part. */
interface ChatRun {
  readonly round: ChatRound
}
interface InputRun {
  readonly incoming: Incoming
  readonly collected: Collected
  readonly output: AgentOutput
}

type Node<Run> = (run: Run) => Promise<Partial<Run>>

/** Nothing is kept between two runs: no checkpoints, no memory but the ports'. */
export function createAgentGraph(options: AgentGraphOptions): AgentGraph {
  const { conversation, orchestrator, audit, clock, inputs, onOutput } = options
  const gather = createGather(options)
  const organisationOf = async (userId: string): Promise<string | null> => (await options.organisationOf?.(userId)) ?? null

  const prepare = async (turn: AgentTurn, answering: AnswerOptions): Promise<Prepared> => {
    const startedAt = clock.now()
    const masked = await maskTurn(turn, answering.emit, audit)
    const organisation = await organisationOf(turn.userId)
    // Made here, from what the doors have checked.
    const input = inputOfTurn(masked, organisation)
    answering.emit({ type: 'status', stage: 'Reading the knowledge base' })
    return { turn: masked, input, organisation, startedAt, request: await gather(masked, answering, organisation) }
  }

  /** What was read is what was said, also where it was stopped or broke off. */
  const answer = async (asked: AgentTurn, answering: AnswerOptions): Promise<FinishReason> => {
    const { turn, input, request, organisation, startedAt } = await prepare(asked, answering)
    const { userId, turnId, question } = turn
    const keep = (text: string): Promise<void> =>
      conversation.save(
        { userId, sessionId: question.sessionId, turnId, client: clientKey(clientOf(question)), role: 'assistant', text, createdAt: clock.now() },
        answering.ending?.bond
      )
    const { text, result } = await respond(orchestrator, { turn, request, organisation, keep }, answering)
    if ('error' in result) throw result.error
    const processingTime = Math.max(0, clock.now() - startedAt)
    onOutput?.(chatOutput({ input, request, text, processingTime }))
    return result.finish
  }

  /** Each by itself: one that has much to look up, or much to say, holds no other back. */
  const answerAll: Node<ChatRun> = async ({ round }) => {
    await round.serve(answer)
    return {}
  }

  const collect: Node<InputRun> = async ({ incoming }) => {
    return { collected: await inputs.collect(agentInputSchema.parse(incoming.input), incoming.signal) }
  }

  const decide: Node<InputRun> = async ({ incoming: { signal, startedAt }, collected }) => {
    return { output: await inputs.decide(collected, { gather, signal, startedAt }) }
  }

  const commit: Node<InputRun> = async ({ collected, output }) => {
    await inputs.commit(collected.input, output)
    onOutput?.(output)
    return {}
  }

  let loading: ReturnType<typeof compile> | null = null
  // Loaded when it is first needed: it would add its 400 ms to the time that the service takes to start.
  const compiled = (): ReturnType<typeof compile> => (loading ??= compile({ answer: answerAll, collect, decide, commit }))
  // Without a signal: an aborted run must still keep what was said. The steps heed each chat's own.
  const { join } = createChatRounds(async (round) => (await compiled()).chats.invoke({ round }, quiet))

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
    answer: join,
    async handle(input, signal) {
      const { inputs: graph } = await compiled()
      const { output } = await graph.invoke({ incoming: { input, signal, startedAt: clock.now() } })
      return output
    }
  }
}

/** A run that tells nobody of its steps; what chats hear does not go through the graph. */
const quiet = { streamMode: 'custom' } as const

type Nodes = Readonly<Record<'answer', Node<ChatRun>> & Record<'collect' | 'decide' | 'commit', Node<InputRun>>>

/** Two ways, because a branch at the start costs as much as a node. */
async function compile({ answer, collect, decide, commit }: Nodes) {
  const { Annotation, END, START, StateGraph } = await import('@langchain/langgraph')
  const chats = new StateGraph(Annotation.Root({ round: Annotation<ChatRound>() }))
    .addNode('answer', answer)
    .addEdge(START, 'answer')
    .addEdge('answer', END)
    .compile()
  const inputState = Annotation.Root({ incoming: Annotation<Incoming>(), collected: Annotation<Collected>(), output: Annotation<AgentOutput>() })
  const inputs = new StateGraph(inputState)
    .addNode('collect', collect)
    .addNode('decide', decide)
    .addNode('commit', commit)
    .addEdge(START, 'collect')
    .addEdge('collect', 'decide')
    .addEdge('decide', 'commit')
    .addEdge('commit', END)
    .compile()
  return { chats, inputs }
}
