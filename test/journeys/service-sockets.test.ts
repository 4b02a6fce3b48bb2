// The ERP dialect over Socket.IO and the REST dialect of the whole service, over real sockets.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { io, type Socket } from 'socket.io-client'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { CopilotError } from '../../src/shared/errors.ts'
import { reduceTurn, type TurnEvent } from '../../src/shared/turn.ts'
import { aiErrorSchema, aiHelloSchema, aiStreamPieceSchema, type AiStreamPiece } from '../../src/shared/wire/socket.ts'
import { startHere, toldProvider, type ServiceHere } from '../fakes/service-running.ts'

/** Not `once` of Node: it takes an `error` event for a failure. */
const next = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => void socket.once(event, (...args: unknown[]) => resolve(args)))
const until = async (ready: () => boolean): Promise<void> => {
  while (!ready()) await new Promise((resolve) => setImmediate(resolve))
}

interface Client extends Disposable {
  readonly socket: Socket
  readonly pieces: AiStreamPiece[]
  readonly errors: ReturnType<typeof aiErrorSchema.parse>[]
  /** Emits and resolves with the acknowledgement. */
  ask(event: string, data: unknown): Promise<Record<string, unknown>>
  ended(): Promise<AiStreamPiece>
}

async function connect(
  here: ServiceHere,
  token: string | undefined,
  transport: 'websocket' | 'polling' = 'websocket',
  headers: Record<string, string> = {}
): Promise<Client> {
  const socket = io(`http://${here.service.http}`, {
    transports: [transport],
    auth: token === undefined ? {} : { token },
    extraHeaders: headers,
    forceNew: true,
    reconnection: false
  })
  const pieces: AiStreamPiece[] = []
  const errors: Client['errors'] = []
  socket.on('ai_stream', (data: unknown) => pieces.push(aiStreamPieceSchema.parse(data)))
  socket.on('error', (data: unknown) => errors.push(aiErrorSchema.parse(data)))
  await Promise.race([next(socket, 'connect'), next(socket, 'connect_error').then(([error]: unknown[]) => Promise.reject(error))]).catch(
    (error: unknown) => {
      socket.disconnect()
      throw error
    }
  )
  return {
    socket,
    pieces,
    errors,
    ask: (event, data) => socket.timeout(5_000).emitWithAck(event, data) as Promise<Record<string, unknown>>,
    async ended() {
      for (;;) {
        const final = pieces.find(({ is_final: isFinal }) => isFinal)
        if (final !== undefined) return final
        await next(socket, 'ai_stream')
      }
    },
    [Symbol.dispose]: () => void socket.disconnect()
  }
}
const eventsOf = (pieces: readonly AiStreamPiece[]): TurnEvent[] => pieces.flatMap(({ event }) => (event === undefined ? [] : [event]))
const question = 'Which Harbor class for archives?'

describe.each(['websocket', 'polling'] as const)('Socket.IO over %s', (transport) => {
  it('greets, accepts, streams and ends for our own client', async () => {
    await using here = await startHere()
    using client = await connect(here, await here.token(), transport)
    const hello = aiHelloSchema.parse(await client.ask('ai_hello', {}))
    expect(hello).toMatchObject({ protocol: 1, answered_by: 'Local knowledge' })
    const turnId = uuidv7()
    const ack = await client.ask('ai_stream', { message: question, turn_id: turnId, session_id: 's' })
    expect(ack).toMatchObject({ ok: true, turn_id: turnId, protocol: 1 })
    expect(await client.ended()).toMatchObject({ message_id: ack['message_id'] })
    const view = reduceTurn(eventsOf(client.pieces), turnId)
    expect(view).toMatchObject({ state: 'done', usage: { provider: 'local' } })
    expect(view.citations.map(({ n }) => n)).toContain(1)
    expect(view.text).toBe(client.pieces.map(({ content }) => content).join(''))
    expect(client.errors).toEqual([])
  })

  it('gives a base client text, an end and its status', async () => {
    await using here = await startHere()
    using client = await connect(here, undefined, transport, { authorization: `Bearer ${await here.token()}` })
    const statuses: unknown[] = []
    client.socket.on('ai_status', (data: unknown) => statuses.push(data))
    client.socket.emit('ai_stream', { message: question })
    await client.ended()
    expect(
      client.pieces.every(
        (piece) =>
          Object.keys(piece)
            .sort((a, b) => a.localeCompare(b))
            .join() === 'content,is_final,message_id'
      )
    ).toBe(true)
    expect(client.pieces.map(({ content }) => content).join('')).toContain('Frozen')
    expect(statuses).toContainEqual({ status: 'Answering', message_id: client.pieces[0]?.message_id, progress: 0 })
    const [[answer]] = await Promise.all([next(client.socket, 'ai_chat'), client.ask('ai_chat', { message: question })])
    expect(answer).toMatchObject({
      response: client.pieces.map(({ content }) => content).join(''),
      message_id: expect.any(String),
      timestamp: expect.any(Number)
    })
  })

  it('tells why it refuses before it lets go', async () => {
    await using here = await startHere()
    for (const token of [undefined, 'forged']) {
      await expect(connect(here, token, transport)).rejects.toMatchObject({ data: { code: 1008, error: { code: 'unauthenticated' } } })
    }
    using brief = await connect(here, await here.token('anna', 1_500), transport)
    const gone = next(brief.socket, 'disconnect')
    await new Promise((resolve) => setTimeout(resolve, 1_600))
    brief.socket.emit('ai_stream', { message: question })
    await gone
    expect(brief.errors).toMatchObject([{ code: 1008, error: { code: 'unauthenticated' } }])
  })

  it('says that it is stopping before it closes', async () => {
    const here = await startHere()
    using client = await connect(here, await here.token(), transport)
    const gone = next(client.socket, 'disconnect')
    await here[Symbol.asyncDispose]()
    await gone
    expect(client.errors).toMatchObject([{ code: 4001, error: { code: 'unavailable' } }])
  })
})

