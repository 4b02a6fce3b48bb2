// The service's configuration: the only place in src/service that reads the environment. What is wrong stops the start
// with one line that names it.
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { CopilotError } from '../shared/errors.ts'
import type { AlertTarget } from './alerting.ts'
import { agentSecrets, readAgentConfig, type AgentConfig } from './agentConfig.ts'
import type { IdentityProviderSettings } from './auth/identityProvider.ts'
import { NO_ORGANISATION } from './limits/limits.ts'
import { tierNames, type TierName } from './limits/limitsPolicy.ts'
import { featureNames, type Features } from './liveSettings.ts'
import { logLevels, type LogLevel } from './logging.ts'
import { durationMs, longestDurationMs } from './duration.ts'
import { readPostgresUrl } from './store/postgresUrl.ts'
import { readUpstreams, secretNames, upstreamNames, type UpstreamsConfig } from './upstreamConfig.ts'

export interface ServiceConfig {
  /** Address that both servers bind. */
  readonly host: string
  /** 0 takes a free port. */
  readonly grpcPort: number
  readonly httpPort: number
  /** Folder of everything the service keeps: store, keys. */
  readonly dataDir: string
  /** Folder of the keys: the data folder, or one that several services share. */
  readonly keysDir: string
  /** The PostgreSQL that several services share, with its password; null: everything is kept in the data folder. */
  readonly databaseUrl: string | null
  /** Where the knowledge pack and the price books are; null: look for them beside the program. */
  readonly resourcesDir: string | null
  /** How long a model may take to its first text, and between two pieces of it. */
  readonly upstreamTimeoutMs: number
  readonly connectTimeoutMs: number
  /** How long answers under way may take to end when the service is told to stop. */
  readonly drainMs: number
  /** Days after which conversations are forgotten; 0: never. */
  readonly retentionDays: number
  /** Rates, log level and features that may change while the service runs; null: none are told. */
  readonly settingsFile: string | null
  readonly logLevel: LogLevel
  readonly features: Features
  /** Connections kept to one upstream. */
  readonly poolSize: number
  readonly limits: {
    readonly requestsPerMinute: number
    readonly socketMessagesPerMinute: number
    readonly servicePerMinute: number
    readonly streamsPerUser: number
    readonly cacheTtlMs: number
    /** The tier of callers whose token and organisation name none. */
    readonly defaultTier: TierName
    /** Tiers, organisations and budgets; null: none are told. */
    readonly file: string | null
  }
  readonly openai: { readonly baseUrl: string; readonly apiKey: string | null; readonly model: string | null } | null
  readonly upstreams: UpstreamsConfig
  readonly agent: AgentConfig
  /** Base address of an Ollama; null: don't look for one. */
  readonly ollamaUrl: string | null
  /** The organisation's identity provider; null: only tokens of this service get in. */
  readonly identityProvider: IdentityProviderSettings | null
  /** The folder of documents, `<client>/…` in it, and whose it is. It need not be there. */
  readonly knowledge: { readonly folder: string; readonly organisation: string }
  /** What the processes of the service share; null: this one runs alone. May hold a password. */
  readonly redisUrl: string | null
  /** What this process is called among several of one service; null: it is the only one. */
  readonly node: string | null
  /** Whether passages are also found by meaning: a model on a thread of its own. */
  readonly embeddings: boolean
  /** Whether the built-in knowledge answers where no model can; else only models do, and questions wait for one. */
  readonly localKnowledge: boolean
  /** Secrets of the systems that may send webhooks, by source: `ASIDE_WEBHOOK_SECRET_CRM` is that of `crm`. */
  readonly webhookSecrets: ReadonlyMap<string, string>
  /** Where alerts are told beside the log; null: nowhere. */
  readonly alerts: AlertTarget | null
  /** The per-launch token of the desktop that started this service. */
  readonly launchToken: string | null
  /**
   * Started by `npm run`: npm's shell dies of a signal without passing it on, so the service stops when its parent goes.
   */
  readonly stopsWithParent: boolean
}

export type Environment = Record<string, string | undefined>

