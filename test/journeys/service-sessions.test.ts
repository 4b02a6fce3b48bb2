// The consultant chat (REST and WebSocket) and the thread dialect of the whole service: messages that last.
import { io, type Socket } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { CopilotError } from '../../src/shared/errors.ts'
import { frameClient, type Frame } from '../fakes/service-frames.ts'
import { tempFolder } from '../fakes/service-parts.ts'
import { startHere, toldProvider, type ServiceHere, type ToldProvider } from '../fakes/service-running.ts'

const question = 'Which Harbor class for archives?'
const base = '/api/v1/admin/chat/sessions'

async function call(here: ServiceHere, method: string, path: string, { user = 'anna', body }: { user?: string; body?: unknown } = {}) {
  const response = await fetch(`http://${here.service.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${await here.token(user)}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown>, headers: response.headers }
}
const makeSession = async (here: ServiceHere, client = 'Northwind', user = 'anna'): Promise<string> =>
  String((await call(here, 'POST', base, { user, body: { client_name: client, context: 'A retailer that moves to the cloud.' } })).body['session_id'])

/** A model that can be away. */
function absentProvider(): ToldProvider & { present: boolean } {
  const told = toldProvider()
  return Object.assign(told, {
    present: false,
    ready(this: { present: boolean }) {
      return Promise.resolve(this.present)
    }
  })
}

describe('consultant chat over REST', () => {
  it('makes, lists by pages, changes and removes sessions', async () => {
    await using here = await startHere()
    const made: string[] = []
    for (let n = 0; n < 5; n += 1) made.push(await makeSession(here, `Client ${n}`))
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { body } = await call(here, 'GET', `${base}?limit=2&cursor=${cursor}`)
      seen.push(...(body['sessions'] as { session_id: string }[]).map((session) => session.session_id))
      cursor = (body['next_cursor'] as string | null | undefined) ?? null
    }
    expect(seen).toEqual(made.toReversed())
    const [first = ''] = made
    expect(await call(here, 'PUT', `${base}/${first}`, { body: { context: { stage: 'kick-off' }, meeting_type: 'workshop' } })).toMatchObject({
      status: 200,
      body: { client_name: 'Client 0', context: { stage: 'kick-off' }, meeting_type: 'workshop', metadata: {} }
    })
    expect((await call(here, 'GET', `${base}/${first}`)).body).toMatchObject({ context: { stage: 'kick-off' } })
    expect((await call(here, 'DELETE', `${base}/${first}`)).status).toBe(204)
    expect((await call(here, 'GET', `${base}/${first}`)).status).toBe(404)
    expect((await call(here, 'DELETE', `${base}/${first}`)).status).toBe(404)
  })

  it('answers a message and keeps both in the history, page by page', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const session = await makeSession(here)
    for (const n of [1, 2]) {
      model.say(`answer ${n}`)
      model.finish()
      const { status, body } = await call(here, 'POST', `${base}/${session}/messages`, { body: { content: `question ${n}`, message_id: `m${n}` } })
      expect([status, body]).toEqual([
        200,
        expect.objectContaining({ content: `answer ${n}`, response: `answer ${n}`, role: 'assistant', reply_to: 'm' + n })
      ])
    }
    expect(JSON.stringify(model.asked[0]?.prompt)).toContain('A retailer that moves to the cloud.')
    // The same message again is not asked again.
    expect((await call(here, 'POST', `${base}/${session}/messages`, { body: { content: 'question 1', message_id: 'm1' } })).body).toMatchObject({
      content: 'answer 1'
    })
    expect(model.asked).toHaveLength(2)
    expect((await call(here, 'POST', `${base}/${session}/messages`, { body: { content: 'other words', message_id: 'm1' } })).status).toBe(409)
    const page = await call(here, 'GET', `${base}/${session}/history?limit=3`)
    expect((page.body['messages'] as { content: string }[]).map(({ content }) => content)).toEqual(['answer 1', 'question 2', 'answer 2'])
    const [oldest] = page.body['messages'] as { message_id: string; timestamp: string }[]
    const before = await call(here, 'GET', `${base}/${session}/history?before=${oldest?.message_id}`)
    expect((before.body['messages'] as { content: string }[]).map(({ content }) => content)).toEqual(['question 1'])
    expect((await call(here, 'GET', `${base}/${session}/history?before=nothing`)).status).toBe(400)
  })

  it('shows a person nothing of another’s session', async () => {
    await using here = await startHere()
    const session = await makeSession(here)
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PUT', '', { context: 'mine now' }],
      ['DELETE', '', undefined],
      ['GET', '/history', undefined],
      ['POST', '/messages', { content: question }]
    ] as const) {
      expect(await call(here, method, `${base}/${session}${path}`, { user: 'eve', body })).toMatchObject({
        status: 404,
        body: { error: { code: 'NOT_FOUND', correlation_id: expect.any(String) } }
      })
    }
    expect((await call(here, 'GET', base, { user: 'eve' })).body['sessions']).toEqual([])
    await using eve = await frameClient(`ws://${here.service.http}/api/v1/admin/chat/ws`, { token: await here.token('eve') })
    eve.send({ type: 'message', session_id: session, content: question })
    expect(await eve.until(({ type }) => type === 'error')).toMatchObject({ session_id: session, code: 4002 })
    expect((await call(here, 'GET', `${base}/${session}/history`)).body['messages']).toEqual([])
  })

  it('refuses what is no session with the specified body', async () => {
    await using here = await startHere()
    const session = await makeSession(here)
    const cases: [string, string, unknown, number, string][] = [
      ['POST', base, {}, 400, 'AI_MESSAGE_INVALID'],
      ['POST', base, { client_name: ' ' }, 400, 'AI_MESSAGE_INVALID'],
      ['POST', base, { client_name: 'x'.repeat(201) }, 400, 'AI_MESSAGE_INVALID'],
      ['POST', base, { client_name: 'x', context: 5 }, 400, 'AI_CONTEXT_INVALID'],
      ['POST', base, { client_name: 'x', metadata: { a: 'x'.repeat(20_001) } }, 413, 'AI_CONTEXT_INVALID'],
      ['PUT', `${base}/${session}`, {}, 400, 'AI_MESSAGE_INVALID'],
      ['POST', `${base}/${session}/messages`, { content: '' }, 400, 'AI_MESSAGE_INVALID'],
      ['POST', `${base}/${session}/messages`, { content: question, message_id: 'a b' }, 400, 'AI_MESSAGE_INVALID'],
      ['GET', `${base}?limit=0`, undefined, 400, 'AI_MESSAGE_INVALID'],
      ['GET', `${base}?cursor=zzz`, undefined, 400, 'AI_MESSAGE_INVALID'],
      ['PATCH', `${base}/${session}`, {}, 405, 'AI_MESSAGE_INVALID'],
      ['GET', `/%E0%A4%A`, undefined, 404, 'NOT_FOUND']
    ]
    for (const [method, path, body, status, code] of cases) {
      const answer = await call(here, method, path, { body })
      expect([path, answer.status, answer.body]).toMatchObject([path, status, { error: { code, correlation_id: expect.any(String) } }])
    }
    expect((await call(here, 'PATCH', `${base}/${session}`, { body: {} })).headers.get('allow')).toBe('GET, PUT, DELETE')
    const text = await fetch(`http://${here.service.http}${base}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await here.token()}`, 'content-type': 'text/plain' },
      body: 'x'
    })
    expect(text.status).toBe(415)
  })

  it('stops what is being answered when its session is removed, and forgets all of it', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const session = await makeSession(here)
    await using client = await frameClient(`ws://${here.service.http}/api/v1/admin/chat/ws`, { token: await here.token() })
    client.send({ type: 'message', session_id: session, content: question })
    client.send({ type: 'message', session_id: session, content: 'and then?' })
    await client.until(({ type }) => type === 'typing')
    while (model.signals.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect((await call(here, 'DELETE', `${base}/${session}`)).status).toBe(204)
    expect(model.signals.map(({ aborted }) => aborted)).toEqual([true])
    expect((await call(here, 'GET', `${base}/${session}/history`)).status).toBe(404)
    expect(here.logger.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('keeps a message while the AI is away, says so with 503, and has its answer in the history later', async () => {
    const model = absentProvider()
    await using here = await startHere({ providers: [model] })
    const session = await makeSession(here)
    const refused = await call(here, 'POST', `${base}/${session}/messages`, { body: { content: question } })
    expect(refused).toMatchObject({
      status: 503,
      body: { error: { code: 'AI_UNAVAILABLE', retry_after: 1, details: { message_id: expect.any(String) } } }
    })
    model.present = true
    model.say('here again')
    model.finish()
    for (;;) {
      const { body } = await call(here, 'GET', `${base}/${session}/history`)
      const messages = body['messages'] as { content: string }[]
      if (messages.length === 2) {
        expect(messages[1]?.content).toBe('here again')
        break
      }
    }
  })
})

describe('consultant chat over WebSocket', () => {
  const path = '/api/v1/admin/chat/ws'
  const shape = { session_id: expect.any(String), message_id: expect.any(String), content: expect.any(String), metadata: expect.any(Object) }

  it('makes a session, tells what it does, and answers in the envelope', async () => {
    await using here = await startHere()
    await using client = await frameClient(`ws://${here.service.http}${path}`, { token: await here.token() })
    client.send({ type: 'message', content: question, metadata: { client_name: 'Northwind', context: 'retail', quick_action: 'best-practice' } })
    const answer = await client.until(({ type }) => type === 'message')
    expect(client.frames.map(({ type }) => type)).toEqual(['status', 'typing', 'status', 'status', 'message'])
    for (const frame of client.frames) {
      expect(frame).toEqual({ type: expect.any(String), ...shape, timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) })
    }
    expect(answer['content']).toContain('Frozen')
    const { body } = await call(here, 'GET', `${base}/${String(answer['session_id'])}`)
    expect(body).toMatchObject({ client_name: 'Northwind' })
    client.send({ type: 'typing', session_id: answer['session_id'] })
    for (const [frame, code] of [
      [{ type: 'message', content: '' }, 4002],
      [{ type: 'message', content: 'x', metadata: 'y' }, 4002],
      [{ type: 'message', content: 'x', metadata: { quick_action: 'dance' } }, 4002],
      [{ type: 'message', content: 'x', metadata: { context: [1] } }, 4004],
      [{ type: 'message', content: 'x', session_id: 'unknown' }, 4002],
      [{ type: 'status' }, 4002],
      [{ type: 'other' }, 4002]
    ] as const) {
      const seen = client.frames.length
      client.send(frame)
      expect(await client.until(({ type }) => type === 'error', seen)).toMatchObject({ ...shape, code, metadata: { errorType: 'validation_error' } })
    }
    expect((await call(here, 'GET', base)).body['sessions']).toHaveLength(1)
  })

  it('restores the session of who comes back: its status, and what was missed', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const session = await makeSession(here)
    const first = await frameClient(`ws://${here.service.http}${path}`, { token: await here.token() })
    first.send({ type: 'message', session_id: session, message_id: 'q1', content: question })
    await first.until(({ type }) => type === 'typing')
    await first[Symbol.asyncDispose]()
    model.say('said while away')
    model.finish()
    await using second = await frameClient(`ws://${here.service.http}${path}?session_id=${session}&message_id=q1`, { token: await here.token() })
    // Before anything that goes on in it meanwhile.
    expect(await second.until(() => true)).toMatchObject({ type: 'status', session_id: session, content: 'restored' })
    expect(await second.until(({ type }) => type === 'message')).toMatchObject({ content: 'said while away', metadata: { reply_to: 'q1' } })
    second.send({ type: 'status', session_id: session, message_id: 'q1' })
    await second.until(({ metadata }) => (metadata as { missed?: number }).missed === 1)
    // Once it is known to be read nobody is given it again.
    const isGivenAgain = async (): Promise<boolean> => {
      await using third = await frameClient(`ws://${here.service.http}${path}?session_id=${session}`, { token: await here.token() })
      const isRestored = ({ content }: Frame): boolean => content === 'restored'
      const first = third.frames.indexOf(await third.until(isRestored))
      // Asked for after what was unread had been looked for.
      third.send({ type: 'status', session_id: session })
      await third.until(isRestored, first + 1)
      return third.frames.some(({ type }) => type === 'message')
    }
    await expect.poll(isGivenAgain).toBe(false)
  })
})