describe('Socket.IO', () => {
  it('takes no token from the address', async () => {
    await using here = await startHere()
    const token = await here.token()
    const socket = io(`http://${here.service.http}`, { transports: ['websocket'], query: { token }, forceNew: true, reconnection: false })
    const [error] = await next(socket, 'connect_error')
    expect(String(error)).toContain('No token')
    socket.disconnect()
  })

  it('answers every bad message with its code and the next good one as ever', async () => {
    await using here = await startHere()
    using client = await connect(here, await here.token())
    const bad: [unknown, number][] = [
      [{ message: '' }, 4002],
      [{}, 4002],
      ['text', 4002],
      [null, 4002],
      [[], 4002],
      [{ message: { $gt: '' } }, 4002],
      [{ message: 'x'.repeat(200_000) }, 4004],
      [{ message: 'Harbor', context: 'text' }, 4004],
      [{ message: 'Harbor', context: { a: {} } }, 4004],
      [{ message: 'Harbor', turn_id: 'x' }, 4002],
      [{ message: 'Harbor', user_id: 'bob' }, 1008]
    ]
    for (const [data, code] of bad) {
      const told = next(client.socket, 'error')
      expect(await client.ask('ai_stream', data)).toMatchObject({ ok: false, error: { message: expect.any(String) } })
      expect((await told)[0]).toMatchObject({ code })
    }
    // Names that an emitter treats as its own, binary, and a callback where none belongs.
    client.socket.emit('error', { boo: true })
    client.socket.emit('ai_stream', Buffer.from('binary'))
    client.socket.emit('ai_cancel', 'x', 'y', 'z')
    client.socket.emit('nobody-listens', 1)
    expect(await client.ask('ai_stream', { message: question, turn_id: uuidv7() })).toMatchObject({ ok: true })
    await client.ended()
    expect(client.socket.connected).toBe(true)
  })

  it('lets a turn go on without its socket, resumes it on another, and cancels it by name', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const turnId = uuidv7()
    const first = await connect(here, await here.token())
    await first.ask('ai_stream', { message: question, turn_id: turnId })
    model.say('one ')
    while (!first.pieces.some(({ content }) => content === 'one ')) await next(first.socket, 'ai_stream')
    first.socket.disconnect()
    model.say('two ')
    using second = await connect(here, await here.token(), 'polling')
    const seen = eventsOf(first.pieces)
    await second.ask('ai_stream', { message: question, turn_id: turnId, after_seq: seen.length })
    expect(await second.ask('ai_cancel', { turn_id: turnId })).toMatchObject({ ok: true, cancelled: true })
    await second.ended()
    expect(reduceTurn([...seen, ...eventsOf(second.pieces)], turnId)).toMatchObject({ state: 'cancelled', gapAfter: null })
    expect(second.errors).toEqual([])
    expect(await second.ask('ai_cancel', { turn_id: turnId })).toMatchObject({ cancelled: false })
  })

  it('ends a base client’s turn with its socket, and tells it of a failure before the end', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const left = await connect(here, await here.token())
    await left.ask('ai_stream', { message: question })
    await until(() => model.signals.length > 0)
    left.socket.disconnect()
    await until(() => model.signals[0]?.aborted === true)
    using client = await connect(here, await here.token())
    model.say('half')
    model.fail(new CopilotError('rate_limited', 'Wait.', { retryAfterMs: 2_000 }))
    const ack = await client.ask('ai_stream', { message: question })
    expect(await client.ended()).toMatchObject({ content: '' })
    expect(client.errors).toMatchObject([{ code: 4003, retry_after: 2, message_id: ack['message_id'] }])
  })

  it('answers many at once on one socket, each whole', async () => {
    await using here = await startHere({ environment: { AI_RATE_LIMIT_STREAMS_PER_USER: '100' } })
    using client = await connect(here, await here.token())
    const ids = Array.from({ length: 30 }, () => uuidv7())
    await Promise.all(ids.map((turnId) => client.ask('ai_stream', { message: question, turn_id: turnId })))
    while (client.pieces.filter(({ is_final: isFinal }) => isFinal).length < ids.length) await next(client.socket, 'ai_stream')
    const views = ids.map((turnId) =>
      reduceTurn(
        eventsOf(client.pieces).filter((event) => event.turnId === turnId),
        turnId
      )
    )
    expect(new Set(views.map(({ state }) => state))).toEqual(new Set(['done']))
    expect(new Set(views.map(({ text }) => text)).size).toBe(1)
  })
})

