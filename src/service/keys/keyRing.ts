// The providers' keys while the service runs: taken at each call, so that one that was set a moment ago is used by the next
// question, and each use counted for the audit. Keys of the environment stand in where none was set.
import { stat } from 'node:fs/promises'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import { errorFields, type Logger } from '../logging.ts'
import { faultCode } from '../store/faults.ts'
import type { KeyFile, KeyName } from './keyFile.ts'

export interface KeyRing {
  has(name: KeyName): boolean
  /** The key, its use counted for this organisation; null: there is none. */
  take(name: KeyName, organisation: string | null): string | null
  /** Reads the file again when it has changed. It is looked at by itself too. */
  refresh(): Promise<void>
  /** Writes what is counted, then looks no more. */
  stop(): Promise<void>
}

export interface KeyRingOptions {
  readonly file: KeyFile
  /** From the environment. */
  readonly fallback: Readonly<Partial<Record<KeyName, string>>>
  readonly audit: Audit
  readonly clock: Clock
  readonly logger: Logger
  readonly lookEveryMs?: number
  readonly accountEveryMs?: number
}

interface Uses {
  readonly keyId: string
  readonly organisation: string | null
  readonly firstAt: number
  lastAt: number
  count: number
}

const LOOK_EVERY_MS = 1_000
const ACCOUNT_EVERY_MS = 60_000

/** The caller stops it. Throws `CopilotError` when the file of keys can't be read at the start; later that is logged, and the keys stay. */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { file, fallback, audit, clock, logger, lookEveryMs = LOOK_EVERY_MS, accountEveryMs = ACCOUNT_EVERY_MS } = options
  let keys: Awaited<ReturnType<KeyFile['openAll']>> = new Map()
  let seen = ''
  let uses = new Map<string, Uses>()

  const stamp = async (): Promise<string> => {
    try {
      const { mtimeMs, size, ino } = await stat(file.path)
      return `${mtimeMs} ${size} ${ino}`
    } catch (error) {
      if (faultCode(error) === 'ENOENT') return 'none'
      throw error
    }
  }

  const load = async (): Promise<void> => {
    const now = await stamp()
    if (now === seen) return
    const isFirst = seen === ''
    seen = now
    const before = keys
    keys = await file.openAll()
    if (isFirst) return
    const changed = [...new Set([...before.keys(), ...keys.keys()])].filter((name) => before.get(name)?.id !== keys.get(name)?.id)
    for (const name of changed) {
      const id = keys.get(name)?.id
      logger.info({ provider: name, keyId: id ?? null }, 'keys.changed')
      await audit.record({
        actor: 'service',
        action: id === undefined ? 'provider-key.removed' : 'provider-key.set',
        subject: id ?? before.get(name)?.id ?? name,
        details: { provider: name }
      })
    }
  }

  const account = async (): Promise<void> => {
    const counted = uses
    uses = new Map()
    for (const { keyId, organisation, count, firstAt, lastAt } of counted.values()) {
      await audit.record({
        actor: 'service',
        action: 'provider-key.used',
        subject: keyId,
        details: { count, firstAt, lastAt, ...(organisation === null ? {} : { organisation }) }
      })
    }
  }

  const say = (event: string) => (error: unknown) => logger.error(errorFields(error), event)
  let looking: Promise<void> | null = null
  const look = (): Promise<void> => (looking ??= load().finally(() => (looking = null)))
  await look()
  const timers = [
    setInterval(() => void look().catch(say('keys.unreadable')), lookEveryMs).unref(),
    setInterval(() => void account().catch(say('keys.account')), accountEveryMs).unref()
  ]

  return {
    has: (name) => keys.has(name) || fallback[name] !== undefined,
    take(name, organisation) {
      const stored = keys.get(name)
      const secret = stored?.secret ?? fallback[name]
      if (secret === undefined) return null
      const keyId = stored?.id ?? `${name}-environment`
      const now = clock.now()
      const entry = `${keyId}\n${organisation ?? ''}`
      const known = uses.get(entry)
      if (known === undefined) uses.set(entry, { keyId, organisation, firstAt: now, lastAt: now, count: 1 })
      else {
        known.count += 1
        known.lastAt = now
      }
      return secret
    },
    refresh: look,
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await looking?.catch(say('keys.unreadable'))
      await account()
    }
  }
}

/** `accessKeyId:secretAccessKey[:sessionToken]`, as the file of keys holds it. */
export function awsCredentials(secret: string): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
  const [accessKeyId, secretAccessKey, sessionToken] = secret.split(':')
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new CopilotError('invalid_request', 'The key of aws has no secret. Set it again.')
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}
