// Alerts begin when something has been bad for long enough, end when it has been good for long enough, and are told once, signed.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { fakeClock, keptLog } from '../../../test/fakes/service-parts.ts'
import { signatureOf, verifyDelivery } from '../gateway/webhookSignature.ts'
import { errorCodes } from '../../shared/errors.ts'
import { alertIds, alertRules, recentOf, type Reading } from './alertRules.ts'
import { createAlerts, type AlertNotice } from './alerts.ts'
import { createAlertWebhook } from './alertWebhook.ts'
import { isBroken, type Totals } from './metrics.ts'

const MINUTE = 60_000
const bounds = [1, 30, 60, 120, Number.POSITIVE_INFINITY]

/** So many ended, of which so many broke; each took `seconds`. */
function totals(ended: number, broken = 0, seconds = 0.5): Totals {
  return { ended, broken, totalSeconds: bounds.map((le) => ({ le, count: seconds <= le ? ended : 0 })) }
}

function setUp() {
  const clock = fakeClock(0)
  const logger = keptLog()
  const told: AlertNotice[] = []
  const gauges = new Map<string, boolean>()
  let now: Omit<Reading, 'recent'> = { providersDown: [], budgetsTight: [], diskFreeBytes: null, isAuditWhole: null }
  let sums = totals(0)
  const alerts = createAlerts({
    read: async () => now,
    metrics: { totals: async () => sums, alert: (rule, isFiring) => void gauges.set(rule, isFiring) },
    clock,
    logger,
    tell: (notice) => void told.push(notice)
  })
  return {
    alerts, logger, told, gauges,
    is: (part: Partial<typeof now>) => void (now = { ...now, ...part }),
    count: (next: Totals) => void (sums = next),
    /** Looks every quarter of a minute. */
    async pass(ms: number) {
      for (const end = clock.now() + ms; clock.now() < end; ) {
        clock.set(clock.now() + 15_000)
        await alerts.look()
      }
    }
  } // prettier-ignore
}

describe('alerts', () => {
  it('tell of a provider that is down for a minute, once, and when it is back for a minute', async () => {
    const { alerts, is, pass, told, gauges, logger } = setUp()
    await pass(MINUTE)
    is({ providersDown: ['openai'] })
    await pass(MINUTE)
    expect(alerts.firing).toEqual([])
    await pass(15_000)
    expect(alerts.firing).toEqual(['provider-down'])
    expect(gauges.get('provider-down')).toBe(true)
    await pass(10 * MINUTE)
    is({ providersDown: [] })
    await pass(2 * MINUTE)
    expect(told.map(({ type, rule, text }) => [type, rule, text])).toEqual([
      ['alert.firing', 'provider-down', "These can't be asked: openai."],
      ['alert.resolved', 'provider-down', 'It is over.']
    ])
    expect(logger.lines.map(({ level, event }) => [level, event])).toEqual([
      ['error', 'alert.firing'],
      ['info', 'alert.resolved']
    ])
  })

  it('do not flicker with something that comes and goes', async () => {
    const { is, pass, told } = setUp()
    for (let index = 0; index < 20; index += 1) {
      is({ providersDown: index % 2 === 0 ? ['openai'] : [] })
      await pass(45_000)
    }
    expect(told).toEqual([])
  })

  it('hold between the two thresholds of the disk', async () => {
    const { alerts, is, pass } = setUp()
    is({ diskFreeBytes: 400 * 1_048_576 })
    await pass(15_000)
    expect(alerts.firing).toEqual(['disk'])
    is({ diskFreeBytes: 700 * 1_048_576 })
    await pass(10 * MINUTE)
    expect(alerts.firing).toEqual(['disk'])
    is({ diskFreeBytes: null })
    await pass(10 * MINUTE)
    expect(alerts.firing).toEqual(['disk'])
    is({ diskFreeBytes: 2_000 * 1_048_576 })
    await pass(2 * MINUTE)
    expect(alerts.firing).toEqual([])
  })

  it('see failures of the last five minutes, not those of before', async () => {
    const { alerts, count, pass } = setUp()
    await pass(MINUTE)
    count(totals(100, 10))
    await pass(3 * MINUTE)
    expect(alerts.firing).toEqual(['error-rate'])
    await pass(12 * MINUTE)
    expect(alerts.firing).toEqual([])
    count(totals(110, 20))
    await pass(4 * MINUTE)
    // Ten of ten, but ten prove nothing.
    expect(alerts.firing).toEqual([])
  })

  it('say at once that the audit chain is broken or a budget nearly used up', async () => {
    const { alerts, is, pass, told } = setUp()
    is({ isAuditWhole: false, budgetsTight: ['north'] })
    await pass(15_000)
    expect(alerts.firing.toSorted()).toEqual(['audit-chain', 'budget'])
    expect(told.find(({ rule }) => rule === 'budget')?.text).toContain('north')
  })

  it('tell of slow answers by the hundredth one', async () => {
    const { alerts, count, pass } = setUp()
    const slow = async (minutes: number): Promise<void> => {
      for (let minute = 0; minute < minutes; minute += 1) {
        asked += 100
        count({ ended: asked, broken: 0, totalSeconds: bounds.map((le) => ({ le, count: le < 120 ? asked * 0.98 : asked })) })
        await pass(MINUTE)
      }
    }
    let asked = 0
    await pass(15_000)
    await slow(5)
    expect(alerts.firing).toEqual([])
    await slow(1)
    expect(alerts.firing).toEqual(['slow-answers'])
    await pass(12 * MINUTE)
    expect(alerts.firing).toEqual([])
    expect(recentOf(totals(0), totals(100, 0, 500)).p99Seconds).toBe(120)
    expect(recentOf(totals(5), totals(5)).p99Seconds).toBeNull()
  })

  it('go on when something can’t be read', async () => {
    const logger = keptLog()
    const alerts = createAlerts({
      read: () => Promise.reject(new Error('no')),
      metrics: { totals: async () => totals(0), alert: () => undefined },
      clock: fakeClock(0),
      logger,
      tell: () => undefined
    })
    await expect(alerts.look()).resolves.toBeUndefined()
    expect(logger.lines).toMatchObject([{ event: 'alerts.look' }])
  })
})