describe('REST', () => {
  async function call(here: ServiceHere, path: string, init: RequestInit & { token?: string } = {}) {
    const { token, ...rest } = init
    const response = await fetch(`http://${here.service.http}${path}`, {
      ...rest,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(rest.body === undefined ? {} : { 'content-type': 'application/json' })
      }
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const post = (here: ServiceHere, path: string, token: string | undefined, body: unknown) =>
    call(here, path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...(token === undefined ? {} : { token }) })

  it('answers whole and as a stream', async () => {
    await using here = await startHere()
    const token = await here.token()
    const chat = await post(here, '/api/ai/chat', token, { message: question, context: { a: 'b' } })
    expect(chat.status).toBe(200)
    const answer = JSON.parse(chat.text) as { response: string }
    expect(answer).toMatchObject({ response: expect.stringContaining('Frozen'), message_id: expect.any(String), timestamp: expect.any(Number) })
    const streamed = await post(here, '/api/ai/stream', token, { message: question })
    expect(streamed.headers.get('content-type')).toContain('text/event-stream')
    const pieces = streamed.text
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => JSON.parse(event.replace(/^data: /, '')) as AiStreamPiece)
    expect(pieces.map(({ content }) => content).join('')).toBe(answer.response)
    expect(pieces.map(({ is_final: isFinal }) => isFinal)).toEqual([...pieces.slice(1).map(() => false), true])
    expect(pieces.length).toBeGreaterThan(2)
  })

  it('says how it is', async () => {
    await using here = await startHere()
    expect((await call(here, '/healthz')).status).toBe(200)
    expect((await call(here, '/readyz')).status).toBe(200)
    expect(JSON.parse((await call(here, '/api/ai/status', { token: await here.token() })).text)).toMatchObject({
      service: 'ok',
      queue_depth: 0,
      version: expect.any(String),
      providers: expect.arrayContaining([expect.objectContaining({ id: 'local', ready: true, breaker: 'closed' })])
    })
  })

  it('refuses with the specified body', async () => {
    await using here = await startHere()
    const token = await here.token()
    const cases: [Promise<{ status: number; text: string; headers: Headers }>, number, string][] = [
      [call(here, '/api/ai/status'), 401, 'UNAUTHENTICATED'],
      [post(here, '/api/ai/chat', undefined, { message: 'x' }), 401, 'UNAUTHENTICATED'],
      [post(here, '/api/ai/chat', token, { message: '' }), 400, 'AI_MESSAGE_INVALID'],
      [post(here, '/api/ai/chat', token, {}), 400, 'AI_MESSAGE_INVALID'],
      [post(here, '/api/ai/chat', token, '{"message":'), 400, 'AI_MESSAGE_INVALID'],
      [post(here, '/api/ai/chat', token, '[]'), 400, 'AI_MESSAGE_INVALID'],
      [post(here, '/api/ai/chat', token, 'null'), 400, 'AI_MESSAGE_INVALID'],
      [post(here, '/api/ai/chat', token, { message: 'x', context: 1 }), 400, 'AI_CONTEXT_INVALID'],
      [post(here, '/api/ai/chat', token, { message: 'x'.repeat(200_000) }), 413, 'AI_CONTEXT_INVALID'],
      [post(here, '/api/ai/chat', token, { message: 'x'.repeat(2_000_000) }), 413, 'AI_CONTEXT_INVALID'],
      [post(here, '/api/ai/chat', token, { message: 'x', user_id: 'bob' }), 403, 'FORBIDDEN'],
      [call(here, '/nowhere'), 404, 'NOT_FOUND'],
      [call(here, '/api/ai/chat', { token }), 405, 'AI_MESSAGE_INVALID']
    ]
    for (const [answering, status, code] of cases) {
      const answer = await answering
      const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> }
      expect([answer.status, error]).toEqual([
        status,
        expect.objectContaining({
          code,
          message: expect.any(String),
          details: expect.any(Object),
          correlation_id: answer.headers.get('x-correlation-id')
        })
      ])
    }
  })

  it('tells of a failure in mid-stream, and cancels the turn of who hangs up', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const token = await here.token()
    model.say('half')
    model.fail(new CopilotError('unavailable', 'Told broke off.'))
    expect((await post(here, '/api/ai/stream', token, { message: question })).text).toMatch(
      /data: \{"content":"half".*\n\nevent: error\ndata: \{"error":\{"code":"AI_UNAVAILABLE"/s
    )
    const leaving = httpRequest(`http://${here.service.http}/api/ai/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    })
    leaving.on('error', () => undefined).end(JSON.stringify({ message: question }))
    model.say('something')
    await once(leaving, 'response')
    leaving.destroy()
    // The last call of all: those before it were attempts at the question that failed.
    await until(() => model.signals.at(-1)?.aborted === true)
  })
})