const known = [
  'AI_SERVICE_HOST',
  'AI_SERVICE_PORT',
  'AI_SERVICE_TIMEOUT',
  'AI_CONNECTION_POOL_SIZE',
  'AI_CONNECTION_TIMEOUT',
  'AI_RATE_LIMIT_REQUESTS_PER_MINUTE',
  'AI_RATE_LIMIT_STREAMS_PER_USER',
  'AI_RATE_LIMIT_MESSAGES_PER_MINUTE',
  'AI_RATE_LIMIT_SERVICE_PER_MINUTE',
  'AI_DEFAULT_TIER',
  'AI_LIMITS_FILE',
  'AI_AGENT_FILE',
  'AI_CACHE_TTL',
  'AI_DRAIN_TIMEOUT',
  'AI_RETENTION',
  'AI_SETTINGS_FILE',
  'AI_LOG_LEVEL',
  'AI_FEATURES_OFF',
  'AI_EMBEDDINGS'
]
const WEBHOOK_SECRET = 'ASIDE_WEBHOOK_SECRET_'
/** LangGraph's own tracing would send every question and answer to somebody else's server: it is never on, whatever the shell says. */
const TRACING = /^LANG(?:SMITH|CHAIN)_(?:TRACING|CALLBACKS)/

/** Reads and checks the whole environment. Throws `invalid_request` with one line naming the first bad value. */
export function readConfig(environment: Environment, platform: NodeJS.Platform = process.platform): ServiceConfig {
  const read = reader(environment)
  for (const name of Object.keys(environment)) {
    if (name.startsWith('AI_') && !known.includes(name) && !upstreamNames.includes(name))
      throw bad(name, `is not a setting of this service. Known: ${[...known, ...upstreamNames].join(', ')}`)
  }
  const openaiUrl = read.url('OPENAI_BASE_URL', ['http:', 'https:'])
  const openaiKey = read.text('OPENAI_API_KEY')
  const findOllama = read.flag('ASIDE_FIND_OLLAMA', true)
  // It inherits the environment of a person's shell: a REDIS_URL or DATABASE_URL there belongs to something else.
  const isDesktops = read.text('ASIDE_LAUNCH_TOKEN') !== null
  return {
    host: read.text('AI_SERVICE_HOST') ?? '127.0.0.1',
    grpcPort: read.integer('AI_SERVICE_PORT', 50051, 0, 65_535),
    httpPort: read.integer('PORT', 8080, 0, 65_535),
    dataDir: serviceDataDir(environment, platform),
    keysDir: serviceKeysDir(environment, platform),
    databaseUrl: isDesktops ? null : databaseUrl(environment),
    resourcesDir: read.folder('ASIDE_RESOURCES_DIR'),
    upstreamTimeoutMs: read.duration('AI_SERVICE_TIMEOUT', 30_000),
    connectTimeoutMs: read.duration('AI_CONNECTION_TIMEOUT', 5_000),
    // The desktop waits for its service when it closes; an orchestrator of containers gives half a minute.
    drainMs: read.duration('AI_DRAIN_TIMEOUT', isDesktops ? 2_000 : 10_000),
    retentionDays: read.integer('AI_RETENTION', 0, 0, 36_500),
    settingsFile: read.folder('AI_SETTINGS_FILE'),
    logLevel: logLevelOf(read.text('AI_LOG_LEVEL')),
    features: featuresOf(read.text('AI_FEATURES_OFF')),
    poolSize: read.integer('AI_CONNECTION_POOL_SIZE', 10, 1, 1_000),
    limits: {
      requestsPerMinute: read.integer('AI_RATE_LIMIT_REQUESTS_PER_MINUTE', 60, 1, 1_000_000),
      socketMessagesPerMinute: read.integer('AI_RATE_LIMIT_MESSAGES_PER_MINUTE', 100, 1, 1_000_000),
      servicePerMinute: read.integer('AI_RATE_LIMIT_SERVICE_PER_MINUTE', 1_000, 1, 100_000_000),
      defaultTier: read.oneOf('AI_DEFAULT_TIER', tierNames, 'ENTERPRISE'),
      file: read.folder('AI_LIMITS_FILE'),
      streamsPerUser: read.integer('AI_RATE_LIMIT_STREAMS_PER_USER', 5, 1, 10_000),
      cacheTtlMs: read.duration('AI_CACHE_TTL', 300_000)
    },
    openai:
      openaiUrl === null && openaiKey === null
        ? null
        : { baseUrl: openaiUrl ?? 'https://api.openai.com/v1', apiKey: openaiKey, model: read.text('OPENAI_MODEL') },
    upstreams: readUpstreams({ ...read, bad }, read.duration('AI_SERVICE_TIMEOUT', 30_000)),
    agent: readAgentConfig({ ...read, bad }),
    ollamaUrl: findOllama ? ollamaAddress(read.text('OLLAMA_HOST')) : null,
    identityProvider: identityProviderOf(read),
    knowledge: {
      folder: read.folder('ASIDE_KNOWLEDGE_DIR') ?? join(dirname(serviceDataDir(environment, platform)), 'knowledge'),
      organisation: read.text('ASIDE_KNOWLEDGE_ORGANISATION') ?? NO_ORGANISATION
    },
    redisUrl: isDesktops ? null : redisUrlOf(read),
    node: nodeOf(read.text('ASIDE_NODE')),
    embeddings: read.oneOf('AI_EMBEDDINGS', ['ON', 'OFF'], 'OFF') === 'ON',
    localKnowledge: read.flag('ASIDE_LOCAL_KNOWLEDGE', true),
    webhookSecrets: webhookSecrets(environment),
    alerts: alertTarget(read),
    launchToken: read.text('ASIDE_LAUNCH_TOKEN'),
    stopsWithParent: read.text('npm_lifecycle_event') !== null
  }
}

