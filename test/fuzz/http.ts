// Malformed requests of everything that HTTP carries: the AI's REST, its server-sent events, the consultant chat, webhooks, and the
// service's own addresses.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { signatureOf } from '../../src/service/gateway/webhookSignature.ts'
import { spoil, spoiltText } from './hostile.ts'
import { badRequest, goodRequest, httpDialect, wild, type HttpAnswer, type Route } from './httpLane.ts'

const sessions = '/api/v1/admin/chat/sessions'

function expectJson(answer: HttpAnswer, status: number, field: string): string {
  const value = answer.status === status ? (JSON.parse(answer.text) as Record<string, string | boolean>)[field] : undefined
  if (value === undefined) throw new Error(`the good message was answered with ${answer.status} ${answer.text.slice(0, 300)}`)
  return String(value)
}

const questionsOf = (userId: string): readonly unknown[] => [
  {
    message: 'x',
    context: { client: 'N' },
    user_id: userId,
    session_id: 's',
    turn_id: '0190a000-0000-7000-8000-00000000000c',
    after_seq: 0,
    quick_action: 'cost'
  },
  { message: 'x' }
]

export const rest = httpDialect({
  name: 'rest',
  bad(chance, { person, admin }) {
    const ai: readonly Route[] = [
      ...questionsOf(person.userId).map((question): Route => ['POST', '/api/ai/chat', question]),
      ['GET', '/api/ai/status', undefined],
      ['GET', '/*', undefined]
    ]
    return chance.next() < 0.8
      ? badRequest(chance, chance.pick(ai), { token: person.token })
      : badRequest(chance, chance.pick(ownRoutes), { token: chance.next() < 0.8 ? admin : person.token })
  },
  good: {
    request: ({ person }) => goodRequest('POST', '/api/ai/chat', person.token, { message: 'good' }),
    check: (answer) => void expectJson(answer, 200, 'response')
  }
})

/** What no foreign specification has; uploads of documents are a dialect of their own. */
const ownRoutes: readonly Route[] = [
  ['GET', '/healthz?*=*', undefined],
  ['GET', '/readyz', undefined],
  ['GET', '/metrics', undefined],
  [
    'POST',
    '/api/v1/agent/inputs',
    {
      id: 'i',
      source: 'api',
      type: 'note',
      businessId: 'b',
      locationId: 'l',
      content: { text: 'x', data: {}, metadata: {} },
      timestamp: 1,
      correlationId: 'c'
    }
  ],
  ['GET', '/api/v1/agent/inputs/*', undefined],
  ['GET', '/api/v1/agent/reviews', undefined],
  ['POST', '/api/v1/agent/reviews/*', { approve: true, reason: 'r' }],
  ['GET', '/api/v1/agent/models', undefined],
  ['POST', '/api/v1/agent/models', { decisionCode: 'd', version: 1, template: 't', parameters: ['p'] }],
  ['POST', '/api/v1/agent/tasks', { name: 'n', cron: '0 9 * * 1', type: 'note', content: { text: 'x', data: {}, metadata: {} } }],
  ['GET', '/api/v1/agent/tasks/*', undefined],
  ['DELETE', '/api/v1/agent/tasks/*', undefined],
  ['GET', '/api/v1/audit?limit=*&before=*', undefined],
  ['POST', '/api/v1/admin/limits/override', { organisation: 'o', for: '1s', reason: 'r' }],
  ['DELETE', '/api/v1/admin/limits/override', { organisation: 'o' }],
  ['GET', '/api/v1/persons/*/data', undefined],
  ['GET', '/api/v1/knowledge/documents?client=*', undefined],
  ['GET', '/api/v1/knowledge/documents/*', undefined],
  ['DELETE', '/api/v1/knowledge/documents/*', undefined],
  ['POST', '/api/v1/knowledge/refresh?*', undefined]
]

const piece = z.object({ content: z.string(), is_final: z.boolean(), message_id: z.string().min(1) })

export const serverSentEvents = httpDialect({
  name: 'sse',
  bad: (chance, { person }) => badRequest(chance, ['POST', '/api/ai/stream', chance.pick(questionsOf(person.userId))], { token: person.token }),
  check({ status, headers, text }) {
    if (status !== 200) return
    if (!String(headers['content-type']).startsWith('text/event-stream')) throw new Error(`no event stream: ${text.slice(0, 300)}`)
    // Empty: a named turn of which the client says that it has read everything.
    if (text !== '') checkEvents(text)
  },
  good: {
    request: ({ person }) => goodRequest('POST', '/api/ai/stream', person.token, { message: 'good' }),
    check({ status, text }) {
      if (status !== 200) throw new Error(`the good message was answered with ${status}`)
      checkEvents(text)
    }
  }
})

