// Webhooks: kept once, and only from who has the secret.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signatureOf } from '../../src/service/gateway/webhookSignature.ts'
import { startHere, type ServiceHere } from '../fakes/service-running.ts'

const secret = 'a secret of sixteen characters or more'
let here: ServiceHere
beforeAll(async () => void (here = await startHere({ environment: { ASIDE_WEBHOOK_SECRET_CRM: secret } })))
afterAll(() => here[Symbol.asyncDispose]())

describe('webhooks', () => {
  const deliver = async ({
    source = 'crm',
    key = secret,
    id = 'd1',
    body = '{"type":"deal.won"}',
    seconds = Math.floor(Date.now() / 1_000)
  } = {}) => {
    const timestamp = String(seconds)
    const response = await fetch(`http://${here.service.http}/api/webhooks/${source}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signatureOf(key, id, timestamp, Buffer.from(body))}`
      },
      body
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('are kept once, however often they are delivered', async () => {
    const first = await deliver()
    expect(first).toMatchObject({ status: 202, body: { accepted: true, duplicate: false } })
    expect(await deliver()).toEqual({ status: 202, body: { accepted: true, duplicate: true, id: first.body['id'] } })
  })

  it('are refused unsigned, from others, stale, unreadable or too large', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const cases: [Parameters<typeof deliver>[0], number][] = [
      [{ key: 'not the secret of this source' }, 401],
      [{ source: 'unknown' }, 401],
      [{ source: '__proto__' }, 401],
      [{ seconds: now - 301 }, 401],
      [{ body: 'no json', id: 'd2' }, 400],
      [{ body: '[]', id: 'd3' }, 400],
      [{ body: `{"a":"${'x'.repeat(1_100_000)}"}`, id: 'd4' }, 413]
    ]
    for (const [options, status] of cases) {
      const answer = await deliver(options)
      expect([answer.status, answer.body]).toEqual([status, { error: expect.objectContaining({ correlation_id: expect.any(String) }) }])
    }
    const unsigned = await fetch(`http://${here.service.http}/api/webhooks/crm`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}'
    })
    expect(unsigned.status).toBe(401)
  })
})
