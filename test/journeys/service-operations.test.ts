// What an operator sees of the service: its figures, its logs, and that neither holds a word of what was said.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { Metadata } from '@grpc/grpc-js'
import { io } from 'socket.io-client'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import { createLogger, type Logger } from '../../src/service/logging.ts'
import { openDatabase } from '../../src/service/store/database.ts'
import { storeKey } from '../../src/service/store/store.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { grpcClient, startHere, startProgram, toldProvider, type HereOptions, type ServiceHere } from '../fakes/service-running.ts'

interface Watched extends ServiceHere {
  readonly url: string
  get(path: string, token?: string, more?: RequestInit): Promise<Response>
  post(path: string, token: string, body: object, headers?: Record<string, string>): Promise<Response>
}

async function start(options: HereOptions = {}): Promise<Watched> {
  const here = await startHere(options)
  const url = `http://${here.service.http}`
  const bearer = (token?: string): Record<string, string> => (token === undefined ? {} : { authorization: `Bearer ${token}` })
  return Object.assign(here, {
    url,
    get: (path: string, token?: string, more: RequestInit = {}) => fetch(`${url}${path}`, { ...more, headers: bearer(token) }),
    post: (path: string, token: string, body: object, headers: Record<string, string> = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...bearer(token), 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body)
      })
  })
}

/** Answers every question the same way, as soon as it is asked. */
function answering(text: string): ReturnType<typeof toldProvider> {
  const provider = toldProvider()
  return {
    ...provider,
    async *stream() {
      yield { type: 'text', text }
      yield { type: 'usage', inputTokens: 5, outputTokens: 2, cachedTokens: 0 }
      yield { type: 'finish', reason: 'stop' }
    }
  }
}

function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? Number.NaN : Number(line.slice(series.length + 1))
}

describe('metrics', () => {
  it('count what goes through every door, and are shown to those who may see them only', async () => {
    await using here = await start({ providers: [answering('Answered.')] })
    const [anna, admin] = [await here.token('anna'), await here.token('root', 60_000, 'admin')]
    await using grpc = grpcClient(here.service.grpc, anna)
    expect((await grpc.stream({ message: 'One?' })).error).toBeNull()
    expect((await grpc.stream({ message: '' })).error).not.toBeNull()
    expect((await here.post('/api/ai/chat', anna, { message: 'Two?' })).status).toBe(200)
    expect((await here.post('/api/ai/chat', 'bad', { message: 'Two?' })).status).toBe(401)
    const socket = new WebSocket(`ws://${here.service.http}/ws`, { headers: { authorization: `Bearer ${anna}` } })
    const final = Promise.withResolvers<void>()
    socket.on('open', () => socket.send(JSON.stringify({ type: 'ai_stream', data: { message: 'Three?' } })))
    socket.on('message', (data) => (String(data as Buffer).includes('"is_final":true') ? final.resolve() : undefined))
    await final.promise

    expect((await here.get('/metrics')).status).toBe(401)
    expect((await here.get('/metrics', anna)).status).toBe(403)
    const response = await here.get('/metrics', admin)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    socket.terminate()
    const expected: Record<string, number> = {
      'aside_questions_total{dialect="grpc",outcome="done"}': 1,
      'aside_questions_total{dialect="rest",outcome="done"}': 1,
      'aside_questions_total{dialect="erp",outcome="done"}': 1,
      'aside_errors_total{dialect="grpc",code="invalid_request"}': 1,
      'aside_errors_total{dialect="rest",code="unauthenticated"}': 2,
      'aside_errors_total{dialect="rest",code="forbidden"}': 1,
      'aside_grpc_calls_total{method="StreamChat",outcome="ok"}': 1,
      'aside_grpc_calls_total{method="StreamChat",outcome="invalid_request"}': 1,
      'aside_connections{dialect="erp"}': 1,
      'aside_connections{dialect="grpc"}': 0,
      'aside_first_text_seconds_count{dialect="erp"}': 1,
      'aside_tokens_total{provider="told",model="told-1",direction="in"}': 15,
      'aside_provider_ready{provider="told"}': 1,
      'aside_breaker_state{provider="told",model="told-1"}': 0,
      aside_turns_live: 0
    }
    expect(Object.fromEntries(Object.keys(expected).map((series) => [series, valueOf(text, series)]))).toEqual(expected)
    expect(valueOf(text, 'aside_store_commits_total')).toBeGreaterThan(3)
    expect(text).not.toMatch(/anna|root/)
  })
})