describe('the rules for Prometheus', () => {
  it('are the service’s own, all of them, with the same severities and codes', async () => {
    const file = parse(await readFile(new URL('../../../resources/alerts/prometheus-rules.yml', import.meta.url), 'utf8')) as {
      groups: { rules: { expr: string; labels: { rule: string; severity: string } }[] }[]
    }
    const rules = file.groups.flatMap((group) => group.rules)
    const own = rules.filter(({ labels }) => labels.rule !== 'gone')
    expect(own.map(({ labels }) => labels.rule).toSorted()).toEqual([...alertIds].toSorted())
    for (const { labels } of own) expect(labels.severity).toBe(alertRules.find(({ id }) => id === labels.rule)?.severity)
    const codes = /outcome=~"([^"]+)"/.exec(rules[0]?.expr ?? '')?.[1]?.split('|')
    expect(codes?.toSorted()).toEqual(errorCodes.filter(isBroken).toSorted())
  })
})

interface Heard {
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

async function listener(statuses: number[]): Promise<AsyncDisposable & { url: string; heard: Heard[] }> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      heard.push({ headers: request.headers, body: Buffer.concat(chunks) })
      response.writeHead(statuses.shift() ?? 204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

describe('the alert webhook', () => {
  const secret = 'a secret of the operator'
  const notice: AlertNotice = { type: 'alert.firing', rule: 'disk', severity: 'critical', text: 'Little is left.', at: 1_790_000_000_000 }
  const options = (url: string, logger = keptLog()) => ({
    url,
    sign: (id: string, timestamp: string, body: Buffer) => signatureOf(secret, id, timestamp, body),
    clock: fakeClock(),
    newId: () => crypto.randomUUID(),
    random: () => 0,
    logger,
    backoff: { baseMs: 1, capMs: 2 }
  })

  it('is signed, sent again under the same id until it is taken, and in order', async () => {
    await using end = await listener([500, 503, 204])
    const webhook = createAlertWebhook(options(end.url))
    webhook.tell(notice)
    webhook.tell({ ...notice, type: 'alert.resolved' })
    await webhook.settled()
    expect(end.heard.map(({ body }) => (JSON.parse(body.toString()) as AlertNotice).type)).toEqual([
      'alert.firing', 'alert.firing', 'alert.firing', 'alert.resolved'
    ]) // prettier-ignore
    expect(new Set(end.heard.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    for (const { headers, body } of end.heard) {
      const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => String(headers[name]))
      expect(verifyDelivery({ id, timestamp, signature, body }, secret, fakeClock().now())).toBe(id)
      expect(() => verifyDelivery({ id, timestamp, signature, body }, 'another secret', fakeClock().now())).toThrow('signature')
    }
  })

  it('gives up at some time, and says so', async () => {
    await using end = await listener(Array.from({ length: 20 }, () => 500))
    const logger = keptLog()
    const webhook = createAlertWebhook(options(end.url, logger))
    webhook.tell(notice)
    await webhook.settled()
    expect(end.heard).toHaveLength(8)
    expect(logger.lines.at(-1)).toMatchObject({ level: 'error', event: 'alerts.webhook.lost' })
  })

  it('does not hold up the end of the service', async () => {
    const webhook = createAlertWebhook({ ...options('http://127.0.0.1:1/'), random: () => 1, backoff: { baseMs: 60_000, capMs: 60_000 } })
    webhook.tell(notice)
    await webhook.stop()
  })
})
