// Puts the agent together: the graph, its inputs, the outbox of its actions, its schedule, and where it keeps what it decided.
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import { createRedisBus } from '../actions/bus.redis.ts'
import { createHttpBus } from '../actions/bus.undici.ts'
import { startActionPump } from '../actions/pump.ts'
import { allowedTarget, type Targets } from '../actions/targets.ts'
import type { AgentConfig } from '../agentConfig.ts'
import type { Audit } from '../audit/audit.ts'
import { CopilotError } from '../../shared/errors.ts'
import { createBusinessInfo } from '../business/businessInfo.undici.ts'
import type { PriceBook } from '../cost/priceBook.ts'
import type { AgentAction } from '../decisions/contract.ts'
import type { Decisions, MessageModels } from '../decisions/decisions.ts'
import type { ExternalEvents } from '../events/externalEvents.ts'
import type { Knowledge } from '../knowledge/knowledge.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { Orchestrator } from '../orchestrator/orchestrator.ts'
import type { Stores } from '../stores/stores.ts'
import type { RedisConnection } from '../store/redis.ts'
import { NO_BUSINESS } from './admit.ts'
import { readAgentFile } from './agentFile.ts'
import type { Agent } from './agent.ts'
import { createBackground } from './background.ts'
import { runDueTasks } from './dueTasks.ts'
import { createAgentGraph } from './graph.ts'
import { createInputDesk, type InputDesk } from './inputDesk.ts'
import { createInputStages } from './inputStages.ts'
import { startInputWork } from './inputWork.ts'

export interface AgentParts {
  readonly stores: Pick<Stores, 'conversation' | 'worklist' | 'outbox' | 'schedule' | 'models' | 'decisions' | 'events'>
  readonly config: AgentConfig
  /** AWS's, as `id:secret` or `id:secret:session`; absent: its client looks for them itself. */
  readonly awsKey: string | undefined
  readonly knowledge: Knowledge
  readonly priceBook: PriceBook
  readonly orchestrator: Orchestrator
  readonly audit: Audit
  readonly organisationOf: (userId: string) => Promise<string | null>
  /** Where actions may be read from a stream; null: they go by HTTP. */
  readonly redis: RedisConnection | null
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
}

export interface ComposedAgent {
  readonly agent: Agent
  readonly desk: InputDesk
  /** Past decisions, where they are kept elsewhere than in the store; null: they are in it. */
  readonly decisionsElsewhere: Decisions | null
  /** Where webhooks put their events, so that they are worked on at once. */
  readonly events: ExternalEvents
  /** Begins to work on what has come in; call it once the doors are open. */
  start(): void
}

/** The graph library blocks for some 400 ms while it loads: not within the start, nor in the first moments after it. */
const WARM_AFTER_MS = 1_000
const ACTION_TIMEOUT_MS = 15_000

/** What is started is stopped with `started`. */
export async function composeAgent(parts: AgentParts, started: AsyncDisposableStack): Promise<ComposedAgent> {
  const { stores, config, orchestrator, audit, redis, clock, newId, logger } = parts
  const { conversation, worklist, outbox, schedule, events } = stores
  const { targets, reviewBelow, webhooks } = await readAgentFile(config.file)
  const { models, decisions } = await openDecisions(parts, started)
  const info = createBusinessInfo({ ...config, clock })
  started.defer(() => info.stop())
  const isAllowed = (action: AgentAction): boolean => isOnList(action, targets)
  const graph = createAgentGraph({
    ...parts,
    conversation,
    inputs: createInputStages({
      worklist,
      models,
      decisions,
      orchestrator,
      audit,
      clock,
      background: createBackground(info, logger),
      reviewBelow,
      isAllowed
    }),
    onOutput: ({ inputId, decisionCode, confidence, processingTime }) =>
      logger.debug({ turnId: inputId, decisionCode, confidence, processingTime }, 'agent.decided')
  })

  let onWork = (): void => undefined
  const desk = createInputDesk({ worklist, outbox, models, schedule, audit, clock, newId, onWork: () => onWork() })
  const start = (): void => {
    const warming = setTimeout(() => {
      graph.warm().catch((error: unknown) => logger.error(errorFields(error), 'agent.warm'))
    }, WARM_AFTER_MS)
    started.defer(() => clearTimeout(warming))
    const http = createHttpBus({ targets, timeoutMs: ACTION_TIMEOUT_MS })
    const bus = redis === null ? http : createRedisBus({ redis, targets, otherwise: http })
    const pump = startActionPump({ outbox, bus, audit, clock, random: Math.random, logger })
    started.defer(() => pump.stop())
    const work = startInputWork({
      worklist,
      events,
      decisions,
      handle: graph.handle,
      businessOf: (source) => webhooks[source] ?? NO_BUSINESS,
      runDue: (now) => runDueTasks(schedule, worklist, now),
      onDecided: pump.wake,
      clock,
      logger
    })
    started.defer(() => work.stop())
    onWork = () => {
      work.wake()
      pump.wake()
    }
  }
  const receive: ExternalEvents['receive'] = async (event) => {
    const received = await events.receive(event)
    onWork()
    return received
  }
  return { agent: graph, desk, decisionsElsewhere: config.dynamo === null ? null : decisions, events: { ...events, receive }, start }
}

async function openDecisions(
  { stores, config, awsKey }: AgentParts,
  started: AsyncDisposableStack
): Promise<{ models: MessageModels; decisions: Decisions }> {
  if (config.dynamo === null) return stores
  // Loaded only where it is wanted.
  const { openDynamoStore } = await import('../decisions/decisions.dynamodb.ts')
  const [accessKeyId, secretAccessKey, sessionToken] = awsKey?.split(':') ?? []
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? null
      : { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  const opened = await openDynamoStore({ ...config.dynamo, credentials })
  started.defer(() => opened.stop())
  return opened
}

function isOnList(action: AgentAction, targets: Targets): boolean {
  try {
    allowedTarget(action, targets)
    return true
  } catch (error) {
    if (error instanceof CopilotError && error.code === 'forbidden') return false
    throw error
  }
}
