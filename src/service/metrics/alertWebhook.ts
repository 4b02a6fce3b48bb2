// Tells alerts to an address of the operator's: signed as Standard Webhooks say, in order, again and again until it is taken.
import { setTimeout as pause } from 'node:timers/promises'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Clock, NewId, Random } from '../../shared/kit/clock.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { AlertNotice } from './alerts.ts'

export interface AlertWebhook {
  tell(notice: AlertNotice): void
  /** Resolves when nothing waits any more. */
  settled(): Promise<void>
  /** What waits is given up, and the log says so. */
  stop(): Promise<void>
}

export interface AlertWebhookOptions {
  readonly url: string
  /** Base64 over `id.timestamp.body`. */
  readonly sign: (id: string, timestamp: string, body: Buffer) => string
  readonly clock: Clock
  readonly newId: NewId
  readonly random: Random
  readonly logger: Logger
  readonly backoff?: { readonly baseMs: number; readonly capMs: number }
}

const TRIES = 8
const ANSWER_MS = 10_000
/** With a wait of at most five minutes: about a quarter of an hour in all. */
const BACKOFF = { baseMs: 2_000, capMs: 300_000 }
const MOST_WAITING = 100

export function createAlertWebhook(options: AlertWebhookOptions): AlertWebhook {
  const { url, sign, clock, newId, random, logger, backoff = BACKOFF } = options
  const stopped = new AbortController()
  let waiting = 0
  let tail = Promise.resolve()

  const post = async (id: string, body: Buffer): Promise<boolean> => {
    const timestamp = String(Math.floor(clock.now() / 1_000))
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${sign(id, timestamp, body)}`
    }
    try {
      const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(ANSWER_MS)])
      const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body), signal, redirect: 'error' })
      await response.body?.cancel()
      if (!response.ok) logger.warn({ id, status: response.status }, 'alerts.webhook')
      return response.ok
    } catch (error) {
      logger.warn({ id, ...errorFields(error) }, 'alerts.webhook')
      return false
    }
  }

  const deliver = async ({ at, ...notice }: AlertNotice): Promise<void> => {
    const id = newId()
    const body = Buffer.from(JSON.stringify({ ...notice, timestamp: new Date(at).toISOString() }))
    for (let attempt = 1; attempt <= TRIES && !stopped.signal.aborted; attempt += 1) {
      if (await post(id, body)) return
      if (attempt < TRIES) await pause(backoffMs(attempt, random, backoff), undefined, { signal: stopped.signal })
    }
    logger.error({ id, rule: notice.rule }, 'alerts.webhook.lost')
  }

  return {
    tell(notice) {
      if (waiting >= MOST_WAITING) return logger.error({ rule: notice.rule }, 'alerts.webhook.lost')
      waiting += 1
      tail = tail
        .then(() => deliver(notice))
        .catch((error: unknown) => logger.error({ rule: notice.rule, ...errorFields(error) }, 'alerts.webhook.lost'))
        .finally(() => void (waiting -= 1))
    },
    settled: () => tail,
    async stop() {
      stopped.abort()
      await tail
    }
  }
}
