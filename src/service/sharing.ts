// What a service looks for while it shares its stores: limits that another one has lifted, messages and money of one that has died.
import type { Clock } from '../shared/kit/clock.ts'
import type { Ledger } from './cost/ledger.ts'
import type { Overrides } from './limits/overrides.ts'
import { errorFields, type Logger } from './logging.ts'
import type { Desk } from './sessions/desk.ts'

export interface SharingOptions {
  readonly overrides: Pick<Overrides, 'refresh'>
  readonly desk: Pick<Desk, 'resume'>
  readonly ledger: Pick<Ledger, 'reclaim'>
  readonly clock: Clock
  readonly logger: Logger
  readonly everyMs?: number
}

const EVERY_MS = 3_000

/** Until what it returns is called; that resolves when the last look has ended. */
export function startSharing({ overrides, desk, ledger, clock, logger, everyMs = EVERY_MS }: SharingOptions): () => Promise<void> {
  let looking: Promise<void> | null = null
  const look = async (): Promise<void> => {
    await overrides.refresh()
    const taken = await desk.resume()
    if (taken > 0) logger.info({ taken }, 'sharing.messages')
    const lost = await ledger.reclaim(clock.now())
    if (lost > 0) logger.warn({ attempts: lost }, 'sharing.ledger')
  }
  const timer = setInterval(() => {
    // A database that is away answers late: one look at a time.
    looking ??= look()
      .catch((error: unknown) => logger.warn(errorFields(error), 'sharing.away'))
      .finally(() => (looking = null))
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await looking
  }
}
