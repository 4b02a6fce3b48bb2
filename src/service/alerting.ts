// Puts the alerts together: what they are read from, how often, and where they are told.
import { statfs } from 'node:fs/promises'
import type { Clock, NewId } from '../shared/kit/clock.ts'
import type { AuditReader } from './audit/reader.ts'
import type { Budgets } from './cost/budget.ts'
import { signatureOf } from './gateway/webhookSignature.ts'
import { errorFields, type Logger } from './logging.ts'
import { createAlerts } from './metrics/alerts.ts'
import { createAlertWebhook } from './metrics/alertWebhook.ts'
import type { Metrics, Snapshot } from './metrics/metrics.ts'

export interface AlertTarget {
  readonly url: string
  readonly secret: string
}

export interface AlertingOptions {
  /** Null: only the log and the figures tell. */
  readonly target: AlertTarget | null
  readonly dataDir: string
  readonly metrics: Metrics
  readonly audit: AuditReader
  readonly tight: TightBudgets
  readonly look: (signal: AbortSignal) => Promise<Snapshot>
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
}

const EVERY_MS = 15_000
const AUDIT_EVERY_MS = 6 * 3_600_000
const LOOK_MS = 3_000

/** The caller calls the result to end it. */
export function startAlerting({ target, dataDir, metrics, audit, tight, look, clock, newId, logger }: AlertingOptions): () => Promise<void> {
  const webhook =
    target === null
      ? null
      : createAlertWebhook({
          url: target.url,
          sign: (id, timestamp, body) => signatureOf(target.secret, id, timestamp, body),
          clock,
          newId,
          random: Math.random,
          logger
        })
  let isAuditWhole: boolean | null = null
  const readAudit = async (): Promise<void> => {
    try {
      isAuditWhole = (await audit.verify()).ok
    } catch (error) {
      logger.error(errorFields(error), 'alerts.audit')
    }
  }
  /** Providers that could be asked at some time: one that has no key yet, or is not installed, is not down. */
  const known = new Set<string>()
  const alerts = createAlerts({
    async read() {
      const [{ providers }, disk] = await Promise.all([look(AbortSignal.timeout(LOOK_MS)), statfs(dataDir)])
      for (const { id, ready } of providers) if (ready) known.add(id)
      return {
        providersDown: providers.filter(({ id, ready }) => !ready && known.has(id)).map(({ id }) => id),
        budgetsTight: tight.organisations(),
        diskFreeBytes: disk.bavail * disk.bsize,
        isAuditWhole
      }
    },
    metrics,
    clock,
    logger,
    tell: (notice) => webhook?.tell(notice)
  })
  let looking: Promise<void> = readAudit().then(() => alerts.look())
  const timer = setInterval(() => void (looking = looking.then(() => alerts.look())), EVERY_MS)
  const auditTimer = setInterval(() => void (looking = looking.then(readAudit)), AUDIT_EVERY_MS)
  return async () => {
    clearInterval(timer)
    clearInterval(auditTimer)
    await looking
    await webhook?.stop()
  }
}

export interface TightBudgets {
  /** Those that had used 90 % or more when they last asked, this month. */
  organisations(): readonly string[]
}

/** The budgets, with an eye on those that are nearly used up. */
export function watchBudgets(budgets: Budgets, clock: Clock): Budgets & TightBudgets {
  /** By organisation: when its month ends. */
  const tight = new Map<string, number>()
  return {
    async standing(payer) {
      const standing = await budgets.standing(payer)
      if (standing.level === 'thrifty' || standing.level === 'exhausted') tight.set(payer.organisation, standing.resetAt)
      else tight.delete(payer.organisation)
      return standing
    },
    organisations: () => [...tight].filter(([, resetAt]) => resetAt > clock.now()).map(([organisation]) => organisation)
  }
}
