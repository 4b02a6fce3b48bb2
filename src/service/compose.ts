// The composition root of the AI service: puts the rooms together, starts them bottom up and stops them top down.
import { CopilotError } from '../shared/errors.ts'
import { systemClock, type Clock, type NewId } from '../shared/kit/clock.ts'
import { startAlerting, watchBudgets } from './alerting.ts'
import { composeAgent } from './agent/compose.ts'
import { createClientKeys } from './auth/clientKeys.ts'
import { createIdentityProvider } from './auth/identityProvider.ts'
import { signingKeys } from './auth/keys.ts'
import { createVerifier } from './auth/verifier.ts'
import type { Caller } from './auth/caller.ts'
import { composeCluster } from './cluster/compose.ts'
import type { ServiceConfig } from './config.ts'
import { createBudgets } from './cost/budget.ts'
import { readModelPrices } from './cost/modelPrices.ts'
import { readPriceBook, type PriceBook } from './cost/priceBook.ts'
import { defaultBounds, type Bounds } from './gateway/bounds.ts'
import { closeDoors, openDoors } from './gateway/compose.ts'
import type { GatewayParts } from './gateway/gateway.ts'
import { createDismissals } from './gateway/dismissals.ts'
import { createPlaces } from './gateway/places.ts'
import { limited } from './gateway/limited.ts'
import { measured } from './gateway/measured.ts'
import { createIds } from './ids.ts'
import { sharedSealer } from './keys/sharedSealer.ts'
import { learnPack, meaningOf, openLibrary } from './knowledge/compose.ts'
import { personalDocuments } from './knowledge/personal.ts'
import { openLiveSettings, type LiveSettings } from './liveSettings.ts'
import { errorFields, type Logger, type LogLevel } from './logging.ts'
import type { Accounts } from './limits/accounts.ts'
import { createLimits, organisationOf, type Limits } from './limits/limits.ts'
import { createOverrides } from './limits/overrides.ts'
import { createPrometheusMetrics } from './metrics/metrics.prometheus.ts'
import type { Metrics, Snapshot } from './metrics/metrics.ts'
import { cached } from './orchestrator/cached.ts'
import { createOrchestrator, type Orchestrator } from './orchestrator/orchestrator.ts'
import { countSignal, logSignal, type OnSignal } from './orchestrator/signals.ts'
import { createTariff } from './orchestrator/tariff.ts'
import { createProviders } from './providers/compose.ts'
import type { Provider } from './providers/provider.ts'
import { createPerson, personalDecisions } from './person/person.ts'
import { createRetention } from './person/retention.ts'
import { createReadiness } from './readiness.ts'
import { findResources, type Resources } from './resources.ts'
import { createDesk } from './sessions/desk.ts'
import { startSharing } from './sharing.ts'
import { createBond } from './store/bond.ts'
import { openEmbeddedStores } from './stores/embedded.sqlite.ts'
import { openSharedStores } from './stores/shared.postgres.ts'
import type { Stores } from './stores/stores.ts'
import { createBroker, type BrokerOptions } from './turns/broker.ts'
import { composeTurns } from './turns/compose.ts'
import { TURN_KEPT_MS, type TurnLog } from './turns/turnLog.ts'
import { openRedis, type RedisOptions } from './store/redis.ts'
import { version } from './version.ts'

export interface RunningService {
  /** `host:port`. */
  readonly grpc: string
  readonly http: string
  /** Reads again what may change while it runs; false: it is wrong, and nothing has changed. */
  reload(): Promise<boolean>
  /** Drains what is being answered, closes the doors, then the store. Twice is once. */
  stop(): Promise<void>
}

export interface ComposeOptions {
  readonly config: ServiceConfig
  readonly logger: Logger
  readonly clock?: Clock
  readonly newId?: NewId
  /** Turns the level of the log. */
  readonly onLogLevel?: (level: LogLevel) => void
  /** Providers instead of those of the configuration, for tests. */
  readonly providers?: readonly Provider[]
  /** Other bounds of connections than the usual ones, for tests. */
  readonly bounds?: Partial<Bounds>
}