/** The service's own logger, at its most talkative, and what it has written. */
function talkative(): { readonly logger: Logger; readonly lines: () => Record<string, unknown>[]; readonly text: () => string } {
  let text = ''
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    }
  })
  return {
    logger: createLogger(destination, 'debug'),
    text: () => text,
    lines: () =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
}

describe('logs', () => {
  it('hold no word of question, context or answer, whichever way they came and whatever went wrong', async () => {
    const words = ['marzipan', 'tugboat', 'quixotic', 'zeppelin', 'xylophone', 'hippogriff', 'Northwind']
    const [question, context, answer, failure, , , client] = words
    const { logger, lines, text } = talkative()
    const provider = toldProvider()
    await using here = await start({ providers: [provider], logger, environment: { ASIDE_LOCAL_KNOWLEDGE: '0' } })
    const anna = await here.token('anna')
    const asked = { message: `What of the ${question}?`, context: { note: `The ${context}`, client_name: client } }
    const tell = (): void => {
      provider.say(`It is ${answer}. `)
      provider.finish()
    }
    await using grpc = grpcClient(here.service.grpc, anna)
    tell()
    expect((await grpc.stream(asked as never)).error).toBeNull()
    tell()
    expect(await (await here.post('/api/ai/chat', anna, { ...asked, message: 'xylophone?' })).text()).toContain(answer)
    tell()
    expect(await (await here.post('/api/ai/stream', anna, { ...asked, message: 'hippogriff?' })).text()).toContain(answer)
    // A bug in an adapter whose words hold what was asked.
    provider.fail(new TypeError(`cannot read ${failure} of ${question}`))
    expect(await (await here.post('/api/ai/chat', anna, asked)).text()).toContain('correlation_id')
    expect((await here.post('/api/ai/chat', anna, { message: asked.message, context: [question] })).status).toBe(400)
    const socket = io(here.url, { auth: { token: anna }, transports: ['websocket'], reconnection: false })
    tell()
    const told = new Promise<unknown>((resolve) =>
      socket.on('ai_response', ({ is_final: isFinal }: { is_final?: boolean }) => isFinal !== false && resolve(null))
    )
    socket.emit('send_message', { thread_id: `thread-1`, content: asked.message, content_type: 'text' })
    await told
    socket.close()
    await here.service.stop()
    expect(lines().filter(({ msg }) => msg === 'turn.ended').length).toBeGreaterThanOrEqual(4)
    expect(lines().some(({ level }) => level === 'error' || level === 'warn')).toBe(true)
    for (const word of words) expect(text().toLowerCase()).not.toContain(word.toLowerCase())
    expect(text()).not.toContain(anna)
  })

  it('carry the client’s correlation id through every room, and so do headers, metadata and errors', async () => {
    const { logger, lines } = talkative()
    const provider = toldProvider()
    await using here = await start({ providers: [provider], logger, environment: { ASIDE_LOCAL_KNOWLEDGE: '0' } })
    const anna = await here.token('anna')
    const [overRest, overGrpc, overSocket] = [uuidv7(), uuidv7(), uuidv7()]
    provider.fail(new TypeError('a bug'))
    const refused = await here.post('/api/ai/chat', anna, { message: 'One?' }, { 'x-correlation-id': overRest })
    expect(refused.headers.get('x-correlation-id')).toBe(overRest)
    expect(await refused.json()).toMatchObject({ error: { correlation_id: overRest } })

    await using grpc = grpcClient(here.service.grpc, anna)
    grpc.metadata.set('x-correlation-id', overGrpc)
    const spoken = await grpc.stream({ message: 'Two?' })
    expect(spoken.headers.get('x-correlation-id')).toEqual([overGrpc])
    expect(JSON.stringify((spoken.error?.metadata ?? new Metadata()).toJSON())).toContain(overGrpc)

    const socket = new WebSocket(`ws://${here.service.http}/ws`, { headers: { authorization: `Bearer ${anna}` } })
    const error = new Promise<string>((resolve) =>
      socket.on('message', (data) => String(data as Buffer).includes('"type":"error"') && resolve(String(data as Buffer)))
    )
    socket.on('open', () => socket.send(JSON.stringify({ type: 'ai_stream', data: { message: 'Three?', correlation_id: overSocket } })))
    expect(JSON.parse(await error)).toMatchObject({ data: { error: { correlationId: overSocket } } })
    socket.terminate()
    await here.service.stop()
    for (const id of [overRest, overGrpc, overSocket]) {
      const events = lines().filter(({ correlationId }) => correlationId === id)
      expect(events.map(({ msg }) => msg)).toContain('turn.failed')
    }
  })

  it('do not take an id that is none', async () => {
    await using here = await start({ providers: [answering('Yes.')] })
    const told = await here.post('/api/ai/chat', await here.token(), { message: 'One?' }, { 'x-correlation-id': 'x"},{"msg":"forged' })
    expect(told.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('readiness', () => {
  it('needs somebody who can answer, and says nothing more to strangers', async () => {
    let isReady = true
    await using here = await start({ providers: [{ ...toldProvider(), ready: async () => isReady }] })
    const first = await here.get('/readyz')
    expect([first.status, await first.json()]).toEqual([200, { status: 'ready', store: 'ok', providers: ['told'] }])
    isReady = false
    await expect.poll(async () => (await here.get('/readyz')).status, { timeout: 5_000 }).toBe(503)
    expect(await (await here.get('/readyz')).json()).toMatchObject({
      error: { code: 'AI_UNAVAILABLE', details: { store: 'ok', providers: 'failed' } }
    })
    expect((await here.get('/healthz')).status).toBe(200)
  })
})

describe('a service that is told to go', () => {
  it('is not ready at once, tells gRPC clients to go elsewhere, and lets an answer end', async () => {
    const provider = toldProvider()
    await using here = await start({ providers: [provider] })
    const anna = await here.token('anna')
    await using grpc = grpcClient(here.service.grpc, anna)
    provider.say('first ')
    const stopped: Promise<void>[] = []
    let status = 0
    const spoken = await grpc.stream({ message: 'One?' }, ({ content }) => {
      if (content !== 'first ') return
      stopped.push(here.service.stop())
      void here.get('/readyz').then(async (response) => {
        status = response.status
        provider.say('last')
        provider.finish()
      })
    })
    expect(spoken.error).toBeNull()
    expect(spoken.pieces.map(({ content }) => content).join('')).toBe('first last')
    expect(status).toBe(503)
    const late = await grpc.stream({ message: 'Two?' })
    expect(late.error?.code).toBe(14)
    await Promise.all(stopped)
  })

  it('ends what takes too long, says so to each client in its own way, and the next process goes on', async () => {
    const provider = toldProvider()
    await using folder = await tempFolder()
    const environment = { AI_DRAIN_TIMEOUT: '200ms' }
    const first = await start({ providers: [provider], environment, dataDir: folder.path })
    const anna = await first.token('anna')
    const turnId = uuidv7()
    provider.say('half ')
    const socket = new WebSocket(`ws://${first.service.http}/ws`, { headers: { authorization: `Bearer ${anna}` } })
    const heard: { type: string; data: { event?: { seq: number }; code?: number } }[] = []
    const begun = Promise.withResolvers<void>()
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    socket.on('open', () => socket.send(JSON.stringify({ type: 'ai_stream', data: { message: 'One?', turn_id: turnId } })))
    socket.on('message', (data) => {
      heard.push(JSON.parse(String(data as Buffer)) as (typeof heard)[number])
      if (String(data as Buffer).includes('half')) begun.resolve()
    })
    await begun.promise
    const sse = first.post('/api/ai/stream', anna, { message: 'One?', turn_id: turnId })
    const reading = (await sse).text()
    await first.service.stop()
    expect(await closed).toBe(4001)
    expect(heard.at(-1)).toMatchObject({ type: 'error', data: { code: 4001, retry_after: 1 } })
    expect(await reading).toMatch(/event: error\ndata: \{"error":\{"code":"AI_UNAVAILABLE".*"retry_after":1/)

    const again = toldProvider()
    again.say('half and the rest')
    again.finish()
    await using second = await start({ providers: [again], environment, dataDir: folder.path })
    const last = Math.max(...heard.map(({ data }) => data.event?.seq ?? 0))
    const rest = await (await second.post('/api/ai/stream', await second.token('anna'), { message: 'One?', turn_id: turnId, after_seq: last })).text()
    const said = [...rest.matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content).join('')
    expect(`half ${said}`).toBe('half and the rest')
  })
})

describe('a person’s data over REST', () => {
  const rows = (text: string): { store: string; value: Record<string, unknown> }[] =>
    text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as { store: string; value: Record<string, unknown> })

  it('comes out whole for its owner, and for nobody else but an administrator', async () => {
    await using here = await start({ providers: [answering('Answered to Anna.')] })
    const [anna, bob, root] = [await here.token('anna'), await here.token('bob'), await here.token('root', 60_000, 'admin')]
    await here.post('/api/ai/chat', anna, { message: 'What does Contoso pay?' })
    await here.post('/api/ai/chat', bob, { message: 'What does Fabrikam pay?' })
    await here.post('/api/v1/admin/chat/sessions', anna, { client_name: 'Northwind', context: 'Moves.' })
    const own = await here.get('/api/v1/me/data', anna)
    expect(own.headers.get('content-type')).toContain('application/x-ndjson')
    const text = await own.text()
    expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({ format: 'aside-person', userId: 'anna' })
    expect(new Set(rows(text).map(({ store }) => store))).toEqual(new Set(['turns', 'messages', 'chatSessions', 'costs', 'account', 'audit']))
    for (const words of ['What does Contoso pay?', 'Answered to Anna.', 'Northwind']) expect(text).toContain(words)
    expect(text).not.toContain('Fabrikam')
    expect((await here.get('/api/v1/me/data')).status).toBe(401)
    expect((await here.get('/api/v1/persons/anna/data', bob)).status).toBe(403)
    expect((await here.get('/api/v1/persons/anna/data', root)).status).toBe(200)
  })

  it('is erased with the answer that is on its way, and comes back neither from the cache nor after a restart', async () => {
    await using folder = await tempFolder()
    const provider = toldProvider()
    const first = await start({ providers: [provider], dataDir: folder.path })
    const [anna, bob, root] = [await first.token('anna'), await first.token('bob'), await first.token('root', 60_000, 'admin')]
    provider.say('Half of Contoso ')
    const asking = first.post('/api/ai/stream', anna, { message: 'What does Contoso pay?', turn_id: uuidv7() }).then((response) => response.text())
    await first.post('/api/v1/admin/chat/sessions', anna, { client_name: 'Northwind', context: 'Moves.' })
    await expect.poll(() => provider.asked.length).toBe(1)
    expect((await first.get('/api/v1/persons/anna/data', bob, { method: 'DELETE' })).status).toBe(403)
    const erased = await first.get('/api/v1/me/data', anna, { method: 'DELETE' })
    expect([erased.status, await erased.json()]).toEqual([200, { erased: expect.objectContaining({ turns: 1, chatSessions: 1 }) }])
    expect(provider.signals[0]?.aborted).toBe(true)
    await asking
    const left = rows(await (await first.get('/api/v1/me/data', anna)).text())
    expect(left.filter(({ store }) => store !== 'audit')).toEqual([])
    await first.service.stop()
    await using second = await start({ providers: [toldProvider()], dataDir: folder.path })
    const after = rows(await (await second.get('/api/v1/persons/anna/data', root)).text())
    expect(after.filter(({ store }) => store !== 'audit')).toEqual([])
    const { entries } = (await (await second.get('/api/v1/audit?limit=500', root)).json()) as { entries: { action: string; actor: string }[] }
    expect(entries.map(({ action, actor }) => [action, actor])).toEqual(
      expect.arrayContaining([
        ['access.denied', 'bob'],
        ['person.erased', expect.stringMatching(/^sha256:/)],
        ['person.exported', 'root']
      ])
    )
  })
})

describe('the audit log over REST', () => {
  it('is read page by page, newest first, and checked, by administrators only', async () => {
    await using here = await start({ providers: [toldProvider()] })
    const [anna, root] = [await here.token('anna'), await here.token('root', 60_000, 'admin')]
    for (let index = 0; index < 5; index += 1) await (await here.get('/api/v1/me/data', anna)).text()
    expect((await here.get('/api/v1/audit', anna)).status).toBe(403)
    expect((await here.get('/api/v1/audit/verify', anna)).status).toBe(403)
    expect((await here.get('/api/v1/audit?limit=many', root)).status).toBe(400)
    const seen: number[] = []
    for (let before: number | null = 1_000_000; before !== null;) {
      const page = (await (await here.get(`/api/v1/audit?limit=2&before=${before}`, root)).json()) as {
        entries: { n: number }[]
        next_before: number | null
      }
      seen.push(...page.entries.map(({ n }) => n))
      before = page.next_before
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1])
    expect(await (await here.get('/api/v1/audit/verify', root)).json()).toEqual({ ok: true, entries: 6, heads: 0, broken_at: null, reason: '' })
  })
})

describe('alerts of the running service', () => {
  it('are among the figures from the first minute', async () => {
    await using here = await start({ providers: [toldProvider()] })
    const root = await here.token('root', 60_000, 'admin')
    const text = await (await here.get('/metrics', root)).text()
    expect([...text.matchAll(/^aside_alert_firing\{rule="([^"]+)"\} 0$/gm)].map(([, rule]) => rule).toSorted()).toEqual([
      'audit-chain', 'budget', 'disk', 'error-rate', 'provider-down', 'slow-answers'
    ]) // prettier-ignore
  })

  it('tell the operator when somebody has changed the audit log', async () => {
    await using folder = await tempFolder()
    const first = await start({ providers: [toldProvider()], dataDir: folder.path })
    const anna = await first.token('anna')
    for (let index = 0; index < 3; index += 1) await (await first.get('/api/v1/me/data', anna)).text()
    await first.service.stop()
    const { key } = await storeKey(join(first.dataDir, 'store.key'), 0)
    const { database } = openDatabase({ file: join(first.dataDir, 'audit.sqlite'), key, migrations: [''], now: 0, shared: true })
    database.exec("DROP TRIGGER entry_is_never_changed; UPDATE entry SET actor = 'bob' WHERE n = 2")
    database.close()
    const heard = Promise.withResolvers<string>()
    const hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        response.writeHead(204).end()
        heard.resolve(body)
      })
    }).listen(0, '127.0.0.1')
    await once(hook, 'listening')
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`
    const environment = { ASIDE_ALERT_URL: url, ASIDE_ALERT_SECRET: 'a secret of the operator' }
    await using second = await start({ providers: [toldProvider()], dataDir: folder.path, environment })
    expect(JSON.parse(await heard.promise)).toMatchObject({ type: 'alert.firing', rule: 'audit-chain', severity: 'critical' })
    const root = await second.token('root', 60_000, 'admin')
    expect(await (await second.get('/api/v1/audit/verify', root)).json()).toMatchObject({ ok: false, broken_at: 2 })
    hook.closeAllConnections()
    hook.close()
  })
})

describe('settings that change while the service runs', () => {
  it('are taken on SIGHUP, and a wrong file keeps what was so and the service alive', async () => {
    await using folder = await tempFolder()
    const file = join(folder.path, 'settings.json')
    await writeFile(file, '{}')
    await using program = await startProgram({ ASIDE_DATA_DIR: folder.path, AI_SETTINGS_FILE: file })
    const token = await issueToken(await signingKeys(join(folder.path, 'service')), {
      userId: 'anna', role: 'user', ttlMs: 60_000, now: Date.now(), tokenId: uuidv7()
    }) // prettier-ignore
    const ask = async (): Promise<number> => {
      const response = await fetch(`http://${program.ready?.http}/api/ai/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ message: 'Which Harbor class for archives?' })
      })
      return response.status
    }
    const events = (): string[] => [...program.output.stderr.matchAll(/"msg":"(settings\.\w+)"/g)].map(([, event = '']) => event)
    expect(await ask()).toBe(200)
    await writeFile(file, '{"features":{"questions":false}}')
    program.child.kill('SIGHUP')
    await expect.poll(events).toContain('settings.read')
    expect(await ask()).toBe(503)
    await writeFile(file, '{"features":{"questions":')
    program.child.kill('SIGHUP')
    await expect.poll(events).toContain('settings.refused')
    expect(await ask()).toBe(503)
    await writeFile(file, '{"logLevel":"debug"}')
    program.child.kill('SIGHUP')
    await expect.poll(ask).toBe(200)
    expect(program.output.stderr).toContain('"msg":"turn.ended"')
  })
})
