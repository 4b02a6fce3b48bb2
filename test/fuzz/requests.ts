// Malformed requests of REST, server-sent events and webhooks, and of gRPC: over real HTTP clients where HTTP itself is right, by hand where
// it is not.
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect } from 'node:net'
import { Pool } from 'undici'
import { z } from 'zod'
import { GOOD_MS, within, type FuzzedDialect, type Lane, type Target } from './fuzz.ts'
import { hostileBytes, hostileText, spoil, spoiltText, type Chance } from './hostile.ts'

const sessions = '/api/v1/admin/chat/sessions'
const question = {
  message: 'x',
  context: { client: 'N' },
  user_id: 'fuzz',
  session_id: 's',
  turn_id: '0190a000-0000-7000-8000-00000000000c',
  after_seq: 0,
  quick_action: 'cost'
}
const routes: readonly (readonly [string, string, unknown])[] = [
  ['POST', '/api/ai/chat', question],
  ['POST', '/api/ai/chat', { message: 'x' }],
  ['POST', '/api/ai/stream', question],
  ['POST', '/api/ai/stream', { message: 'x' }],
  ['GET', '/api/ai/status', undefined],
  ['POST', sessions, { client_name: 'N', context: 'c', meeting_type: 'm', metadata: { a: [1] } }],
  ['GET', `${sessions}?limit=*&cursor=*`, undefined],
  ['GET', `${sessions}/*`, undefined],
  ['PUT', `${sessions}/*`, { context: { a: 'b' } }],
  ['DELETE', `${sessions}/*`, undefined],
  ['GET', `${sessions}/*/history?limit=*&before=*`, undefined],
  ['POST', `${sessions}/*/messages`, { content: 'x', message_id: 'm', metadata: { context: {}, quick_action: 'cost' } }],
  ['POST', '/api/webhooks/*', { type: 'x' }],
  ['POST', '/api/webhooks/crm', { type: 'x' }],
  ['GET', '/*', undefined]
]
const statuses = new Set([200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 431, 503, 504])
const errorBody = z.strictObject({
  error: z.strictObject({
    code: z.string().min(1),
    message: z.string().min(1),
    details: z.record(z.string(), z.string()),
    retry_after: z.number().optional(),
    correlation_id: z.string().min(1)
  })
})

/** A request that a client can write at all; what it can't is sent by hand. */
function badRequest(chance: Chance, token: string) {
  const [method, path, body] = chance.pick(routes)
  const headers: Record<string, string> = {
    authorization: chance.next() < 0.95 ? `Bearer ${token}` : `Bearer ${encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 10_000)}`,
    'webhook-id': encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 500),
    'webhook-timestamp': chance.pick([String(Math.floor(Date.now() / 1_000)), '0', 'x', '99999999999999']),
    'webhook-signature': chance.pick(['v1,AAAA', 'v1', ',', `v1,${'A'.repeat(44)}`])
  }
  const text = body === undefined && chance.next() < 0.9 ? null : spoiltText(spoil(body, chance), chance)
  if (text !== null)
    headers['content-type'] =
      chance.next() < 0.95
        ? 'application/json'
        : chance.pick(['text/plain', 'application/xml', 'application/json; charset=latin1', 'x', 'multipart/form-data'])
  const wild = (): string => encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 2_000)
  return {
    method: (chance.next() < 0.97 ? method : chance.pick(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])) as 'GET',
    path: path.replaceAll('*', wild),
    headers,
    body: text
  }
}