const PRUNE_EVERY_MS = 3_600_000
const RETENTION_EVERY_MS = 24 * PRUNE_EVERY_MS

/** Throws `CopilotError` with one sentence when it can't start; nothing is left running then. */
export async function startService(options: ComposeOptions): Promise<RunningService> {
  const { config, logger, clock = systemClock, newId = createIds() } = options
  await using started = new AsyncDisposableStack()

  const metrics = createPrometheusMetrics({ version })
  const stores = await openStores(config, { clock, newId, logger, onCommit: metrics.commit })
  started.defer(() => stores.stop())
  if (stores.incident !== null) logger.error({ incident: stores.incident }, 'store.incident')
  const redis = config.redisUrl === null ? null : await openRedis({ url: config.redisUrl, onError: redisFault(logger, metrics) })
  started.defer(async () => await redis?.stop())

  const resources = findResources(config.resourcesDir, import.meta.dirname)
  if (resources === null) logger.warn({}, 'resources.missing')
  const keys = await signingKeys(config.keysDir)
  const audit = await stores.openAudit(keys, (error) => logger.error(errorFields(error), 'audit.head'))
  started.defer(() => audit.stop())
  if (audit.incident !== null) logger.error({ incident: audit.incident }, 'audit.incident')
  const clientKeys = createClientKeys({ dataDir: config.keysDir, clock })
  const verifier = createVerifier({
    keys,
    launchToken: config.launchToken,
    identityProvider: config.identityProvider === null ? null : createIdentityProvider(config.identityProvider, { clock }),
    clientKeys,
    clock
  })
  const { knowledge, ledger, accounts } = stores
  const priceBook = await prices(resources, logger)
  const modelPrices = resources === null ? null : await readModelPrices(resources.pricing)
  if (modelPrices === null) logger.warn({}, 'prices.models.missing')
  const providers = options.providers ?? (await createProviders({ config, prices: modelPrices, audit, clock, logger }, started))
  const live = await openLiveSettings({
    settingsFile: config.settingsFile,
    limitsFile: config.limits.file,
    defaults: { tier: config.limits.defaultTier, rates: config.limits, logLevel: config.logLevel, features: config.features },
    logger,
    onLogLevel: options.onLogLevel ?? (() => undefined)
  })
  started.defer(() => live.stop())
  const { policy } = live
  const cluster = await composeCluster({ redis, keys, cacheTtlMs: config.limits.cacheTtlMs, clock, newId, logger }, started)
  const overrides = await createOverrides({
    store: stores.overrides,
    audit,
    clock,
    roles: ['admin'],
    onChanged: () => cluster.fanout.publish('overrides', '')
  })
  const refreshOverrides = (): void => void overrides.refresh().catch((error: unknown) => logger.error(errorFields(error), 'overrides.refresh'))
  started.defer(cluster.fanout.subscribe('overrides', { heard: refreshOverrides, missed: refreshOverrides }))
  const limits = createLimits({
    store: cluster.limitStore,
    answering: cluster.answering,
    policy,
    clock,
    rates: live.rates,
    isLifted: overrides.isLifted,
    turnsSince: ledger.turnsSince
  })
  const lost = await ledger.recover(clock.now())
  if (lost > 0) logger.warn({ attempts: lost }, 'ledger.recovered')
  const onSignal: OnSignal = (signal) => {
    countSignal(metrics, signal)
    logSignal(logger, signal)
  }
  const budgets = watchBudgets(createBudgets({ ledger, capsOf: policy.capsOf, isLifted: overrides.isLifted, clock }), clock)
  const answering = createOrchestrator({
    providers,
    clock,
    newId,
    random: Math.random,
    ledger,
    budgets,
    tariff: createTariff(modelPrices),
    settings: { placesPerProvider: config.poolSize },
    onUsed: limits.used,
    onSignal
  })
  const { answerCache } = cluster
  const remembering = cached(answering, { cache: answerCache, clock, onSignal })
  const orchestrator: Orchestrator = {
    answer: (request, asked) => (live.features['answer-cache'] ? remembering : answering).answer(request, asked),
    status: (signal) => answering.status(signal),
    get queueDepth() {
      return answering.queueDepth
    },
    stop: () => answering.stop()
  }
  started.defer(() => orchestrator.stop())
  const composed = await composeAgent(
    {
      stores,
      config: config.agent,
      awsKey: config.upstreams.keys.aws,
      knowledge,
      priceBook,
      orchestrator,
      audit,
      organisationOf: accounts.organisationOf,
      redis,
      clock,
      newId,
      logger
    },
    started
  )
  const answeringTurns: Omit<BrokerOptions, 'log'> = {
    agent: composed.agent,
    clock,
    newId,
    logger,
    admit: (caller) => admitTurn(caller, { limits, accounts, live })
  }
  const { log, broker, personal } =
    redis === null
      ? {
          log: stores.turnLog,
          broker: createBroker({ ...answeringTurns, log: stores.turnLog, ...(stores.isShared ? {} : { bonds: createBond }) }),
          personal: []
        }
      : await composeTurns({ ...answeringTurns, redis, sealer: await sharedSealer(keys, 'turns'), onTakenUp: metrics.takenUp }, started)

  await learnPack(knowledge, resources, logger)
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
  const look = async (signal: AbortSignal): Promise<Snapshot> => ({ ...(await status(signal)), isDraining: readiness.isDraining })
  metrics.watch(look)
  const readiness = createReadiness({
    checks: {
      store: stores.probe,
      ...(redis === null ? {} : { redis: async () => void (await redis.run((client) => client.ping())) }),
      providers: async (signal) => {
        if (!(await isReady(signal))) throw new CopilotError('unavailable', 'No provider is ready.')
      }
    },
    clock,
    onFailed: (check, error) => logger.warn({ check, ...errorFields(error) }, 'readiness.failed')
  })
  const isReady = async (signal: AbortSignal): Promise<boolean> => (await orchestrator.status(signal)).some(({ ready }) => ready)
  const desk = createDesk({
    sessions: stores.sessions,
    broker: measured(limited(broker, limits, 'socket'), metrics.at('desk'), logger),
    fanout: cluster.fanout,
    isReady,
    clock,
    newId,
    random: Math.random,
    logger
  })
  const waiting = await desk.resume()
  if (waiting > 0) logger.info({ waiting }, 'desk.resumed')
  if (stores.isShared) started.defer(startSharing({ overrides, desk, ledger, clock, logger }))
  const { decisionsElsewhere: elsewhere } = composed
  const dismissals = createDismissals({ fanout: cluster.fanout, newId })
  started.defer(dismissals.stop)
  started.defer(
    clientKeys.watch({
      revoked(userId) {
        dismissals.dismiss(userId, 'key revoked')
        // Each key is a caller of its own: nobody can come back for what is being answered.
        broker.endAllOf(userId).catch((error: unknown) => logger.error(errorFields(error), 'client_keys.turns'))
      },
      fault: (error) => logger.error(errorFields(error), 'client_keys.fault')
    })
  )
  const shelves = await openLibrary({ config, documents: stores.documents, meaning: stores.meaning, audit, clock, newId, logger }, started)
  const person = createPerson({
    stores: [
      personalDocuments(shelves.library),
      ...stores.personal,
      ...personal,
      {
        // Copies of answers that are among the turns, for minutes.
        name: 'answers',
        read: async () => [],
        erase: (userId) => answerCache.drop(userId).then(() => 0)
      },
      ...(elsewhere === null ? [] : [personalDecisions(elsewhere)]),
      // What was done stays on record, by ids and counts only.
      { name: 'audit', read: audit.entriesOf, erase: () => Promise.resolve(0) }
    ],
    audit,
    async stopTurns(userId) {
      dismissals.dismiss(userId, 'erased')
      const asked = { userId, role: 'user', expiresAt: null }
      for (const message of await desk.sessions.pending(userId)) await desk.remove(asked, message)
      await broker.endAllOf(userId)
      accounts.forget(userId)
    },
    compact: stores.compact
  })
  const retention = createRetention({
    store: stores.forgetting,
    audit,
    clock,
    days: config.retentionDays,
    ...(elsewhere === null ? {} : { elsewhere: { decisions: elsewhere.forget } })
  })
  await retention.prune()
  const forgetting = setInterval(() => {
    retention.prune().catch((error: unknown) => logger.error(errorFields(error), 'retention.prune'))
  }, RETENTION_EVERY_MS)
  started.defer(() => clearInterval(forgetting))
  const bounds = { ...defaultBounds, ...options.bounds }
  const gateway: GatewayParts = {
    broker,
    verifier,
    status,
    clock,
    newId,
    logger,
    version,
    metrics,
    meter: metrics.at('rest'),
    readiness,
    person,
    audit,
    bounds,
    places: createPlaces(bounds),
    dismissals,
    socketAdapter: cluster.socketAdapter,
    node: config.node,
    desk,
    events: composed.events,
    inputDesk: composed.desk,
    webhookSecrets: config.webhookSecrets,
    overrides,
    knowledge: shelves
  }
  await audit.record({ actor: 'service', action: 'service.started', subject: version })
  started.defer(() => audit.record({ actor: 'service', action: 'service.stopped', subject: version }))
  started.defer(startAlerting({ target: config.alerts, dataDir: config.dataDir, metrics, audit, tight: budgets, look, clock, newId, logger }))
  const doors = await openDoors(gateway, { config, resources, limits })
  composed.start()
  const parts = started.move()
  let stopping: Promise<void> | null = null
  return {
    grpc: doors.grpc.address,
    http: doors.http.address,
    reload: live.reload,
    stop: () => (stopping ??= closeDoors(doors, { broker, desk, readiness, drainMs: config.drainMs, logger }).then(() => parts.disposeAsync()))
  }
}

