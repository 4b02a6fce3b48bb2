// The composition root of the AI service: puts the rooms together, starts them bottom up and stops them top down.
import { existsSync } from 'node:fs'
import type { Server } from 'node:http'
import { systemClock, type Clock, type NewId } from '../shared/kit/clock.ts'
import { v7 as uuidv7 } from 'uuid'
import { composeAgent } from './agent/compose.ts'
import { openAudit } from './audit/audit.sqlite.ts'
import { createClientKeys } from './auth/clientKeys.ts'
import { createIdentityProvider } from './auth/identityProvider.ts'
import { signingKeys } from './auth/keys.ts'
import { createVerifier } from './auth/verifier.ts'
import type { Caller } from './auth/caller.ts'
import { createMemoryAnswerCache } from './cache/answerCache.memory.ts'
import type { ServiceConfig } from './config.ts'
import { createBudgets } from './cost/budget.ts'
import { createSqliteLedger } from './cost/ledger.sqlite.ts'
import { readModelPrices } from './cost/modelPrices.ts'
import { readPriceBook, type PriceBook } from './cost/priceBook.ts'
import { createSqliteExternalEvents } from './events/externalEvents.sqlite.ts'
import { openGrpcDoor } from './gateway/copilot.grpc.ts'
import { defaultBounds, type Bounds } from './gateway/bounds.ts'
import { consultantChat } from './gateway/consultantChat.ts'
import { erpFrames } from './gateway/erpFrames.ts'
import type { Door, GatewayParts } from './gateway/gateway.ts'
import { createPlaces } from './gateway/places.ts'
import { limited } from './gateway/limited.ts'
import { reflectionFrom } from './gateway/reflection.ts'
import { openHttpDoor } from './gateway/rest.fastify.ts'
import { attachSockets } from './gateway/sockets.socketio.ts'
import { attachWebSockets } from './gateway/webSockets.ws.ts'
import { ingest } from './knowledge/ingest.ts'
import { createSqliteKnowledge } from './knowledge/knowledge.sqlite.ts'
import { errorFields, type Logger } from './logging.ts'
import type { Accounts } from './limits/accounts.ts'
import { createLimits, organisationOf, type Limits } from './limits/limits.ts'
import { createSqliteAccounts, createSqliteOverrides } from './limits/limits.sqlite.ts'
import { readLimitsFile } from './limits/limitsFile.ts'
import { limitsPolicy } from './limits/limitsPolicy.ts'
import { createMemoryLimitStore } from './limits/limitStore.memory.ts'
import { createOverrides } from './limits/overrides.ts'
import { cached } from './orchestrator/cached.ts'
import { createOrchestrator } from './orchestrator/orchestrator.ts'
import { logSignal, type OnSignal } from './orchestrator/signals.ts'
import { createTariff } from './orchestrator/tariff.ts'
import { createProviders } from './providers/compose.ts'
import type { Provider } from './providers/provider.ts'
import { findResources, type Resources } from './resources.ts'
import { createDesk, type Desk } from './sessions/desk.ts'
import { createSqliteSessions } from './sessions/sessions.sqlite.ts'
import { openStore } from './store/store.ts'
import { createBroker, type TurnBroker } from './turns/broker.ts'
import { TURN_KEPT_MS, type TurnLog } from './turns/turnLog.ts'
import { createSqliteTurnLog } from './turns/turnLog.sqlite.ts'
import { version } from './version.ts'

export interface RunningService {
  /** `host:port`. */
  readonly grpc: string
  readonly http: string
  /** Drains what is being answered, closes the doors, then the store. Twice is once. */
  stop(): Promise<void>
}

export interface ComposeOptions {
  readonly config: ServiceConfig
  readonly logger: Logger
  readonly clock?: Clock
  readonly newId?: NewId
  /** Providers instead of those of the configuration, for tests. */
  readonly providers?: readonly Provider[]
  /** Other bounds of connections than the usual ones, for tests. */
  readonly bounds?: Partial<Bounds>
}

/** Shorter than the grace that the desktop gives before it kills. */
const DRAIN_MS = 2_000
const PRUNE_EVERY_MS = 3_600_000

