// Who gets in, on every path of every dialect: nobody with a bad token, and nobody with a good one into what is another's. The paths are read
// off the service, so that one that is added is tested, or fails this until it is said why it needs no token.
import { status as grpcStatus } from '@grpc/grpc-js'
import { io } from 'socket.io-client'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AICopilotService } from '../../src/shared/wire/gen/ai.ts'
import { frameClient } from '../fakes/service-frames.ts'
import { startIdentity, type Identity } from '../fakes/service-identity.ts'
import { askHttp, callBytes, grpcPaths, knockAtWebSocket, routesOf, socketIoEvents, webSocketPaths, type Route } from '../fakes/service-paths.ts'
import { grpcClient, root, startHere, toldProvider, type ServiceHere } from '../fakes/service-running.ts'
import { badIdentityTokens, badTokens } from '../fakes/service-tokens.ts'

/** What is asked without a token, and why. */
const open: Readonly<Record<string, string>> = {
  'GET /healthz': 'says only that the process lives',
  'GET /readyz': 'probes have no token',
  'POST /api/webhooks/:source': 'signed by its source; its refusals are tested in service-webhooks.test.ts'
}

const model = toldProvider()
let identity: Identity
let here: ServiceHere
let routes: readonly Route[]
let bad: Readonly<Record<string, string>>
beforeAll(async () => {
  identity = await startIdentity()
  const environment = { ...identity.environment, ASIDE_RESOURCES_DIR: `${root}resources` }
  ;({ started: here, routes } = await routesOf(() => startHere({ providers: [model], environment })))
  bad = { ...(await badTokens(here.dataDir)), ...(await badIdentityTokens(identity, here.dataDir)) }
})
afterAll(async () => {
  await here[Symbol.asyncDispose]()
  await identity[Symbol.asyncDispose]()
})

const nameOf = ({ method, url }: Route): string => `${method} ${url}`
const guarded = (): Route[] => routes.filter((route) => !Object.hasOwn(open, nameOf(route)))
const withIds = ({ method, url }: Route): Route => ({ method, url: url.replaceAll(/:\w+/g, 'x') })
const json = { 'content-type': 'application/json' }
const typeOf = (route: Route): Record<string, string> => (bodyOf(route) === undefined ? {} : json)
const bodyOf = ({ method }: Route): string | undefined => (method === 'POST' || method === 'PUT' ? '{}' : undefined)
/** Larger than what Node takes of headers at all. */
const HUGE = 'x'.repeat(65_536)

async function knockAtSocketIo(transport: 'websocket' | 'polling', options: Parameters<typeof io>[1]): Promise<number | undefined> {
  const socket = io(`http://${here.service.http}`, { transports: [transport], forceNew: true, reconnection: false, ...options })
  const refusal = await new Promise<{ data?: { code?: number } }>((resolve) => {
    socket.once('connect_error', resolve)
    socket.once('connect', () => resolve({}))
  })
  socket.disconnect()
  return refusal.data?.code
}

const { OK, UNAUTHENTICATED }: Readonly<Record<string, number>> = { OK: grpcStatus.OK, UNAUTHENTICATED: grpcStatus.UNAUTHENTICATED }