type StoreNeeds = Required<Pick<ComposeOptions, 'clock' | 'newId' | 'logger'>> & { readonly onCommit: (writes: number, tookMs: number) => void }

async function openStores(config: ServiceConfig, { logger, ...needs }: StoreNeeds): Promise<Stores> {
  const { dataDir, databaseUrl: url } = config
  const options = { dataDir, ...needs, openMeaning: meaningOf({ config, logger }) }
  if (url === null) return await openEmbeddedStores(options)
  return await openSharedStores({ ...options, url, onFault: (error) => logger.warn(errorFields(error), 'database.fault') })
}

/** A caller's claim to one more answer; whose it is stays known after a restart. */
async function admitTurn(
  caller: Caller,
  { limits, accounts, live }: { limits: Limits; accounts: Accounts; live: LiveSettings }
): Promise<() => void> {
  if (!live.features.questions) {
    throw new CopilotError('unavailable', 'The service takes no new questions for a while. What was asked is kept; try again later.', {
      retryAfterMs: 60_000
    })
  }
  await accounts.remember(caller.userId, organisationOf(caller))
  const { release } = await limits.begin(caller)
  return release
}

async function prices(resources: Resources | null, logger: Logger): Promise<PriceBook> {
  if (resources === null) return { items: [], problems: [] }
  const book = await readPriceBook(resources.pricing)
  for (const problem of book.problems) logger.warn({ problem }, 'prices.problem')
  return book
}

function redisFault(logger: Logger, metrics: Metrics): NonNullable<RedisOptions['onError']> {
  return (error, kind) => {
    metrics.redisFault(kind)
    logger[kind === 'connection' ? 'warn' : 'debug'](errorFields(error), `redis.${kind}`)
  }
}

async function prune(log: TurnLog, clock: Clock): Promise<void> {
  await log.prune(clock.now() - TURN_KEPT_MS)
}
