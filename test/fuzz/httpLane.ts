// A lane of an HTTP dialect: malformed requests over kept connections, and by hand what no HTTP client would write.
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { Pool } from 'undici'
import { z } from 'zod'
import { checkReplies, GOOD_MS, within, type FuzzedDialect, type Target } from './fuzz.ts'
import { hostileText, spoil, spoiltText, hostileBytes, type Chance } from './hostile.ts'

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | null
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

type Ask = (request: HttpRequest) => Promise<HttpAnswer>

/** What differs between the dialects of REST. */
export interface HttpDialect {
  readonly name: string
  /** Before each batch: what its requests are about. */
  prepare?(ask: Ask, target: Target, chance: Chance): Promise<string>
  bad(chance: Chance, target: Target, prepared: string): HttpRequest
  /** Throws for an answer that is not specified, beyond what holds for all. */
  check?(answer: HttpAnswer, request: HttpRequest): void
  good: { request(target: Target): HttpRequest; check(answer: HttpAnswer, ask: Ask, target: Target): void | Promise<void> }
}

const AT_ONCE = 16
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

export function httpDialect(dialect: HttpDialect): FuzzedDialect {
  return {
    name: dialect.name,
    open(target) {
      const pool = new Pool(`http://${target.http}`, { connections: AT_ONCE, pipelining: 1 })
      const ask: Ask = async ({ method, path, headers, body }: HttpRequest): Promise<HttpAnswer> => {
        const answer = await pool.request({ method: method as 'GET', path, headers, body })
        return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
      }
      let came = 0
      const one = async (request: HttpRequest): Promise<void> => {
        const answer = await within(GOOD_MS, `no answer to ${shown(request)}`, ask(request))
        came += 1
        check(answer, request)
        dialect.check?.(answer, request)
      }
      return Promise.resolve({
        async batch({ size, chance }) {
          came = 0
          const prepared = (await dialect.prepare?.(ask, target, chance)) ?? ''
          const requests = Array.from({ length: size }, () => dialect.bad(chance, target, prepared))
          for (let at = 0; at < size; at += AT_ONCE) await Promise.all(requests.slice(at, at + AT_ONCE).map(one))
          await rawHttp(target.http, chance)
          const answer = await within(GOOD_MS, 'the good message was not answered', ask(dialect.good.request(target)))
          await dialect.good.check(answer, ask, target)
          checkReplies({ due: size, open: 0, came })
          return { due: size, open: 0, came }
        },
        close: () => pool.destroy()
      })
    }
  }
}

function check({ status, text }: HttpAnswer, request: HttpRequest): void {
  const seen = `${shown(request)}: ${status} ${text.slice(0, 500)}`
  if (!statuses.has(status)) throw new Error(`a status that is not specified: ${seen}`)
  if (status >= 400 && request.method !== 'HEAD' && !errorBody.safeParse(JSON.parse(text)).success)
    throw new Error(`a body that is not specified: ${seen}`)
}

function shown({ method, path, body }: HttpRequest): string {
  return `${method} ${path.slice(0, 200)} ${String(body).slice(0, 500)}`
}

export const wild = (chance: Chance): string => encodeURIComponent(hostileText(chance).toWellFormed())

/** A method, a path in which `*` is anything, and a good body; undefined: none. */
export type Route = readonly [string, string, unknown]

/** A request that a client can write at all, with something wrong. */
export function badRequest(chance: Chance, [method, path, body]: Route, { token, known = '' }: { token: string; known?: string }): HttpRequest {
  const text = body === undefined && chance.next() < 0.9 ? null : spoiltText(spoil(body, chance), chance)
  const odd = ['text/plain', 'application/xml', 'application/json; charset=latin1', 'x', 'multipart/form-data']
  return {
    method: chance.next() < 0.97 ? method : chance.pick(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD']),
    path: path
      .replaceAll('{id}', () => (known !== '' && chance.next() < 0.8 ? known : wild(chance).slice(0, 2_000)))
      .replaceAll('*', () => wild(chance).slice(0, 2_000)),
    headers: {
      authorization: `Bearer ${chance.next() < 0.97 ? token : wild(chance).slice(0, 10_000)}`,
      ...(chance.next() < 0.9 ? {} : { 'x-correlation-id': wild(chance).slice(0, 500) }),
      ...(text === null ? {} : { 'content-type': chance.next() < 0.95 ? 'application/json' : chance.pick(odd) })
    },
    body: text
  }
}

export function goodRequest(method: string, path: string, token: string, body: unknown): HttpRequest {
  return { method, path, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body) }
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

/** Resolves with what came back when the service has closed the connection. */
export async function sendRaw(address: string, bytes: Buffer): Promise<string> {
  const [host = '', port = '0'] = address.split(':')
  const socket = connect(Number(port), host)
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')))
  socket.end(bytes)
  // Also by a reset, which `events.once` would take for a failure.
  await within(GOOD_MS, 'garbage kept the connection open', new Promise((resolve) => void socket.once('close', resolve)))
  return text
}