/** Pieces, then one end, which is a final piece or an error. */
function checkEvents(text: string): void {
  const events = text.split('\n\n')
  if (events.pop() !== '') throw new Error(`the last event is not whole: ${text.slice(-300)}`)
  const isEnd = events.map((event) => {
    const [, error, data] = /^(event: error\n)?data: (.*)$/s.exec(event) ?? []
    if (data === undefined) throw new Error(`no event: ${event.slice(0, 300)}`)
    return error !== undefined || piece.parse(JSON.parse(data)).is_final
  })
  if (isEnd.indexOf(true) !== events.length - 1) throw new Error(`${isEnd.filter(Boolean).length} ends in ${events.length} events`)
}

export const consultantRest = httpDialect({
  name: 'consultant-rest',
  // A session of its own for every batch: what is said of one is read back by others.
  async prepare(ask, { person }) {
    return expectJson(await ask(goodRequest('POST', sessions, person.token, { client_name: 'Northwind', context: 'c' })), 201, 'id')
  },
  bad(chance, { person }, session) {
    const routes: readonly Route[] = [
      ['POST', sessions, { client_name: 'N', context: 'c', meeting_type: 'm', metadata: { a: [1] } }],
      ['GET', `${sessions}?limit=*&cursor=*`, undefined],
      ['GET', `${sessions}/{id}`, undefined],
      ['PUT', `${sessions}/{id}`, { context: { a: 'b' }, client_name: 'N', meeting_type: 'm', metadata: {} }],
      ['DELETE', `${sessions}/*`, undefined],
      ['GET', `${sessions}/{id}/history?limit=*&before=*`, undefined],
      ['GET', `${sessions}/{id}/history?limit=5`, undefined],
      ['POST', `${sessions}/{id}/messages`, { content: 'x', message_id: 'm', metadata: { context: {}, quick_action: 'cost' } }],
      ['POST', `${sessions}/{id}/messages`, { content: 'x', metadata: { context: { client: 'N' } } }]
    ]
    return badRequest(chance, chance.pick(routes), { token: person.token, known: session })
  },
  good: {
    request: ({ person }) => goodRequest('POST', sessions, person.token, { client_name: 'good' }),
    check: (answer) => void expectJson(answer, 201, 'id')
  }
})

export const webhooks = httpDialect({
  name: 'webhooks',
  bad(chance, { webhookSecret }) {
    const path = `/api/webhooks/${chance.next() < 0.8 ? 'crm' : wild(chance).slice(0, 2_000)}`
    const text = spoiltText(spoil({ type: 'deal.won', data: { amount: 5, client: 'Contoso' } }, chance), chance)
    const id = chance.next() < 0.7 ? `d${chance.below(1e9)}` : wild(chance).slice(0, 500)
    const now = String(Math.floor(Date.now() / 1_000))
    const timestamp = chance.next() < 0.9 ? now : chance.pick(['0', 'x', '-1', '99999999999999', '', `${now}.5`])
    // Properly signed, so that what is in it is read at all.
    const signed = `v1,${signatureOf(webhookSecret, id, timestamp, Buffer.from(text))}`
    const forged = ['v1,AAAA', 'v1', ',', '', `v1,${'A'.repeat(44)}`, `v2,${signed.slice(3)}`, `${'v1,x '.repeat(500)}${signed}`]
    return {
      method: chance.next() < 0.97 ? 'POST' : chance.pick(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']),
      path,
      headers: {
        'content-type': chance.next() < 0.95 ? 'application/json' : chance.pick(['text/plain', 'x', 'application/json; charset=utf-16']),
        ...(chance.next() < 0.97 ? { 'webhook-id': id } : {}),
        ...(chance.next() < 0.97 ? { 'webhook-timestamp': timestamp } : {}),
        ...(chance.next() < 0.97 ? { 'webhook-signature': chance.next() < 0.8 ? signed : chance.pick(forged) } : {})
      },
      body: text
    }
  },
  check({ status, text }) {
    if (status === 202) z.strictObject({ accepted: z.literal(true), id: z.string().min(1), duplicate: z.boolean() }).parse(JSON.parse(text))
    else if (status < 400) throw new Error(`a webhook was answered with ${status}`)
  },
  good: {
    request({ webhookSecret }) {
      const [body, id, timestamp] = ['{"type":"deal.won"}', randomUUID(), String(Math.floor(Date.now() / 1_000))]
      const signature = `v1,${signatureOf(webhookSecret, id, timestamp, Buffer.from(body))}`
      const headers = { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
      return { method: 'POST', path: '/api/webhooks/crm', headers, body }
    },
    check: (answer) => void expectJson(answer, 202, 'accepted')
  }
})
