// What can be changed while the service runs: limits and budgets, rates, the log's level, features. Read again on SIGHUP and when a
// file changes; what is wrong changes nothing and is told.
import { readFile } from 'node:fs/promises'
import { unwatchFile, watchFile } from 'node:fs'
import { z } from 'zod'
import { CopilotError, toCopilotError } from '../shared/errors.ts'
import type { LimitRates } from './limits/limits.ts'
import { readLimitsFile } from './limits/limitsFile.ts'
import { limitsPolicy, type LimitsPolicy, type TierName } from './limits/limitsPolicy.ts'
import { logLevels, type LogLevel, type Logger } from './logging.ts'

/** Switches of behaviour, all on unless somebody turns them off. */
export const featureNames = ['questions', 'answer-cache'] as const
export type FeatureName = (typeof featureNames)[number]
export type Features = Readonly<Record<FeatureName, boolean>>

const perMinute = z.number().int().min(1).max(100_000_000)
const settingsFileSchema = z.strictObject({
  logLevel: z.enum(logLevels).optional(),
  rates: z
    .strictObject({
      requestsPerMinute: perMinute,
      socketMessagesPerMinute: perMinute,
      servicePerMinute: perMinute,
      streamsPerUser: z.number().int().min(1).max(10_000)
    })
    .partial()
    .default({}),
  features: z.partialRecord(z.enum(featureNames), z.boolean()).default({})
})

export interface LiveOptions {
  /** The operator's files; null: none. */
  readonly settingsFile: string | null
  readonly limitsFile: string | null
  /** What holds where the files say nothing. */
  readonly defaults: { readonly tier: TierName; readonly rates: LimitRates; readonly logLevel: LogLevel; readonly features: Features }
  readonly logger: Logger
  /** Called at the start and whenever it may have changed. */
  readonly onLogLevel: (level: LogLevel) => void
}

export interface LiveSettings {
  /** These two can be handed on: they always say what is so now. */
  readonly policy: LimitsPolicy
  readonly rates: LimitRates
  readonly features: Features
  /** Reads the files again. False: something is wrong with them, and what was so before still is. */
  reload(): Promise<boolean>
  stop(): void
}

interface Current {
  readonly policy: LimitsPolicy
  readonly rates: LimitRates
  readonly features: Features
  readonly logLevel: LogLevel
}

const WATCH_MS = 2_000

/** The caller stops it. Throws `invalid_request` with one line when a file is wrong at the start. */
export async function openLiveSettings({ settingsFile, limitsFile, defaults, logger, onLogLevel }: LiveOptions): Promise<LiveSettings> {
  const read = async (): Promise<Current> => {
    const [{ logLevel, rates, features }, limits] = await Promise.all([readSettingsFile(settingsFile), readLimitsFile(limitsFile)])
    return {
      policy: limitsPolicy(limits, defaults.tier),
      rates: { ...defaults.rates, ...defined(rates) },
      features: { ...defaults.features, ...defined(features) },
      logLevel: logLevel ?? defaults.logLevel
    }
  }
  let current = await read()
  onLogLevel(current.logLevel)

  let reading: Promise<boolean> = Promise.resolve(true)
  const readAgain = async (): Promise<boolean> => {
    try {
      current = await read()
      onLogLevel(current.logLevel)
      logger.info({ logLevel: current.logLevel, ...current.rates, features: current.features }, 'settings.read')
      return true
    } catch (error) {
      logger.error({ problem: toCopilotError(error).message, kept: true }, 'settings.refused')
      return false
    }
  }
  const reload = (): Promise<boolean> => (reading = reading.then(readAgain))
  const files = [settingsFile, limitsFile].filter((file) => file !== null)
  const onChange = (): void => void reload()
  // By polling: it also sees files that are replaced by a rename, or mounted anew, as those of containers are.
  for (const file of files) watchFile(file, { interval: WATCH_MS, persistent: false }, onChange)

  return {
    policy: { tierOf: (...args) => current.policy.tierOf(...args), capsOf: (payer) => current.policy.capsOf(payer) },
    rates: {
      get requestsPerMinute() {
        return current.rates.requestsPerMinute
      },
      get socketMessagesPerMinute() {
        return current.rates.socketMessagesPerMinute
      },
      get servicePerMinute() {
        return current.rates.servicePerMinute
      },
      get streamsPerUser() {
        return current.rates.streamsPerUser
      }
    },
    get features() {
      return current.features
    },
    reload,
    stop() {
      for (const file of files) unwatchFile(file, onChange)
    }
  }
}

async function readSettingsFile(path: string | null): Promise<z.infer<typeof settingsFileSchema>> {
  if (path === null) return settingsFileSchema.parse({})
  try {
    return settingsFileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new CopilotError('invalid_request', `Configuration: AI_SETTINGS_FILE ${path} ${problemOf(error)}.`, { cause: error })
  }
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    return `is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'not a settings file'}`
  }
  return error instanceof SyntaxError ? 'is not JSON' : 'can’t be read'
}

function defined<T extends object>(part: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