/** Reads the process's own environment (or another, for tests) and takes the secrets out of it, so that no child process inherits them. */
export function takeProcessConfig(environment: Environment = process.env): ServiceConfig {
  const config = readConfig(environment)
  delete environment['ASIDE_LAUNCH_TOKEN']
  for (const name of [...secretNames, ...agentSecrets, 'ASIDE_ALERT_SECRET', 'DATABASE_URL', 'REDIS_URL']) delete environment[name]
  for (const name of Object.keys(environment)) if (name.startsWith(WEBHOOK_SECRET) || TRACING.test(name)) delete environment[name]
  return config
}

export interface ProcessPlaces {
  readonly dataDir: string
  readonly keysDir: string
  readonly databaseUrl: string | null
}

/** Where the service keeps what, for programs that need nothing else of the configuration. */
export function processPlaces(): ProcessPlaces {
  const { env, platform } = process
  return { dataDir: serviceDataDir(env, platform), keysDir: serviceKeysDir(env, platform), databaseUrl: databaseUrl(env) }
}

function serviceKeysDir(environment: Environment, platform: NodeJS.Platform): string {
  return reader(environment).folder('ASIDE_KEYS_DIR') ?? serviceDataDir(environment, platform)
}

function databaseUrl(environment: Environment): string | null {
  const url = reader(environment).text('DATABASE_URL')
  // A wrong one stops the start here, before anything is opened.
  if (url !== null) readPostgresUrl(url)
  return url
}

function serviceDataDir(environment: Environment, platform: NodeJS.Platform): string {
  const chosen = reader(environment).folder('ASIDE_DATA_DIR')
  return join(chosen ?? join(userDataRoot(environment, platform), 'aside'), 'service')
}

function userDataRoot(environment: Environment, platform: NodeJS.Platform): string {
  const home = homedir()
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  if (platform === 'win32') return environment['APPDATA'] ?? join(home, 'AppData', 'Roaming')
  const data = environment['XDG_DATA_HOME']
  return data !== undefined && isAbsolute(data) ? data : join(home, '.local', 'share')
}

function identityProviderOf(read: ReturnType<typeof reader>): IdentityProviderSettings | null {
  const names = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_JWKS_URL'] as const
  const jwksUrl = read.url('AUTH_JWKS_URL', ['https:', 'http:'])
  const missing = names.filter((name) => read.text(name) === null)
  if (missing.length === names.length) return null
  if (missing[0] !== undefined || jwksUrl === null)
    throw bad(missing[0] ?? 'AUTH_JWKS_URL', 'is missing: AUTH_ISSUER, AUTH_AUDIENCE and AUTH_JWKS_URL go together')
  const { protocol, hostname } = new URL(jwksUrl)
  // Whoever can change the keys on their way can sign in as anybody.
  if (protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) throw bad('AUTH_JWKS_URL', 'must begin with https://')
  return {
    issuer: read.text('AUTH_ISSUER') ?? '',
    audience: read.text('AUTH_AUDIENCE') ?? '',
    jwksUrl,
    rolesClaim: read.text('AUTH_ROLES_CLAIM') ?? 'roles',
    organisation: read.text('AUTH_ORGANISATION')
  }
}

/** REDIS_URL, else what REDIS_HOST and REDIS_PORT say. */
function redisUrlOf(read: ReturnType<typeof reader>): string | null {
  const url = read.url('REDIS_URL', ['redis:', 'rediss:', 'unix:'])
  const [host, port] = [read.text('REDIS_HOST'), read.integer('REDIS_PORT', 6_379, 1, 65_535)]
  if (url !== null) return url
  if (host === null) {
    if (read.text('REDIS_PORT') !== null) throw bad('REDIS_HOST', 'is missing: it goes together with REDIS_PORT')
    return null
  }
  const built = URL.parse(`redis://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`)
  if (built === null || built.hostname === '' || built.pathname !== '') throw bad('REDIS_HOST', 'is not a host such as redis.internal or 10.0.0.5')
  return built.toString()
}

