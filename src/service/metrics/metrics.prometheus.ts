// The metrics kept by prom-client, in the text format of Prometheus.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { boundedNames, isBroken, type Dialect, type DialectMeter, type Metrics, type Snapshot, type Totals } from './metrics.ts'
import { createTallies } from './tallies.prometheus.ts'

export interface PrometheusOptions {
  readonly version: string
  /** Ms, only differences count. */
  readonly monotonic?: () => number
}

const HANDLING = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const ANSWERING = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120]
const COMMITTING = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
/** Of providers and of models, each. */
const MOST_NAMES = 64
const PHASES: Readonly<Record<string, number>> = { closed: 0, 'half-open': 1, open: 2 }

/** Of the process, not of a service in it: its observers can't be taken away again. */
let processRegistry: Registry | null = null

function ofProcess(): Registry {
  if (processRegistry !== null) return processRegistry
  processRegistry = new Registry()
  collectDefaultMetrics({ register: processRegistry, eventLoopMonitoringPrecision: 20 })
  return processRegistry
}

export function createPrometheusMetrics({ version, monotonic = () => performance.now() }: PrometheusOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const { counter, histogram } = createTallies(registry)
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
    new Gauge({ name, help, labelNames: [...labelNames], registers })

  gauge('aside_build_info', 'Always 1; the label says which version runs.', ['version']).set({ version }, 1)
  const connections = gauge('aside_connections', 'Open connections of the sockets, and calls under way of gRPC and REST.', ['dialect'])
  const { of: messages } = counter('aside_messages_total', 'Messages and calls that were read.', ['dialect'])
  const { of: questions, metric: questionsMetric } = counter(
    'aside_questions_total',
    'Questions that ended, by outcome: done, or the code they failed with.',
    ['dialect', 'outcome']
  )
  const { of: errors } = counter('aside_errors_total', 'Errors that clients were told.', ['dialect', 'code'])
  const { of: handling } = histogram('aside_handling_seconds', 'From the question to its being durable.', {
    bounds: HANDLING,
    labelNames: ['dialect']
  })
  const { of: firstText } = histogram('aside_first_text_seconds', 'From the question to the first text of its answer.', {
    bounds: ANSWERING,
    labelNames: ['dialect']
  })
  const { of: total, metric: totalMetric } = histogram('aside_answer_seconds', 'From the question to the end of its answer.', {
    bounds: ANSWERING,
    labelNames: ['dialect']
  })
  const { of: grpcCalls } = counter('aside_grpc_calls_total', 'gRPC calls that ended, by outcome: ok, or the code of the error.', [
    'method',
    'outcome'
  ])
  const { of: attempts } = counter('aside_provider_attempts_total', 'Attempts at an answer.', ['provider', 'model', 'outcome'])
  const { of: providerFirstText } = histogram('aside_provider_first_text_seconds', 'From the attempt to its first text.', {
    bounds: ANSWERING,
    labelNames: ['provider']
  })
  const { of: tokens } = counter('aside_tokens_total', 'Tokens of all attempts.', ['provider', 'model', 'direction'])
  const { of: cost } = counter('aside_cost_micro_usd_total', 'What all attempts cost, in millionths of a dollar.', ['provider', 'model'])
  const { of: unpriced } = counter(
    'aside_unpriced_attempts_total',
    'Attempts at models of which no price is known: they cost, and stand at nothing.',
    ['provider', 'model']
  )
  const { of: failovers } = counter('aside_failovers_total', 'Answers that another model took over.', ['phase'])
  const switching = histogram('aside_failover_switch_seconds', 'From a failure to the first text of who took over.', { bounds: ANSWERING }).of()
  const queueWait = histogram('aside_queue_wait_seconds', 'How long questions waited for a free place.', { bounds: ANSWERING }).of()
  const { of: cacheLooks } = counter('aside_cache_requests_total', 'Looks into the answer cache.', ['result'])
  const commits = counter('aside_store_commits_total', 'Commits of the store.').of()
  const committed = counter('aside_store_writes_total', 'Writes in those commits: turn logs, messages, ledger.').of()
  const committing = histogram('aside_store_commit_seconds', 'How long commits took.', { bounds: COMMITTING }).of()
  const { of: redisFaults } = counter('aside_redis_errors_total', 'Connections to Redis lost or refused, and commands that failed for it.', ['kind'])
  const takenUp = counter('aside_turns_taken_up_total', 'Turns that another process had left behind and this one took up.').of()
  const alerts = gauge('aside_alert_firing', '1 while the alert fires.', ['rule'])
  const liveTurns = gauge('aside_turns_live', 'Turns that are being answered.')
  const queueDepth = gauge('aside_queue_depth', 'Questions that wait for a free place at a provider.')
  const draining = gauge('aside_draining', '1 while the service is stopping.')
  const ready = gauge('aside_provider_ready', '1 while the provider can be asked.', ['provider'])
  const breaker = gauge('aside_breaker_state', '0 closed, 1 half-open, 2 open.', ['provider', 'model'])
  const inFlight = gauge('aside_provider_in_flight', 'Answers of the provider on their way.', ['provider'])

  const providerName = boundedNames(MOST_NAMES)
  const modelName = boundedNames(MOST_NAMES)
  let look: ((signal: AbortSignal) => Promise<Snapshot>) | null = null

  const show = (now: Snapshot): void => {
    liveTurns.set(now.liveTurns)
    queueDepth.set(now.queueDepth)
    draining.set(now.isDraining ? 1 : 0)
    // What is not there any more is not shown as it last was.
    for (const each of [ready, breaker, inFlight]) each.reset()
    for (const provider of now.providers) {
      const name = providerName(provider.id)
      ready.set({ provider: name }, provider.ready ? 1 : 0)
      inFlight.set({ provider: name }, provider.inFlight)
      breaker.set({ provider: name, model: modelName(provider.model ?? provider.id) }, PHASES[provider.breaker] ?? 0)
    }
  }

  const meterOf = (dialect: Dialect): DialectMeter => {
    const open = connections.labels(dialect)
    const read = messages(dialect)
    const [kept, spoke, finished] = [handling(dialect), firstText(dialect), total(dialect)]
    return {
      dialect,
      connected() {
        open.inc()
        let isOpen = true
        return () => {
          if (isOpen) open.dec()
          isOpen = false
        }
      },
      message: () => read.add(),
      question() {
        const startedAt = monotonic()
        const seconds = (): number => (monotonic() - startedAt) / 1_000
        let hasSpoken = false
        return {
          kept: () => kept.observe(seconds()),
          text() {
            if (hasSpoken) return
            hasSpoken = true
            spoke.observe(seconds())
          },
          ended(outcome) {
            questions(dialect, outcome).add()
            finished.observe(seconds())
          }
        }
      },
      refused: (code) => errors(dialect, code).add()
    }
  }

  return {
    at: meterOf,
    grpcCall: (method, outcome) => grpcCalls(method, outcome).add(),
    attempt(figures) {
      const [provider, model] = [providerName(figures.provider), modelName(figures.model)]
      attempts(provider, model, figures.outcome).add()
      if (figures.firstTextMs !== null) providerFirstText(provider).observe(figures.firstTextMs / 1_000)
      tokens(provider, model, 'in').add(figures.inputTokens)
      tokens(provider, model, 'out').add(figures.outputTokens)
      cost(provider, model).add(figures.costMicros)
    },
    failover(midAnswer, switchMs) {
      failovers(midAnswer ? 'mid-answer' : 'before-text').add()
      switching.observe(switchMs / 1_000)
    },
    unpriced: (provider, model) => unpriced(providerName(provider), modelName(model)).add(),
    queueLeft: (waitedMs) => queueWait.observe(waitedMs / 1_000),
    cache: (hit) => cacheLooks(hit ? 'hit' : 'miss').add(),
    commit(jobs, tookMs) {
      commits.add()
      committed.add(jobs)
      committing.observe(tookMs / 1_000)
    },
    redisFault: (kind) => redisFaults(kind).add(),
    takenUp: (turns) => takenUp.add(turns),
    alert: (rule, isFiring) => alerts.set({ rule }, isFiring ? 1 : 0),
    watch: (next) => void (look = next),
    totals: async () => totalsOf(await questionsMetric.get(), await totalMetric.get()),
    async render(signal) {
      if (look !== null) show(await look(signal))
      const merged = Registry.merge([registry, ofProcess()])
      return { contentType: merged.contentType, text: await merged.metrics() }
    }
  }
}

type Values = {
  readonly values: readonly { readonly value: number; readonly labels: Partial<Record<string, string | number>>; readonly metricName?: string }[]
}

function totalsOf(questions: Values, total: Values): Totals {
  let [ended, broken] = [0, 0]
  for (const { value, labels } of questions.values) {
    ended += value
    if (isBroken(String(labels['outcome']))) broken += value
  }
  const buckets = new Map<number, number>()
  for (const { value, labels, metricName } of total.values) {
    if (metricName?.endsWith('_bucket') !== true) continue
    const le = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le'])
    buckets.set(le, (buckets.get(le) ?? 0) + value)
  }
  return { ended, broken, totalSeconds: [...buckets].map(([le, count]) => ({ le, count })).sort((a, b) => a.le - b.le) }
}