describe('threads', () => {
  type Heard = { event: string; data: Record<string, unknown> }[]
  interface ThreadClient extends Disposable {
    readonly heard: Heard
    readonly socket: Socket
    until(event: string, fits?: (data: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
  }
  async function threadClient(here: ServiceHere, user = 'anna'): Promise<ThreadClient> {
    const socket = io(`http://${here.service.http}`, {
      transports: ['websocket'],
      auth: { token: await here.token(user) },
      forceNew: true,
      reconnection: false
    })
    const heard: Heard = []
    let wake = Promise.withResolvers<void>()
    socket.onAny((event: string, data: Record<string, unknown>) => {
      heard.push({ event, data })
      wake.resolve()
      wake = Promise.withResolvers()
    })
    await new Promise<void>((resolve) => void socket.once('connect', () => resolve()))
    return {
      heard,
      socket,
      async until(event, fits = () => true) {
        for (;;) {
          const found = heard.find((one) => one.event === event && fits(one.data))
          if (found !== undefined) return found.data
          await wake.promise
        }
      },
      [Symbol.dispose]: () => void socket.disconnect()
    }
  }
  const final = (data: Record<string, unknown>): boolean => data['is_final'] === true

  it('say that a message is kept, stream its answer and end it whole', async () => {
    await using here = await startHere()
    using client = await threadClient(here)
    client.socket.emit('send_message', { thread_id: 't1', content: question, content_type: 'text' })
    const end = await client.until('ai_response', final)
    const sent = await client.until('message_sent')
    expect(sent).toEqual({ message_id: expect.any(String), thread_id: 't1', saved_at: expect.stringMatching(/Z$/) })
    const pieces = client.heard.filter(({ event, data }) => event === 'ai_response' && !final(data)).map(({ data }) => data)
    expect(pieces.length).toBeGreaterThan(1)
    expect(end).toMatchObject({
      thread_id: 't1',
      message_id: pieces[0]?.['message_id'],
      content: pieces.map((piece) => String(piece['content'])).join(''),
      model_used: expect.stringMatching(/./),
      confidence_score: expect.any(Number),
      processing_time_ms: expect.any(Number),
      reply_to: sent['message_id']
    })
    expect(end['confidence_score']).toBeGreaterThan(0)
    expect(client.heard.filter(({ event }) => event === 'ai_typing').map(({ data }) => data['is_typing'])).toEqual([true, false])
  })

  it('answer every bad message with ai_error, and the next good one as ever', async () => {
    await using here = await startHere()
    using client = await threadClient(here)
    const bad = [
      { thread_id: 't', content: '' },
      { thread_id: '', content: 'x' },
      { content: 'x' },
      { thread_id: 't', content: 'x', content_type: 'image' },
      'text',
      null
    ]
    for (const payload of bad) {
      expect(await client.socket.timeout(5_000).emitWithAck('send_message', payload)).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
    }
    const errors = client.heard.filter(({ event }) => event === 'ai_error').map(({ data }) => data)
    expect(errors).toHaveLength(bad.length)
    for (const error of errors) expect(error).toMatchObject({ error: expect.any(String), retry_after: 0, code: 4002, errorType: 'validation_error' })
    client.socket.emit('typing', { thread_id: 't', typing: true })
    client.socket.emit('send_message', { thread_id: 't', content: question })
    await client.until('ai_response', final)
  })

  it('keep a message while the AI is away and answer it when it returns: after a restart, to a client that has reconnected', async () => {
    await using folder = await tempFolder()
    const model = absentProvider()
    const first = await startHere({ providers: [model], dataDir: folder.path })
    using away = await threadClient(first)
    away.socket.emit('send_message', { thread_id: 't1', content: question })
    expect(await away.until('ai_unavailable')).toMatchObject({ thread_id: 't1', reason: expect.any(String) })
    const sent = await away.until('message_sent')
    away.socket.disconnect()
    await first.service.stop()
    model.present = true
    model.say('at last')
    model.finish()
    await using second = await startHere({ providers: [model], dataDir: folder.path })
    using back = await threadClient(second)
    const answer = await back.until('ai_response', final)
    expect(answer).toMatchObject({ thread_id: 't1', content: 'at last', reply_to: sent['message_id'] })
    expect(model.asked).toHaveLength(1)
    back.socket.emit('typing', { thread_id: 't1', typing: false })
    using other = await threadClient(second, 'bob')
    other.socket.emit('send_message', { thread_id: 't1', content: '' })
    await other.until('ai_error')
    expect(other.heard.some(({ event }) => event === 'ai_response')).toBe(false)
  })

  it('ask again when the model broke off, and say once that it did', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    using client = await threadClient(here)
    model.say('half')
    model.fail(new CopilotError('unavailable', 'Told broke off.'))
    client.socket.emit('send_message', { thread_id: 't1', content: question })
    await client.until('ai_unavailable')
    model.say('whole')
    model.finish()
    expect(await client.until('ai_response', final)).toMatchObject({ content: 'whole' })
    expect(client.heard.filter(({ event }) => event === 'ai_unavailable')).toHaveLength(1)
  })

  it('tell what will never be answered', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    using client = await threadClient(here)
    model.fail(new CopilotError('refused', 'Told does not answer that.'))
    client.socket.emit('send_message', { thread_id: 't1', content: question })
    expect(await client.until('ai_error')).toMatchObject({ thread_id: 't1', error: 'Told does not answer that.', errorType: 'processing_error' })
  })
})