function nodeOf(name: string | null): string | null {
  if (name !== null && !/^[a-z0-9-]{1,32}$/.test(name))
    throw bad('ASIDE_NODE', 'must have 1 to 32 small letters, digits or hyphens, such as a or node-2')
  return name
}

function logLevelOf(name: string | null): LogLevel {
  if (name === null) return 'info'
  const level = logLevels.find((known) => known === name.toLowerCase())
  if (level === undefined) throw bad('AI_LOG_LEVEL', `is "${name}" but must be one of ${logLevels.join(', ')}`)
  return level
}

function featuresOf(off: string | null): Features {
  const names = (off ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))
  const unknown = names.find((name) => !featureNames.some((known) => known === name))
  if (unknown !== undefined) throw bad('AI_FEATURES_OFF', `names "${unknown}" but knows only ${featureNames.join(', ')}`)
  return { questions: !names.includes('questions'), 'answer-cache': !names.includes('answer-cache') }
}

function alertTarget(read: ReturnType<typeof reader>): AlertTarget | null {
  const url = read.url('ASIDE_ALERT_URL', ['https:', 'http:'])
  const secret = read.text('ASIDE_ALERT_SECRET')
  if (url === null && secret === null) return null
  if (url === null) throw bad('ASIDE_ALERT_URL', 'is missing: it goes together with ASIDE_ALERT_SECRET')
  if (secret === null || secret.length < 16) throw bad('ASIDE_ALERT_SECRET', 'must have at least 16 characters: alerts are signed with it')
  return { url, secret }
}

function webhookSecrets(environment: Environment): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>()
  for (const [name, value = ''] of Object.entries(environment)) {
    if (!name.startsWith(WEBHOOK_SECRET)) continue
    const source = name.slice(WEBHOOK_SECRET.length).toLowerCase().replaceAll('_', '-')
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(source)) throw bad(name, 'must end in the name of a source, such as ASIDE_WEBHOOK_SECRET_CRM')
    if (value.trim().length < 16) throw bad(name, 'must have at least 16 characters')
    secrets.set(source, value.trim())
  }
  return secrets
}

function ollamaAddress(host: string | null): string {
  if (host === null) return 'http://127.0.0.1:11434'
  const url = URL.parse(host.includes('://') ? host : `http://${host}`)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw bad('OLLAMA_HOST', `"${host}" is not a host such as 127.0.0.1:11434`)
  // Ollama's own setting says where it listens; "everywhere" is reached over loopback.
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.port === '' && !host.includes('://')) url.port = '11434'
  return url.toString().replace(/\/+$/, '')
}

function bad(name: string, problem: string): CopilotError {
  return new CopilotError('invalid_request', `Configuration: ${name} ${problem}.`)
}

function reader(environment: Environment) {
  const text = (name: string): string | null => {
    const value = environment[name]?.trim()
    return value === undefined || value === '' ? null : value
  }
  return {
    text,
    integer(name: string, fallback: number, least: number, most: number): number {
      const value = text(name)
      if (value === null) return fallback
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
      if (!(number >= least && number <= most)) throw bad(name, `is "${value}" but must be a whole number from ${least} to ${most}`)
      return number
    },
    duration(name: string, fallbackMs: number): number {
      const value = text(name)
      if (value === null) return fallbackMs
      const ms = durationMs(value)
      if (ms === null || ms < 1 || ms > longestDurationMs) throw bad(name, `is "${value}" but must be a duration such as 30s, 5m or 300 (seconds)`)
      return ms
    },
    flag(name: string, fallback: boolean): boolean {
      const value = text(name)
      if (value === null) return fallback
      if (!/^(0|1|true|false)$/.test(value)) throw bad(name, `is "${value}" but must be 0 or 1`)
      return value === '1' || value === 'true'
    },
    oneOf<T extends string>(name: string, known: readonly T[], fallback: T): T {
      const value = text(name)?.toUpperCase()
      if (value === undefined) return fallback
      const found = known.find((one) => one === value)
      if (found === undefined) throw bad(name, `is "${value}" but must be one of ${known.join(', ')}`)
      return found
    },
    folder(name: string): string | null {
      const value = text(name)
      return value === null ? null : resolve(value)
    },
    url(name: string, protocols?: readonly string[]): string | null {
      const value = text(name)
      if (value === null) return null
      const url = URL.parse(value)
      if (url === null || (protocols !== undefined && !protocols.includes(url.protocol))) throw bad(name, 'is not a valid address')
      return value.replace(/\/+$/, '')
    }
  }
}
