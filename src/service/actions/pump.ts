// Takes actions from the outbox to the bus: several at once, with backoff, until they are done or given up. Each end is on the audit
// before it counts.
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Clock, Random } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { ActionBus } from './bus.ts'
import type { KeptAction, Outbox } from './outbox.ts'

export interface PumpOptions {
  readonly outbox: Outbox
  readonly bus: ActionBus
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface ActionPump {
  /** Something may be due: looks at once. */
  wake(): void
  /** Ends what is on its way; it is sent again, under the same key, after the next start. */
  stop(): Promise<void>
}

const AT_ONCE = 8
/** Longer than any delivery may take. */
const LEASE_MS = 120_000
const LONGEST_BACKOFF_MS = 3_600_000
const LONGEST_SLEEP_MS = 60_000
const AFTER_FAULT_MS = 1_000
const usual = { maxAttempts: 8, backoffMs: 1_000 }
const retried: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'rate_limited', 'internal'])

/** When an action that failed may be tried again; null: never. `attempts` counts the one that failed. Pure. */
export function nextAttempt({ action, attempts }: KeptAction, error: CopilotError, { now, random }: { now: number; random: Random }): number | null {
  const { maxAttempts, backoffMs } = action.retryPolicy ?? usual
  if (!retried.has(error.code) || attempts >= maxAttempts) return null
  const backoff = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2 ** (attempts - 1))
  // Half of it is chance, so that what failed together does not come back together.
  return now + Math.max(Math.round(backoff * (0.5 + random() / 2)), error.retryAfterMs ?? 0)
}

/** Starts at once. The caller stops it. */
export function startActionPump({ outbox, bus, audit, clock, random, logger }: PumpOptions): ActionPump {
  const stopping = new AbortController()
  const { signal } = stopping
  const flights = new Set<Promise<void>>()
  let isWoken = true
  let ring = (): void => undefined

  const deliver = async (kept: KeptAction): Promise<void> => {
    const { action, attempts, inputId } = kept
    const { id, type } = action
    const end = (outcome: string): Promise<void> =>
      audit.record({ actor: 'service', action: 'action.executed', subject: id, details: { type, inputId, attempts, outcome } })
    try {
      await bus.deliver(kept, signal)
      await end('done')
      await outbox.done(id, clock.now())
    } catch (thrown) {
      if (signal.aborted) return
      const error = toCopilotError(thrown)
      if (error.code === 'internal') logger.error({ actionId: id, ...errorFields(thrown) }, 'action.bug')
      const at = nextAttempt(kept, error, { now: clock.now(), random })
      if (at !== null) return await outbox.retry(id, error.message, at)
      await end(`given up: ${error.code}`)
      await outbox.dead(id, error.message, clock.now())
      logger.warn({ actionId: id, code: error.code, attempts }, 'action.dead')
    }
  }

  const round = async (): Promise<void> => {
    const free = AT_ONCE - flights.size
    const taken = free > 0 ? await outbox.lease(clock.now(), { leaseMs: LEASE_MS, limit: free }) : []
    for (const kept of taken) {
      const flight = deliver(kept)
        // The store or the audit refused: it stays leased and is tried again when the lease ends.
        .catch((error: unknown) => logger.error({ actionId: kept.action.id, ...errorFields(error) }, 'action.unsettled'))
        .finally(() => {
          flights.delete(flight)
          wake()
        })
      flights.add(flight)
    }
  }

  const sleep = async (ms: number): Promise<void> => {
    if (isWoken || signal.aborted) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      ring = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const wake = (): void => {
    isWoken = true
    ring()
  }

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      isWoken = false
      let pause = LONGEST_SLEEP_MS
      try {
        await round()
        const next = flights.size >= AT_ONCE ? null : await outbox.nextAt()
        if (next !== null) pause = Math.min(pause, Math.max(0, next - clock.now()))
      } catch (error) {
        logger.error(errorFields(error), 'actions.round')
        pause = AFTER_FAULT_MS
      }
      await sleep(pause)
    }
  }

  const running = run()
  return {
    wake,
    async stop() {
      stopping.abort(new CopilotError('cancelled', 'The service stops.'))
      ring()
      await running
      await Promise.all(flights)
      await bus.stop()
    }
  }
}