describe('a bad token', () => {
  it('is refused by every route of HTTP', async () => {
    expect(guarded().length).toBeGreaterThan(30)
    for (const name of Object.keys(open)) expect(routes.map(nameOf)).toContain(name)
    const letIn: string[] = []
    for (const route of guarded()) {
      for (const [what, token] of Object.entries({ ...bad, empty: '' })) {
        const { status, text } = await askHttp(
          here.service.http,
          withIds(route),
          { ...typeOf(route), authorization: `Bearer ${token}` },
          bodyOf(route)
        )
        if (status !== 401 || !text.includes('"UNAUTHENTICATED"')) letIn.push(`${nameOf(route)}: ${what}: ${status}`)
      }
      const without = await askHttp(here.service.http, withIds(route), typeOf(route), bodyOf(route))
      const huge = await askHttp(here.service.http, withIds(route), { ...typeOf(route), authorization: `Bearer ${HUGE}` }, bodyOf(route))
      if (without.status !== 401 || huge.status !== 431) letIn.push(`${nameOf(route)}: none ${without.status}, 64 kB ${huge.status}`)
    }
    expect(letIn).toEqual([])
  }, 60_000)

  it('is refused by every method of gRPC', async () => {
    const paths = await grpcPaths(here.service.grpc)
    expect([...paths].toSorted()).toEqual(Object.values(AICopilotService).map(({ path }) => path).toSorted()) // prettier-ignore
    const letIn: string[] = []
    for (const path of paths) {
      for (const [what, token] of Object.entries(bad)) {
        const status = await callBytes(here.service.grpc, path, { token })
        if (status !== UNAUTHENTICATED) letIn.push(`${path}: ${what}: ${status}`)
      }
      // Probes come without a token.
      const expected = path.endsWith('/HealthCheck') ? OK : UNAUTHENTICATED
      const without = await callBytes(here.service.grpc, path)
      if (without !== expected) letIn.push(`${path}: none: ${without}`)
      if ((await callBytes(here.service.grpc, path, { token: HUGE })) === OK) letIn.push(`${path}: 64 kB`)
    }
    expect(letIn).toEqual([])
  }, 60_000)

  it('is refused by every WebSocket, wherever it stands', async () => {
    const letIn: string[] = []
    for (const path of webSocketPaths()) {
      const url = `ws://${here.service.http}${path}`
      for (const [what, token] of Object.entries(bad)) {
        const codes = [
          await knockAtWebSocket(url, { headers: { authorization: `Bearer ${token}` } }),
          await knockAtWebSocket(url, { protocols: ['bearer', token] })
        ]
        if (codes.some((code) => code !== 1008)) letIn.push(`${path}: ${what}: ${codes.join(' ')}`)
      }
      const codes = [await knockAtWebSocket(url, {}), await knockAtWebSocket(url, { headers: { authorization: `Bearer ${HUGE}` } })]
      if (codes.join(' ') !== '1008 431') letIn.push(`${path}: none and 64 kB: ${codes.join(' ')}`)
    }
    expect(letIn).toEqual([])
  }, 60_000)

  it('is refused by Socket.IO, over both transports', async () => {
    const letIn: string[] = []
    for (const transport of ['websocket', 'polling'] as const) {
      for (const [what, token] of Object.entries({ ...bad, empty: '', '64 kB': HUGE })) {
        const code = await knockAtSocketIo(transport, { auth: { token } })
        if (code !== 1008) letIn.push(`${transport}: ${what}: ${code}`)
      }
      const inHeader = await knockAtSocketIo(transport, { extraHeaders: { authorization: `Bearer ${bad['forged'] ?? ''}` } })
      if (inHeader !== 1008) letIn.push(`${transport}: in the header: ${inHeader}`)
    }
    expect(letIn).toEqual([])
  }, 60_000)

  it('that runs out on a connection ends it at the next event, whichever', async () => {
    const ttlMs = 3_000
    const token = await here.token('anna', ttlMs)
    const spoken = await Promise.all(
      socketIoEvents().map(async (event) => {
        const socket = io(`http://${here.service.http}`, { transports: ['websocket'], forceNew: true, reconnection: false, auth: { token } })
        await new Promise((resolve) => void socket.once('connect', () => resolve(null)))
        await new Promise((resolve) => setTimeout(resolve, ttlMs + 50))
        const told = new Promise<{ code?: number }>((resolve) => void socket.once('error', resolve))
        const ended = new Promise((resolve) => void socket.once('disconnect', resolve))
        const ack = new Promise<{ ok?: boolean }>((resolve) =>
          socket.emit(event, { message: 'x', content: 'x', thread_id: 't', turn_id: uuidv7() }, resolve)
        )
        await ended
        return [event, (await told).code, (await ack).ok]
      })
    )
    expect(spoken).toEqual(socketIoEvents().map((event) => [event, 1008, false]))
    expect(model.asked).toHaveLength(0)
  }, 60_000)
})

