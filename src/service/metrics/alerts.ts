// Watches the service by the rules and tells of each change once: in the log, in the figures, and where the operator wants to hear.
import type { Clock } from '../../shared/kit/clock.ts'
import { errorFields, type Logger } from '../logging.ts'
import { alertRules, nextState, quiet, recentOf, type AlertId, type AlertRule, type AlertState, type Reading } from './alertRules.ts'
import type { Metrics, Totals } from './metrics.ts'

export interface AlertNotice {
  readonly type: 'alert.firing' | 'alert.resolved'
  readonly rule: AlertId
  readonly severity: AlertRule['severity']
  readonly text: string
  /** Unix ms. */
  readonly at: number
}

export interface Alerts {
  /** Reads once and tells what has changed. Never rejects: what can't be read is in the log. */
  look(): Promise<void>
  readonly firing: readonly AlertId[]
}

export interface AlertOptions {
  /** Everything but what the metrics know themselves. */
  readonly read: () => Promise<Omit<Reading, 'recent'>>
  readonly metrics: Pick<Metrics, 'totals' | 'alert'>
  readonly clock: Clock
  readonly logger: Logger
  readonly tell: (notice: AlertNotice) => void
  readonly rules?: readonly AlertRule[]
}

const RECENT_MS = 300_000

export function createAlerts({ read, metrics, clock, logger, tell, rules = alertRules }: AlertOptions): Alerts {
  const states = new Map<AlertId, AlertState>()
  let samples: { readonly at: number; readonly totals: Totals }[] = []
  for (const { id } of rules) metrics.alert(id, false)

  const readAll = async (): Promise<Reading> => {
    const [rest, totals] = await Promise.all([read(), metrics.totals()])
    const now = clock.now()
    // The newest sample that is five minutes old, and all after it.
    samples = samples.filter(({ at }, index) => now - at <= RECENT_MS || now - (samples[index + 1]?.at ?? 0) < RECENT_MS)
    const before = samples[0]?.totals ?? totals
    samples.push({ at: now, totals })
    return { ...rest, recent: recentOf(before, totals) }
  }

  return {
    async look() {
      try {
        const reading = await readAll()
        const at = clock.now()
        for (const rule of rules) {
          const before = states.get(rule.id) ?? quiet
          const after = nextState(rule, before, reading, at)
          states.set(rule.id, after)
          if (after.isFiring === before.isFiring) continue
          const type = after.isFiring ? 'alert.firing' : 'alert.resolved'
          const text = after.isFiring ? rule.text(reading) : 'It is over.'
          metrics.alert(rule.id, after.isFiring)
          if (after.isFiring) logger.error({ rule: rule.id, severity: rule.severity, text }, type)
          else logger.info({ rule: rule.id }, type)
          tell({ type, rule: rule.id, severity: rule.severity, text, at })
        }
      } catch (error) {
        logger.error(errorFields(error), 'alerts.look')
      }
    },
    get firing() {
      return [...states].filter(([, { isFiring }]) => isFiring).map(([id]) => id)
    }
  }
}
