// Who gets in, on every path of every dialect: nobody with a bad token, and nobody with a good one into what is another's.
import { status as grpcStatus } from '@grpc/grpc-js'
import { io } from 'socket.io-client'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signatureOf } from '../../src/service/gateway/webhookSignature.ts'
import { frameClient } from '../fakes/service-frames.ts'
import { grpcClient, startHere, toldProvider, type ServiceHere } from '../fakes/service-running.ts'
import { badTokens } from '../fakes/service-tokens.ts'

const secret = 'a secret of sixteen characters or more'
const model = toldProvider()
let here: ServiceHere
let bad: Readonly<Record<string, string>>
beforeAll(async () => {
  here = await startHere({ providers: [model], environment: { ASIDE_WEBHOOK_SECRET_CRM: secret } })
  bad = await badTokens(here.dataDir)
})
afterAll(() => here[Symbol.asyncDispose]())

const sessions = '/api/v1/admin/chat/sessions'
type Path = (token: string) => Promise<unknown>

/** Each resolves with how it was refused: an HTTP status, a gRPC status, or a close code. */
const paths: Readonly<Record<string, Path>> = {
  ...Object.fromEntries(
    ['/ws', '/api/v1/admin/chat/ws'].flatMap((path) =>
      [true, false].map((inHeader) => [
        `WebSocket ${path}, token in the ${inHeader ? 'header' : 'protocol'}`,
        async (token: string) => {
          await using client = await frameClient(`ws://${here.service.http}${path}`, inHeader ? { token } : { protocols: ['bearer', token] })
          client.send({ type: 'ai_chat', data: { message: 'x' } })
          client.send({ type: 'message', content: 'x' })
          const code = await client.closed
          expect(client.frames.map(({ type }) => type)).toEqual(['error'])
          return code
        }
      ])
    )
  ),
  ...Object.fromEntries(
    ['websocket', 'polling'].map((transport) => [
      `Socket.IO over ${transport}`,
      async (token: string) => {
        const socket = io(`http://${here.service.http}`, { transports: [transport], auth: { token }, forceNew: true, reconnection: false })
        const refusal = await new Promise<{ data?: { code?: number } }>((resolve) => {
          socket.once('connect_error', resolve)
          socket.once('connect', () => resolve({}))
        })
        socket.disconnect()
        return refusal.data?.code
      }
    ])
  ),
  ...Object.fromEntries(
    (
      [
        ['POST', '/api/ai/chat'],
        ['POST', '/api/ai/stream'],
        ['GET', '/api/ai/status'],
        ['POST', sessions],
        ['GET', sessions],
        ['GET', `${sessions}/x`],
        ['PUT', `${sessions}/x`],
        ['DELETE', `${sessions}/x`],
        ['GET', `${sessions}/x/history`],
        ['POST', `${sessions}/x/messages`]
      ] as const
    ).map(([method, path]) => [
      `${method} ${path}`,
      async (token: string) => {
        const response = await fetch(`http://${here.service.http}${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(method === 'POST' || method === 'PUT' ? { 'content-type': 'application/json' } : {}) },
          ...(method === 'POST' || method === 'PUT' ? { body: JSON.stringify({ message: 'x', content: 'x', client_name: 'x' }) } : {})
        })
        expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED', correlation_id: expect.any(String) } })
        return response.status
      }
    ])
  ),
  'gRPC StreamChat': async (token) => {
    await using grpc = grpcClient(here.service.grpc, token)
    return (await grpc.stream({ message: 'x' })).error?.code
  },
  ...Object.fromEntries(
    (['chat', 'healthCheck', 'cancelTurn'] as const).map((method) => [
      `gRPC ${method}`,
      async (token: string) => {
        await using grpc = grpcClient(here.service.grpc, token)
        return await new Promise((resolve) => {
          const done = (error: { code: number } | null): void => resolve(error?.code)
          if (method === 'chat')
            grpc.client.chat({ message: 'x', context: {}, userId: '', sessionId: '', turnId: '', quickAction: '' }, grpc.metadata, done)
          else if (method === 'healthCheck') grpc.client.healthCheck({}, grpc.metadata, done)
          else grpc.client.cancelTurn({ turnId: uuidv7() }, grpc.metadata, done)
        })
      }
    ])
  )
}

describe('a bad token', () => {
  it.each(Object.entries(paths))('is refused by %s', async (name, path) => {
    const expected = name.startsWith('gRPC') ? grpcStatus.UNAUTHENTICATED : /^(Web|Socket)/.test(name) ? 1008 : 401
    const refusals: Record<string, unknown> = {}
    for (const [what, token] of Object.entries(bad)) refusals[what] = await path(token)
    expect(refusals).toEqual(Object.fromEntries(Object.keys(bad).map((what) => [what, expected])))
    expect(model.asked).toHaveLength(0)
  })
})

describe('another’s good token', () => {
  it('resumes and cancels no turn of mine, over gRPC, WebSocket, Socket.IO and REST', async () => {
    const turnId = uuidv7()
    const mine = new AbortController()
    await using anna = grpcClient(here.service.grpc, await here.token('anna'))
    const answering = anna.stream({ message: 'mine', turnId }, (_piece, cancel) => mine.signal.addEventListener('abort', cancel))
    while (model.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const eve = await here.token('eve')
    await using grpc = grpcClient(here.service.grpc, eve)
    expect((await grpc.stream({ message: 'mine', turnId, afterSeq: 1 })).error?.code).toBe(grpcStatus.NOT_FOUND)
    expect((await grpc.stream({ message: 'mine', turnId })).error?.code).toBe(grpcStatus.NOT_FOUND)
    await using erp = await frameClient(`ws://${here.service.http}/ws`, { token: eve })
    erp.send({ type: 'ai_stream', data: { message: 'mine', turn_id: turnId } })
    expect(await erp.until(({ type }) => type === 'error')).toMatchObject({ data: { code: 4002, error: { code: 'not_found' } } })
    erp.send({ type: 'ai_cancel', data: { turn_id: turnId } })
    expect(await erp.until(({ type }) => type === 'ai_cancel')).toMatchObject({ data: { cancelled: false } })
    const rest = await fetch(`http://${here.service.http}/api/ai/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${eve}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'mine', turn_id: turnId })
    })
    expect(rest.status).toBe(404)
    expect(model.signals.map(({ aborted }) => aborted)).toEqual([false])
    mine.abort()
    await answering
  })
})

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
