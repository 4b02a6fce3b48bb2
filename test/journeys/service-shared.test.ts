// Two whole services on one PostgreSQL: what is begun at one goes on at the other, and nothing is done twice.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { v7 as uuidv7 } from 'uuid'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import { tempFolder, type TempFolder } from '../fakes/service-parts.ts'
import { root, startHere, startProgram, toldProvider, type HereOptions, type ServiceHere } from '../fakes/service-running.ts'
import { startPostgres, type PostgresServer } from '../servers/postgres.ts'

const base = '/api/v1/admin/chat/sessions'
const soon = { timeout: 15_000, interval: 400 }
let server: PostgresServer
let keys: TempFolder
let url: string
/** On `url`; where a test stops none, it takes these. */
let one: ServiceHere
let other: ServiceHere

beforeAll(async () => {
  server = await startPostgres()
  keys = await tempFolder()
  url = await server.database()
  const environment = { AI_LIMITS_FILE: join(root, 'test/fixtures/shared-limits.json') }
  one = await begin(url, { environment })
  other = await begin(url, { environment })
}, 30_000)
afterAll(async () => {
  await one[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await keys[Symbol.asyncDispose]()
})

const run = (sql: string): Promise<readonly Record<string, unknown>[]> => server.run(sql, new URL(url).pathname.slice(1))
const begin = (database: string, { environment, ...options }: HereOptions = {}): Promise<ServiceHere> =>
  startHere({ ...options, environment: { DATABASE_URL: database, ASIDE_KEYS_DIR: keys.path, ...environment } })
const tokenOf = async (role: string): Promise<string> =>
  await issueToken(await signingKeys(keys.path), { userId: role === 'user' ? 'anna' : role, role, ttlMs: 60_000, now: Date.now(), tokenId: uuidv7() })

async function call(
  here: { readonly service: Pick<ServiceHere['service'], 'http'> },
  method: string,
  path: string,
  { role = 'user', body }: { role?: string; body?: unknown } = {}
) {
  const response = await fetch(`http://${here.service.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(role)}`, 'content-type': 'application/json' },
    ...(body === undefined ? (method === 'GET' ? {} : { body: '{}' }) : { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> }
}
/** A server of a test's own. */
async function serve(handle: RequestListener): Promise<AsyncDisposable & { readonly url: string }> {
  const http = createServer(handle).listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    }
  }
}
const makeSession = async (here: ServiceHere): Promise<string> =>
  String((await call(here, 'POST', base, { body: { client_name: 'Northwind', context: 'A retailer.' } })).body['session_id'])