export const rest: FuzzedDialect = {
  name: 'rest',
  async open({ http, token }): Promise<Lane> {
    const pool = new Pool(`http://${http}`, { connections: 48, pipelining: 1 })
    const one = async (request: ReturnType<typeof badRequest>): Promise<void> => {
      const { statusCode, headers, body } = await pool.request(request)
      const text = await body.text()
      const seen = `${request.method} ${request.path.slice(0, 200)} ${String(request.body).slice(0, 500)}: ${statusCode} ${text.slice(0, 500)}`
      if (!statuses.has(statusCode)) throw new Error(`a status that is not specified: ${seen}`)
      if (statusCode >= 400 && request.method !== ('HEAD' as string) && !errorBody.safeParse(JSON.parse(text)).success)
        throw new Error(`a body that is not specified: ${seen}`)
      // Empty: a named turn of which the client says that it has read everything.
      if (String(headers['content-type']).startsWith('text/event-stream') && text !== '' && !/^(event: error\n)?data: \{/.test(text))
        throw new Error(`no events: ${seen}`)
    }
    return {
      async batch(size, chance) {
        const requests = Array.from({ length: size }, () => badRequest(chance, token))
        for (let at = 0; at < size; at += 16)
          await Promise.all(requests.slice(at, at + 16).map((request) => within(GOOD_MS, 'no answer', one(request))))
        await rawHttp(http, chance)
        const body = JSON.stringify({ message: 'good' })
        const answer = await pool.request({
          method: 'POST',
          path: '/api/ai/chat',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body
        })
        const { response } = (await answer.body.json()) as { response?: string }
        if (response !== 'ok') throw new Error(`the good message was answered with ${answer.statusCode}`)
      },
      close: () => pool.destroy()
    }
  }
}

/** Bytes that are no HTTP; an answer, where there is one, is a refusal. */
async function rawHttp(http: string, chance: Chance): Promise<void> {
  const line = chance.pick([
    'GET / HTTP/1.1',
    'POST /api/ai/chat HTTP/1.1',
    'GET  HTTP/9.9',
    `GET ${hostileText(chance)} HTTP/1.1`,
    'PRI * HTTP/2.0',
    ''
  ])
  const header = chance.pick([
    'Host: x',
    'Content-Length: -1',
    'Content-Length: 9999999999999',
    'Transfer-Encoding: chunked\r\nContent-Length: 5',
    `X: ${'x'.repeat(20_000)}`,
    'Expect: nothing',
    'Upgrade: websocket\r\nConnection: Upgrade'
  ])
  const text = await sendRaw(http, Buffer.concat([Buffer.from(`${line}\r\n${header}\r\n\r\n`), hostileBytes(chance, 300)]))
  if (text !== '' && !/^HTTP\/1\.1 [45]\d\d /.test(text)) throw new Error(`garbage was answered with ${text.slice(0, 200)}`)
}

async function sendRaw(address: string, bytes: Buffer): Promise<string> {
  const [host = '', port = '0'] = address.split(':')
  const socket = connect(Number(port), host)
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')))
  socket.end(bytes)
  await within(GOOD_MS, 'garbage kept the connection open', once(socket, 'close'))
  return text
}

/* --- gRPC --- */

const methods = ['ai.AICopilot/Chat', 'ai.AICopilot/StreamChat', 'ai.AICopilot/HealthCheck', 'ai.AICopilot/CancelTurn', 'grpc.health.v1.Health/Check']
/** Every status but UNKNOWN, ABORTED and DATA_LOSS, which nothing here means. INTERNAL is grpc-js's word for bytes that are no message. */
const grpcStatuses = new Set([0, 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16])

function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  return Buffer.from([...out, rest])
}
const delimited = (field: number, data: Buffer): Buffer => Buffer.concat([varint(field * 8 + 2), varint(data.length), data])

/** Fields with wrong wire types and lengths, unknown ones, texts that are no texts. */
function badMessage(chance: Chance): Buffer {
  if (chance.next() < 0.1) return hostileBytes(chance, 200)
  const parts = Array.from({ length: chance.below(6) }, () => {
    const field = chance.pick([1, 1, 2, 3, 4, 10, 11, 12, 13, 99, 536_870_911])
    const kind = chance.next()
    if (kind < 0.5) return delimited(field, Buffer.from(hostileText(chance)))
    if (kind < 0.6) return delimited(field, hostileBytes(chance))
    if (kind < 0.7)
      return delimited(2, Buffer.concat([delimited(1, Buffer.from(hostileText(chance))), delimited(2, Buffer.from(hostileText(chance)))]))
    if (kind < 0.85) return Buffer.concat([varint(field * 8 + chance.pick([0, 1, 3, 4, 5, 6, 7])), hostileBytes(chance, 12)])
    return Buffer.concat([varint(field * 8), varint(chance.pick([0, 1, 2 ** 31, 2 ** 53]))])
  })
  const whole = Buffer.concat(parts)
  return chance.next() < 0.1 ? whole.subarray(0, chance.below(whole.length + 1)) : whole
}