describe('a good token in the address', () => {
  it('lets nobody in anywhere, and is refused also beside a good one in the header', async () => {
    const token = await here.token()
    const letIn: string[] = []
    for (const route of guarded()) {
      for (const name of ['token', 'access_token', 'jwt']) {
        const { method, url } = withIds(route)
        const spent = { method, url: `${url}?${name}=${token}` }
        const alone = await askHttp(here.service.http, spent, typeOf(route), bodyOf(route))
        const beside = await askHttp(here.service.http, spent, { ...typeOf(route), authorization: `Bearer ${token}` }, bodyOf(route))
        if (alone.status !== 401 || beside.status !== 401) letIn.push(`${nameOf(route)}: ${name}: ${alone.status} ${beside.status}`)
      }
    }
    for (const path of webSocketPaths()) {
      const code = await knockAtWebSocket(`ws://${here.service.http}${path}?token=${token}`, { headers: { authorization: `Bearer ${token}` } })
      if (code !== 1008) letIn.push(`${path}: ${code}`)
    }
    for (const transport of ['websocket', 'polling'] as const) {
      const code = await knockAtSocketIo(transport, { query: { token }, auth: { token } })
      if (code !== 1008) letIn.push(`Socket.IO ${transport}: ${code}`)
    }
    expect(letIn).toEqual([])
  }, 60_000)
})

describe('a good token', () => {
  it('of the service and of the provider gets in', async () => {
    for (const token of [await here.token(), await identity.token()]) {
      expect((await askHttp(here.service.http, { method: 'GET', url: '/api/ai/status' }, { authorization: `Bearer ${token}` })).status).toBe(200)
    }
  })
})

describe('another’s good token', () => {
  const sessions = '/api/v1/admin/chat/sessions'
  const asked = async (userId: string, route: Route, body?: object): Promise<{ status: number; json: Record<string, unknown> }> => {
    const headers = { ...(body === undefined ? {} : json), authorization: `Bearer ${await here.token(userId)}` }
    const { status, text } = await askHttp(here.service.http, route, headers, body === undefined ? undefined : JSON.stringify(body))
    return { status, json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} }
  }
  const post = (url: string): Route => ({ method: 'POST', url })
  const session = async (): Promise<string> => String((await asked('anna', post(sessions), { client_name: 'Northwind' })).json['id'])
  const input = async (): Promise<string> => String((await asked('anna', post('/api/v1/agent/inputs'), { type: 'note' })).json['id'])
  const task = async (): Promise<string> =>
    String((await asked('anna', post('/api/v1/agent/tasks'), { name: 'n', cron: '0 9 * * 1', type: 'note' })).json['taskId'])
  const nobodys = (): Promise<string> => Promise.resolve('anna')

  /** Of every route with an id in it: whose thing it is, and what a stranger with the role of a user is told. */
  const owned: Readonly<Record<string, readonly [make: () => Promise<string>, status: number]>> = {
    [`GET ${sessions}/:id`]: [session, 404],
    [`PUT ${sessions}/:id`]: [session, 404],
    [`DELETE ${sessions}/:id`]: [session, 404],
    [`GET ${sessions}/:id/history`]: [session, 404],
    [`POST ${sessions}/:id/messages`]: [session, 404],
    'GET /api/v1/agent/inputs/:id': [input, 404],
    'POST /api/v1/agent/reviews/:id': [input, 403],
    'GET /api/v1/agent/tasks/:id': [task, 404],
    'DELETE /api/v1/agent/tasks/:id': [task, 404],
    'GET /api/v1/persons/:id/data': [nobodys, 403],
    'DELETE /api/v1/persons/:id/data': [nobodys, 403],
    'GET /api/v1/knowledge/documents/:id': [nobodys, 403],
    'DELETE /api/v1/knowledge/documents/:id': [nobodys, 403]
  }

  it('reaches nothing of mine by its id, on every route that has one', async () => {
    const withId = guarded().filter(({ url }) => url.includes(':'))
    expect(withId.map(nameOf).toSorted()).toEqual(Object.keys(owned).toSorted())
    const told: Record<string, number> = {}
    for (const route of withId) {
      const [make, expected] = owned[nameOf(route)] ?? [nobodys, 0]
      const id = await make()
      expect([nameOf(route), id]).not.toContain('undefined')
      const url = route.url.replace(':id', encodeURIComponent(id))
      const body = route.method === 'GET' || route.method === 'DELETE' ? undefined : { content: 'x', context: 'c', approve: true, reason: 'r' }
      told[nameOf(route)] = (await asked('eve', { method: route.method, url }, body)).status
      // And it is still there for its owner.
      if (expected === 404) expect((await asked('anna', { method: 'GET', url: url.replace(/\/(?:history|messages)$/, '') })).status).toBe(200)
    }
    expect(told).toEqual(Object.fromEntries(Object.entries(owned).map(([name, [, status]]) => [name, status])))
    expect(model.asked).toHaveLength(0)
  })

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
