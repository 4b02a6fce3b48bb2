// REST, server-sent events, webhooks and probes with curl.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { signatureOf } from '../../src/service/gateway/webhookSignature.ts'
import { isNow, isRestError, isText, hasKeys } from './expect.ts'
import type { Report } from './report.ts'
import { QUESTION } from './socketConversations.ts'
import { curl, type CurlAnswer, type CurlRequest, type StartedService } from './world.ts'

type Data = Record<string, unknown>

export async function restConversations(report: Report, service: StartedService, away: StartedService): Promise<void> {
  const token = await service.token('rosa')
  const call = async (path: string, request: CurlRequest = {}): Promise<CurlAnswer> =>
    await curl(`http://${service.http}${path}`, { token, ...request })

  const talk = 'REST: chat and stream'
  let whole = ''
  await report.step(talk, 'POST /api/ai/chat answers with response, message_id and timestamp', async () => {
    const answer = await call('/api/ai/chat', { body: { message: QUESTION, context: { client: 'Northwind' }, user_id: 'rosa', session_id: 's1' } })
    equal(answer.status, 200)
    const { response, message_id: id, timestamp } = answer.json()
    isText(response)
    isText(id)
    isNow(timestamp)
    whole = response
  })
  await report.step(talk, 'POST /api/ai/stream is an event stream of pieces, the last one marked', async () => {
    const answer = await call('/api/ai/stream', { body: { message: QUESTION } })
    match(answer.headers['content-type'] ?? '', /^text\/event-stream/)
    // The body is chunked; what curl took apart is the events.
    const pieces = [...answer.text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as Data)
    for (const piece of pieces) hasKeys(piece, 'content', 'is_final', 'message_id')
    equal(pieces.map(({ content }) => String(content)).join(''), whole)
    deepEqual(
      pieces.map((piece) => piece['is_final']),
      pieces.map((_piece, index) => index === pieces.length - 1)
    )
  })
  await report.step(talk, 'GET /api/ai/status tells service, providers with breaker, queue depth and version', async () => {
    const status = (await call('/api/ai/status')).json()
    isText(status['service'])
    isText(status['version'])
    equal(typeof status['queue_depth'], 'number')
    const providers = status['providers'] as Data[]
    ok(providers.length > 0)
    for (const provider of providers) isText(provider['breaker'])
  })

  const errors = 'REST: errors, each with the specified body'
  for (const path of ['/api/ai/chat', '/api/ai/stream']) {
    for (const [name, request, status, code] of [
      ['an empty message', { body: { message: '' } }, 400, 'AI_MESSAGE_INVALID'],
      ['no message', { body: {} }, 400, 'AI_MESSAGE_INVALID'],
      ['no JSON', { body: '{' }, 400, 'AI_MESSAGE_INVALID'],
      ['a list', { body: [] }, 400, 'AI_MESSAGE_INVALID'],
      ['a context that is text', { body: { message: 'x', context: 'y' } }, 400, 'AI_CONTEXT_INVALID'],
      ['a message of 200 kB', { body: { message: 'x'.repeat(200_000) } }, 413, 'AI_CONTEXT_INVALID'],
      ['a body of 2 MB', { body: { message: 'x'.repeat(2_000_000) } }, 413, 'AI_CONTEXT_INVALID'],
      ['another user’s id', { body: { message: 'x', user_id: 'bob' } }, 403, 'FORBIDDEN'],
      ['plain text', { body: 'x', headers: { 'content-type': 'text/plain' } }, 415, 'AI_MESSAGE_INVALID'],
      ['GET', {}, 405, 'AI_MESSAGE_INVALID'],
      ['no token', { body: { message: 'x' }, token: '' }, 401, 'UNAUTHENTICATED']
    ] as const) {
      await report.step(errors, `${path}: ${name} is ${status} ${code}`, async () => isRestError(await call(path, request), status, code))
    }
    await report.step(errors, `${path}: a token in the address is 401`, async () =>
      isRestError(await call(`${path}?token=${token}`, { body: { message: 'x' } }), 401, 'UNAUTHENTICATED')
    )
    for (const [what, bad] of Object.entries(await service.badTokens())) {
      await report.step(errors, `${path}: a token that is ${what} is 401`, async () =>
        isRestError(await call(path, { token: bad, body: { message: 'x' } }), 401, 'UNAUTHENTICATED')
      )
    }
  }
  await report.step(errors, 'another address is 404', async () => isRestError(await call('/nowhere'), 404, 'NOT_FOUND'))
  await report.step(errors, 'a turn id that was used for another question is 409', async () => {
    const turn = { turn_id: '0190a000-0000-7000-8000-000000000001' }
    equal((await call('/api/ai/chat', { body: { ...turn, message: QUESTION } })).status, 200)
    isRestError(await call('/api/ai/chat', { body: { ...turn, message: 'another one' } }), 409, 'CONFLICT')
  })
  await report.step(errors, 'the AI unavailable is 503 with retry_after', async () => {
    const answer = await curl(`http://${away.http}/api/ai/chat`, { token: await away.token(), body: { message: QUESTION } })
    deepEqual([answer.status, (answer.json()['error'] as Data)['code']], [503, 'AI_UNAVAILABLE'])
  })
  await report.step(errors, 'a stream whose AI is unavailable ends with an error event', async () => {
    const answer = await curl(`http://${away.http}/api/ai/stream`, { token: await away.token(), body: { message: QUESTION } })
    match(answer.text, /event: error\r?\ndata: \{"error":\{"code":"AI_UNAVAILABLE"/)
  })

  await report.step('REST: probes', '/healthz and /readyz need no token', async () => {
    equal((await call('/healthz', { token: '' })).status, 200)
    const ready = await call('/readyz', { token: '' })
    deepEqual([ready.status, ready.json()['store']], [200, 'ok'])
  })
}

export async function webhookConversations(report: Report, service: StartedService, secret: string): Promise<void> {
  const now = Math.floor(Date.now() / 1_000)
  const won = '{"type":"deal.won","data":{"client":"Northwind"}}'
  const deliver = async ({ source = 'crm', key = secret, id = 'd1', at = now, body = won, changed = '' } = {}): Promise<CurlAnswer> =>
    await curl(`http://${service.http}/api/webhooks/${source}`, {
      body: changed === '' ? body : changed,
      headers: { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signatureOf(key, id, String(at), Buffer.from(body))}` }
    })
  const talk = 'webhooks'
  let id: unknown
  await report.step(talk, 'a signed event is acknowledged with 202', async () => {
    const answer = await deliver()
    deepEqual([answer.status, answer.json()['accepted'], answer.json()['duplicate']], [202, true, false])
    id = answer.json()['id']
  })
  await report.step(talk, 'the same delivery again is acknowledged and is the same event', async () => {
    const answer = await deliver()
    deepEqual([answer.status, answer.json()], [202, { accepted: true, id, duplicate: true }])
  })
  for (const [name, options] of [
    ['another secret', { key: 'the secret of somebody else' }],
    ['a changed body', { changed: '{"type":"deal.lost"}' }],
    ['a delivery of six minutes ago', { at: now - 360, id: 'd2' }],
    ['a source that is not known', { source: 'nobody' }]
  ] as const) {
    await report.step(talk, `${name} is 401`, async () => isRestError(await deliver(options), 401, 'UNAUTHENTICATED'))
  }
  await report.step(talk, 'no signature is 401', async () =>
    isRestError(await curl(`http://${service.http}/api/webhooks/crm`, { body: {} }), 401, 'UNAUTHENTICATED')
  )
  await report.step(talk, 'a signed body that is no JSON object is 400', async () =>
    isRestError(await deliver({ body: '[]', id: 'd3' }), 400, 'AI_MESSAGE_INVALID')
  )
}