function framed(message: Buffer, chance: Chance): Buffer {
  const head = Buffer.alloc(5)
  const kind = chance.next()
  head.writeUInt8(kind < 0.97 ? 0 : chance.below(256), 0)
  head.writeUInt32BE(kind < 0.95 ? message.length : chance.pick([0, 1, message.length + 5, 4_294_967_295, 2_000_000]), 1)
  return kind < 0.96 || kind > 0.97 ? Buffer.concat([head, message]) : hostileBytes(chance, 10)
}

interface GrpcAnswer {
  readonly status: number | null
  readonly message: string
}

async function callGrpc(
  session: ClientHttp2Session,
  { path, body, token, type = 'application/grpc' }: { path: string; body: Buffer; token: string; type?: string }
): Promise<GrpcAnswer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': type,
    te: 'trailers',
    authorization: `Bearer ${token}`,
    'grpc-timeout': '15S'
  })
  let status: number | null = null
  let message = ''
  const read = (headers: IncomingHttpHeaders): void => {
    if (headers['grpc-status'] === undefined) return
    status = Number(headers['grpc-status'])
    message = headers['grpc-message']?.toString() ?? ''
  }
  stream.on('response', read)
  stream.on('trailers', read)
  stream.on('error', () => undefined)
  stream.resume()
  stream.end(body)
  await within(GOOD_MS, `${path} has no answer`, new Promise<void>((resolve) => void stream.once('close', () => resolve())))
  return { status, message }
}

export const grpc: FuzzedDialect = {
  name: 'grpc',
  async open(target: Target): Promise<Lane> {
    const dial = (): ClientHttp2Session => connectHttp2(`http://${target.grpc}`).on('error', () => undefined)
    let session = dial()
    const one = async (chance: Chance): Promise<void> => {
      const path = `/${chance.next() < 0.97 ? chance.pick(methods) : encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 200)}`
      const type = chance.next() < 0.98 ? 'application/grpc' : chance.pick(['application/json', 'application/grpc+json', 'text/plain'])
      const body = framed(badMessage(chance), chance)
      const { status, message } = await callGrpc(session, { path, body, type, token: chance.next() < 0.97 ? target.token : 'forged' })
      // Null: refused as HTTP, or the stream was reset, which is the transport's way.
      if (status !== null && !grpcStatuses.has(status))
        throw new Error(`status ${status} (${message}) for ${path} ${body.toString('hex').slice(0, 400)}`)
    }
    return {
      async batch(size, chance) {
        for (let sent = 0; sent < size; sent += 32) {
          if (session.closed || session.destroyed) session = dial()
          await Promise.all(Array.from({ length: Math.min(32, size - sent) }, () => one(chance)))
        }
        const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
        const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
        await sendRaw(
          target.grpc,
          Buffer.concat([
            Buffer.from(chance.next() < 0.8 ? preface : ''),
            chance.next() < 0.8 ? settings : Buffer.alloc(0),
            hostileBytes(chance, 300)
          ])
        )
        if (session.closed || session.destroyed) session = dial()
        const message = delimited(1, Buffer.from('good'))
        const head = Buffer.from([0, 0, 0, 0, message.length])
        const { status } = await callGrpc(session, { path: '/ai.AICopilot/Chat', body: Buffer.concat([head, message]), token: target.token })
        if (status !== constants.NGHTTP2_NO_ERROR) throw new Error(`the good message was answered with ${status}`)
      },
      async close() {
        session.destroy()
        await Promise.resolve()
      }
    }
  }
}