/** Throws `CopilotError` with one sentence when it can't start; nothing is left running then. */
export async function startService(options: ComposeOptions): Promise<RunningService> {
  const { config, logger, clock = systemClock, newId = uuidv7 } = options
  await using started = new AsyncDisposableStack()
  if (config.ignored.length > 0) logger.warn({ settings: config.ignored }, 'config.ignored')

  const store = await openStore({ dataDir: config.dataDir, clock })
  started.defer(() => store.stop())
  if (store.incident !== null) logger.error({ incident: store.incident }, 'store.incident')

  const resources = findResources(config.resourcesDir, import.meta.dirname)
  if (resources === null) logger.warn({}, 'resources.missing')
  const keys = await signingKeys(config.dataDir)
  const audit = await openAudit({ dataDir: config.dataDir, keys, clock, onHeadFailed: (error) => logger.error(errorFields(error), 'audit.head') })
  started.defer(() => audit.stop())
  if (audit.incident !== null) logger.error({ incident: audit.incident }, 'audit.incident')
  const verifier = createVerifier({
    keys,
    launchToken: config.launchToken,
    identityProvider: config.identityProvider === null ? null : createIdentityProvider(config.identityProvider, { clock }),
    clientKeys: createClientKeys({ dataDir: config.dataDir, clock }),
    clock
  })
  const knowledge = createSqliteKnowledge(store)
  const priceBook = await prices(resources, logger)
  const modelPrices = resources === null ? null : await readModelPrices(resources.pricing)
  if (modelPrices === null) logger.warn({}, 'prices.models.missing')
  const providers = options.providers ?? (await createProviders({ config, prices: modelPrices, audit, clock, logger }, started))
  const ledger = createSqliteLedger(store)
  const policy = limitsPolicy(await readLimitsFile(config.limits.file), config.limits.defaultTier)
  const overrides = createOverrides({ store: createSqliteOverrides(store), audit, clock, roles: ['admin'] })
  const accounts = createSqliteAccounts(store)
  const limits = createLimits({
    store: createMemoryLimitStore(),
    policy,
    clock,
    rates: config.limits,
    isLifted: overrides.isLifted,
    turnsSince: ledger.turnsSince
  })
  const lost = await ledger.recover(clock.now())
  if (lost > 0) logger.warn({ attempts: lost }, 'ledger.recovered')
  const onSignal: OnSignal = (signal) => logSignal(logger, signal)
  const answering = createOrchestrator({
    providers,
    clock,
    newId,
    random: Math.random,
    ledger,
    budgets: createBudgets({ ledger, capsOf: policy.capsOf, isLifted: overrides.isLifted, clock }),
    tariff: createTariff(modelPrices),
    settings: { placesPerProvider: config.poolSize },
    onUsed: limits.used,
    onSignal
  })
  const orchestrator = cached(answering, { cache: createMemoryAnswerCache({ ttlMs: config.limits.cacheTtlMs, clock }), clock, onSignal })
  started.defer(() => orchestrator.stop())
  const composed = await composeAgent(
    {
      store,
      config: config.agent,
      awsKey: config.upstreams.keys.aws,
      knowledge,
      priceBook,
      orchestrator,
      audit,
      events: createSqliteExternalEvents(store),
      organisationOf: accounts.organisationOf,
      clock,
      newId,
      logger
    },
    started
  )
  const log = createSqliteTurnLog(store)
  const broker = createBroker({ log, agent: composed.agent, clock, newId, logger, admit: (caller) => admitTurn(caller, limits, accounts) })

  await learn(knowledge, resources, logger)
  await prune(log, clock)
  const revived = await broker.revive()
  if (revived.restarted + revived.ended > 0) logger.info(revived, 'turns.revived')
  const pruning = setInterval(() => {
    prune(log, clock).catch((error: unknown) => logger.error({ error: String(error) }, 'turns.prune'))
  }, PRUNE_EVERY_MS)
  started.defer(() => clearInterval(pruning))

  const status: GatewayParts['status'] = async (signal) => ({
    version,
    liveTurns: broker.liveTurns,
    queueDepth: orchestrator.queueDepth,
    providers: await orchestrator.status(signal)
  })
  const isReady = async (signal: AbortSignal): Promise<boolean> => (await orchestrator.status(signal)).some(({ ready }) => ready)
  const desk = createDesk({
    sessions: createSqliteSessions(store),
    broker: limited(broker, limits, 'socket'),
    isReady,
    clock,
    newId,
    random: Math.random,
    logger
  })
  const waiting = await desk.resume()
  if (waiting > 0) logger.info({ waiting }, 'desk.resumed')
  const bounds = { ...defaultBounds, ...options.bounds }
  const gateway: GatewayParts = {
    broker,
    verifier,
    status,
    clock,
    newId,
    logger,
    version,
    bounds,
    places: createPlaces(bounds),
    desk,
    events: composed.events,
    inputDesk: composed.desk,
    webhookSecrets: config.webhookSecrets,
    overrides
  }
  await audit.record({ actor: 'service', action: 'service.started', subject: version })
  started.defer(() => audit.record({ actor: 'service', action: 'service.stopped', subject: version }))
  const doors = await openDoors(gateway, { config, resources, limits })
  composed.start()
  const parts = started.move()
  let stopping: Promise<void> | null = null
  return {
    grpc: doors.grpc.address,
    http: doors.http.address,
    stop: () => (stopping ??= stop(doors, { broker, desk }, parts))
  }
}