describe('two services on one PostgreSQL', () => {
  it('show the same sessions and messages, take each other’s tokens, and write one audit log that verifies', async () => {
    const session = await makeSession(one)
    expect((await call(other, 'GET', base)).body['sessions']).toMatchObject([{ session_id: session, client_name: 'Northwind' }])
    const question = { content: 'Which Harbor class for archives?', message_id: 'm1' }
    const first = await call(one, 'POST', `${base}/${session}/messages`, { body: question })
    expect(first.status).toBe(200)
    const answer = String(first.body['content'])
    const history = (await call(other, 'GET', `${base}/${session}/history`)).body['messages'] as { content: string }[]
    expect(history.map(({ content }) => content)).toEqual([question.content, answer])
    // The same message, sent to the other: not asked again, and answered with the same words.
    const again = await call(other, 'POST', `${base}/${session}/messages`, { body: question })
    expect(again).toMatchObject({ status: 200, body: { content: answer } })
    expect(await run('SELECT 1 FROM chat_message')).toHaveLength(2)
    const exported = await fetch(`http://${other.service.http}/api/v1/me/data`, { headers: { authorization: `Bearer ${await tokenOf('user')}` } })
    expect(await exported.text()).toContain(JSON.stringify(answer))
    for (const here of [one, other]) expect((await call(here, 'GET', '/api/v1/audit/verify', { role: 'admin' })).body).toMatchObject({ ok: true })
    const starts = (await call(one, 'GET', '/api/v1/audit', { role: 'admin' })).body['entries'] as { action: string; n: number }[]
    expect(starts.filter(({ action }) => action === 'service.started')).toHaveLength(2)
    const environment = { ...process.env, DATABASE_URL: url, ASIDE_KEYS_DIR: keys.path, ASIDE_DATA_DIR: join(one.dataDir, '..') }
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'src/service/bin/audit.ts')], { env: environment })
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, brokenAt: null })
  })

  it('answer at the other what one had begun when it stopped', async () => {
    const database = await server.database()
    const stuck = toldProvider()
    const able = toldProvider()
    const ending = await begin(database, { providers: [stuck], environment: { AI_DRAIN_TIMEOUT: '1s' } })
    await using staying = await begin(database, { providers: [able] })
    const session = await makeSession(ending)
    const asked = call(ending, 'POST', `${base}/${session}/messages`, { body: { content: 'Still there?', message_id: 'm1' } }).catch(() => null)
    await vi.waitUntil(() => stuck.asked.length === 1, soon)
    await ending[Symbol.asyncDispose]()
    await asked
    await vi.waitUntil(() => able.asked.length === 1, soon)
    able.say('Yes, here.')
    able.finish()
    await vi.waitFor(async () => {
      const { body } = await call(staying, 'GET', `${base}/${session}/history`)
      expect((body['messages'] as { content: string }[]).map(({ content }) => content)).toEqual(['Still there?', 'Yes, here.'])
    }, soon)
  })

  it('answer at the other what one was at when it was killed, once, and count its money', async () => {
    const database = await server.database()
    const asked = Promise.withResolvers<void>()
    // A model that takes the question and never answers.
    await using silent = await serve((request, response) => {
      if (request.url?.endsWith('/models') === true) response.end('{"data":[{"id":"m"}]}')
      else asked.resolve()
    })
    await using folder = await tempFolder()
    await using victim = await startProgram({
      DATABASE_URL: database,
      ASIDE_KEYS_DIR: keys.path,
      ASIDE_DATA_DIR: folder.path,
      OPENAI_BASE_URL: `${silent.url}/v1`,
      ASIDE_LOCAL_KNOWLEDGE: '0'
    })
    const name = new URL(database).pathname.slice(1)
    // Not the usual 15 s, for the test's sake; more than the 3 s between two signs of life.
    await server.run(
      `CREATE OR REPLACE FUNCTION service_silence() RETURNS interval IMMUTABLE LANGUAGE sql AS $$ SELECT interval '5 seconds' $$`,
      name
    )
    const able = toldProvider()
    await using staying = await begin(database, { providers: [able] })
    const session = await makeSession(staying)
    const message = { content: 'Still there?', message_id: 'm1' }
    const broken = call({ service: { http: victim.ready?.http ?? '' } }, 'POST', `${base}/${session}/messages`, { body: message }).catch(() => null)
    await asked.promise
    victim.child.kill('SIGKILL')
    await broken
    await vi.waitUntil(() => able.asked.length === 1, { timeout: 18_000, interval: 100 })
    able.say('Yes, here.')
    able.finish()
    await vi.waitFor(async () => {
      const { body } = await call(staying, 'GET', `${base}/${session}/history`)
      expect((body['messages'] as { content: string }[]).map(({ content }) => content)).toEqual(['Still there?', 'Yes, here.'])
    }, soon)
    await vi.waitFor(async () => {
      const outcomes = await server.run('SELECT outcome FROM cost_attempt ORDER BY position', name)
      expect(outcomes).toEqual([{ outcome: 'lost' }, { outcome: 'answered' }])
    }, soon)
  }, 45_000)

  it('run a due task once', async () => {
    const order = { name: 'Tick', cron: '* * * * * *', type: 'tick', text: 'Which Harbor class for archives?' }
    const { status, body } = await call(one, 'POST', '/api/v1/agent/tasks', { body: order })
    expect(status).toBe(201)
    const id = String(body['taskId'])
    // The other one has been asleep since before the task was: an input of its own wakes it.
    await call(other, 'POST', '/api/v1/agent/inputs', { body: { type: 'note', content: { text: 'Hello' } } })
    await vi.waitUntil(async () => (await run("SELECT 1 FROM agent_input WHERE source = 'schedule'")).length >= 3, soon)
    await call(other, 'DELETE', `/api/v1/agent/tasks/${id}`)
    await vi.waitUntil(async () => (await run("SELECT 1 FROM agent_input WHERE state = 'waiting'")).length === 0, soon)
    const [task] = await run('SELECT runs, state FROM scheduled_task')
    const inputs = await run("SELECT input_id, state FROM agent_input WHERE source = 'schedule'")
    expect(task).toEqual({ runs: inputs.length, state: 'cancelled' })
    expect(inputs.every((input) => input['state'] === 'settled')).toBe(true)
  })

  it('find at both a document that was brought to one, until it is removed', async () => {
    const path = '/api/v1/knowledge/documents'
    const added = await fetch(`http://${one.service.http}${path}?client=Northwind&name=offer.md`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf('admin')}`, 'content-type': 'application/octet-stream' },
      body: '# Offer\n\nThe zeppelin hangar in Friedrichshafen costs 4,200 a month.\n'
    })
    expect(added.status).toBeLessThan(300)
    const find = async (here: ServiceHere): Promise<string> =>
      JSON.stringify(
        (
          await call(here, 'POST', '/api/ai/chat', {
            role: 'admin',
            body: { message: 'What does the zeppelin hangar in Friedrichshafen cost?', context: { client_name: 'Northwind' } }
          })
        ).body
      )
    await vi.waitFor(async () => expect(await find(other)).toContain('4,200'), soon)
    expect(await find(one)).toContain('4,200')
    const [document] = (await call(other, 'GET', path, { role: 'admin' })).body['documents'] as { id: string; state: string }[]
    expect(document?.state).toBe('ready')
    expect((await call(other, 'DELETE', `${path}/${document?.id}`, { role: 'admin' })).status).toBe(204)
    await vi.waitFor(async () => expect(await find(one)).not.toContain('4,200'), soon)
  })

  it('say that they can’t while the database is away, and go on when it is back', async () => {
    await using own = await startPostgres()
    await using here = await begin(await own.database())
    const session = await makeSession(here)
    await own.halt()
    const refused = await call(here, 'GET', `${base}/${session}`)
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'AI_UNAVAILABLE', retry_after: expect.any(Number) } } })
    expect(JSON.stringify(refused.body)).not.toMatch(/aside:|postgres:/)
    const ready = async (): Promise<number> => (await fetch(`http://${here.service.http}/readyz`)).status
    await vi.waitFor(async () => expect(await ready()).toBe(503), soon)
    await own.resume()
    await vi.waitFor(async () => expect(await ready()).toBe(200), soon)
    expect((await call(here, 'GET', `${base}/${session}`)).status).toBe(200)
    expect(JSON.stringify(here.logger.lines)).not.toContain(new URL(own.url()).password)
  })

  it('refuse a service that signs with another key, in one sentence', async () => {
    await using alone = await tempFolder()
    await expect(begin(url, { environment: { ASIDE_KEYS_DIR: alone.path } })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('ASIDE_KEYS_DIR')
    })
  })

  it('share budgets, and what lifts them', async () => {
    const ask = (here: ServiceHere) => call(here, 'POST', '/api/ai/chat', { body: { message: 'Which Harbor class for archives?' } })
    expect((await ask(one)).status).toBe(200)
    const month = new Date().toISOString().slice(0, 7)
    // As if a third one had spent it.
    await run(
      `INSERT INTO cost_month (organisation, month, purse, spent_micros) VALUES ('default', '${month}', 'whole', 1000000)
       ON CONFLICT (organisation, month, purse) DO UPDATE SET spent_micros = 1000000`
    )
    expect([(await ask(one)).status, (await ask(other)).status]).toEqual([402, 402])
    const lifted = await call(one, 'POST', '/api/v1/admin/limits/override', {
      role: 'admin',
      body: { organisation: 'default', for: '1h', reason: 'Board' }
    })
    expect(lifted.status).toBeLessThan(300)
    expect((await ask(one)).status).toBe(200)
    await vi.waitFor(async () => expect((await ask(other)).status).toBe(200), soon)
  })
})