interface Doors {
  readonly grpc: Door
  readonly http: Door
}

interface DoorOptions {
  readonly config: ServiceConfig
  readonly resources: Resources | null
  readonly limits: Limits
}

/** A caller's claim to one more answer; whose it is stays known after a restart. */
async function admitTurn(caller: Caller, limits: Limits, accounts: Accounts): Promise<() => void> {
  await accounts.remember(caller.userId, organisationOf(caller))
  const { release } = await limits.begin(caller)
  return release
}

async function openDoors(all: GatewayParts, { config, resources, limits }: DoorOptions): Promise<Doors> {
  const parts = { ...all, broker: limited(all.broker, limits, 'request') }
  const socketParts = { ...all, broker: limited(all.broker, limits, 'socket') }
  const { host, grpcPort, httpPort } = config
  const addReflection = resources === null ? null : reflectionFrom(resources.proto)
  const grpc = await openGrpcDoor(parts, { host, port: grpcPort, addReflection })
  try {
    const http = await openHttpDoor(parts, { host, port: httpPort, attach: (server) => attachAll(server, socketParts) })
    return { grpc, http }
  } catch (error) {
    await grpc.close()
    throw error
  }
}

function attachAll(server: Server, parts: GatewayParts): () => Promise<void> {
  const ends = [attachSockets(server, parts), attachWebSockets(server, parts, [erpFrames(parts), consultantChat(parts)])]
  return async () => {
    await Promise.all(ends.map((end) => end()))
  }
}

async function stop(doors: Doors, { broker, desk }: { broker: TurnBroker; desk: Desk }, parts: AsyncDisposableStack): Promise<void> {
  // First the turns, so that their last events still reach who listens; then the doors; then what lies below.
  await broker.stop(DRAIN_MS)
  await desk.stop()
  await Promise.all([doors.grpc.close(), doors.http.close()])
  await parts.disposeAsync()
}

async function prices(resources: Resources | null, logger: Logger): Promise<PriceBook> {
  if (resources === null) return { items: [], problems: [] }
  const book = await readPriceBook(resources.pricing)
  for (const problem of book.problems) logger.warn({ problem }, 'prices.problem')
  return book
}

async function learn(knowledge: ReturnType<typeof createSqliteKnowledge>, resources: Resources | null, logger: Logger): Promise<void> {
  if (resources === null || !existsSync(resources.knowledge)) return
  const { problems, ...counts } = await ingest(resources.knowledge, knowledge, new AbortController().signal)
  logger.info(counts, 'knowledge.ingested')
  for (const problem of problems) logger.warn({ problem }, 'knowledge.problem')
}

async function prune(log: TurnLog, clock: Clock): Promise<void> {
  await log.prune(clock.now() - TURN_KEPT_MS)
}
