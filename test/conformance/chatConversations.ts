// The consultant chat with Python's websockets and curl, and the thread dialect with python-socketio.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { isIso, isRestError, isSocketError, isText, hasKeys } from './expect.ts'
import { startPeer, type Peer } from './peer.ts'
import type { Report } from './report.ts'
import { frameOf, QUESTION, sendFrame, toTheEnd, type Envelope } from './socketConversations.ts'
import { curl, type CurlAnswer, type CurlRequest, type StartedService } from './world.ts'

type Data = Record<string, unknown>
const PATH = '/api/v1/admin/chat'

export async function consultantRestConversations(report: Report, service: StartedService): Promise<void> {
  const token = await service.token('carla')
  const call = async (path: string, request: CurlRequest = {}): Promise<CurlAnswer> =>
    await curl(`http://${service.http}${PATH}/sessions${path}`, { token, ...request })
  const talk = 'consultant chat: REST'
  let session = ''
  await report.step(talk, 'POST makes a session', async () => {
    const answer = await call('', {
      body: { client_name: 'Northwind', context: 'Moves to the cloud.', meeting_type: 'workshop', metadata: { room: 5 } }
    })
    equal(answer.status, 201)
    const made = answer.json()
    deepEqual(
      [made['client_name'], made['context'], made['meeting_type'], made['metadata']],
      ['Northwind', 'Moves to the cloud.', 'workshop', { room: 5 }]
    )
    isText(made['session_id'])
    isIso(made['created_at'])
    session = made['session_id']
  })
  await report.step(talk, 'GET lists the caller’s sessions by pages', async () => {
    for (let n = 0; n < 4; n += 1) await call('', { body: { client_name: `Client ${n}` } })
    const names: unknown[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Data = (await call(`?limit=2&cursor=${cursor}`)).json()
      names.push(...(page['sessions'] as Data[]).map((one) => one['client_name']))
      cursor = page['next_cursor'] as string | null
    }
    deepEqual(names, ['Client 3', 'Client 2', 'Client 1', 'Client 0', 'Northwind'])
  })
  await report.step(talk, 'GET reads one, PUT updates its context', async () => {
    equal((await call(`/${session}`)).json()['client_name'], 'Northwind')
    deepEqual((await call(`/${session}`, { method: 'PUT', body: { context: { stage: 'kick-off' } } })).json()['context'], { stage: 'kick-off' })
  })
  await report.step(talk, 'POST messages gives the answer', async () => {
    const answer = await call(`/${session}/messages`, { body: { content: QUESTION } })
    equal(answer.status, 200)
    isText(answer.json()['content'])
  })
  await report.step(talk, 'GET history gives messages by limit and before', async () => {
    const all = (await call(`/${session}/history`)).json()['messages'] as Data[]
    deepEqual(
      all.map((message) => message['role']),
      ['user', 'assistant']
    )
    deepEqual((await call(`/${session}/history?limit=1`)).json()['messages'], all.slice(1))
    deepEqual((await call(`/${session}/history?before=${String(all[1]?.['message_id'])}`)).json()['messages'], all.slice(0, 1))
  })
  await report.step(talk, 'another user’s session is not found, on every path', async () => {
    const eve = await service.token('eve')
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PUT', '', { context: 'x' }],
      ['DELETE', '', undefined],
      ['GET', '/history', undefined],
      ['POST', '/messages', { content: 'x' }]
    ] as const) {
      isRestError(await call(`/${session}${path}`, { method, token: eve, ...(body === undefined ? {} : { body }) }), 404, 'NOT_FOUND')
    }
    deepEqual((await call('', { token: eve })).json()['sessions'], [])
  })
  await report.step(talk, 'errors have the specified body', async () => {
    isRestError(await call('', { body: {} }), 400, 'AI_MESSAGE_INVALID')
    isRestError(await call('', { body: { client_name: 'x', context: 7 } }), 400, 'AI_CONTEXT_INVALID')
    isRestError(await call('?limit=none'), 400, 'AI_MESSAGE_INVALID')
    isRestError(await call('', { token: '' }), 401, 'UNAUTHENTICATED')
    isRestError(await call(`/${session}/messages`, { body: { content: 'x'.repeat(200_000) } }), 413, 'AI_CONTEXT_INVALID')
  })
  await report.step(talk, 'DELETE removes it', async () => {
    equal((await call(`/${session}`, { method: 'DELETE' })).status, 204)
    isRestError(await call(`/${session}`), 404, 'NOT_FOUND')
  })
}

/** Begins to be deaf at once; the result says how that ended, which takes as long as two heartbeats. */
export async function deafClient(service: StartedService): Promise<{ heard(): Promise<unknown> } & AsyncDisposable> {
  const peer = startPeer('ws_peer.py')
  await openChat(peer, service, 'deaf')
  // A stopped process keeps its connection and answers no ping.
  peer.process.kill('SIGSTOP')
  const since = performance.now()
  return {
    async heard() {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 60_000 - (performance.now() - since))))
      peer.process.kill('SIGCONT')
      return (await toTheEnd(peer)).code
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose]()
  }
}

async function openChat(peer: Peer, service: StartedService, user: string, query = ''): Promise<unknown> {
  const headers = { Authorization: `Bearer ${await service.token(user)}` }
  return (await peer.ask({ do: 'open', url: `ws://${service.http}${PATH}/ws${query}`, headers }))['ok']
}

export async function consultantSocketConversations(report: Report, service: StartedService, away: StartedService): Promise<void> {
  await using peer = startPeer('ws_peer.py')
  const talk = 'consultant chat: WebSocket'
  const isEnvelope = (frame: Envelope): Envelope => {
    for (const field of ['session_id', 'message_id', 'content']) equal(typeof frame[field], 'string', field)
    equal(typeof frame['metadata'], 'object')
    isIso(frame['timestamp'])
    return frame
  }
  let session = ''
  let answer: Envelope | undefined
  await report.step(talk, 'opens, takes a message with metadata and answers it', async () => {
    equal(await openChat(peer, service, 'carla'), true)
    const metadata = { client_name: 'Northwind', context: { project: 'archive' }, quick_action: 'best-practice' }
    await sendFrame(peer, { type: 'message', session_id: '', message_id: 'm1', content: QUESTION, metadata, timestamp: new Date().toISOString() })
    const received = isEnvelope(await frameOf(peer, ({ type }) => type === 'status'))
    deepEqual([received['message_id'], received['content']], ['m1', 'received'])
    isEnvelope(await frameOf(peer, ({ type }) => type === 'typing'))
    answer = isEnvelope(await frameOf(peer, ({ type }) => type === 'message'))
    isText(answer['content'])
    session = String(answer['session_id'])
    equal(received['session_id'], session)
  })
  await report.step(talk, 'the session and its messages are the same over REST', async () => {
    const token = await service.token('carla')
    equal((await curl(`http://${service.http}${PATH}/sessions/${session}`, { token })).json()['client_name'], 'Northwind')
    const history = (await curl(`http://${service.http}${PATH}/sessions/${session}/history`, { token })).json()['messages'] as Data[]
    deepEqual(
      history.map((message) => message['message_id']),
      ['m1', answer?.['message_id']]
    )
  })
  await report.step(talk, 'a reconnection restores the session: its status, and what came after the last message read', async () => {
    await peer.ask({ do: 'close' })
    await openChat(peer, service, 'carla', `?session_id=${session}&message_id=m1`)
    const restored = isEnvelope(await frameOf(peer, ({ type }) => type === 'status'))
    deepEqual([restored['session_id'], restored['content']], [session, 'restored'])
    equal((await frameOf(peer, ({ type }) => type === 'message'))['message_id'], answer?.['message_id'])
  })
  for (const [name, frame, code] of [
    ['an empty message', { type: 'message', content: '' }, 4002],
    ['a type that is not there', { type: 'dance' }, 4002],
    ['metadata that is text', { type: 'message', content: 'x', metadata: 'y' }, 4002],
    ['an unknown quick_action', { type: 'message', content: 'x', metadata: { quick_action: 'dance' } }, 4002],
    ['a context that is a number', { type: 'message', content: 'x', metadata: { context: 5 } }, 4004],
    ['a session that is not there', { type: 'message', content: 'x', session_id: 'none' }, 4002]
  ] as const) {
    await report.step(talk, `${name} is told ${code}`, async () => {
      await sendFrame(peer, frame)
      const { metadata } = isEnvelope(await frameOf(peer, ({ type }) => type === 'error'))
      isSocketError({ ...(metadata as Data), message: 'x' }, code, 'validation_error')
    })
  }
  await report.step(talk, 'typing is taken, and the next good message is answered', async () => {
    await sendFrame(peer, { type: 'typing', session_id: session })
    await sendFrame(peer, { type: 'message', session_id: session, content: QUESTION })
    isText((await frameOf(peer, ({ type }) => type === 'message'))['content'])
  })
  await report.step(talk, 'another user’s session is refused', async () => {
    await openChat(peer, service, 'eve')
    await sendFrame(peer, { type: 'message', session_id: session, content: 'x' })
    equal((await frameOf(peer, ({ type }) => type === 'error'))['code'], 4002)
  })
  for (const [what, bad] of Object.entries(await service.badTokens())) {
    await report.step(talk, `a token that is ${what} is closed with 1008`, async () => {
      await peer.ask({ do: 'open', url: `ws://${service.http}${PATH}/ws`, headers: { Authorization: `Bearer ${bad}` } })
      equal((await toTheEnd(peer)).code, 1008)
    })
  }
  await report.step(talk, 'a message for an AI that is away is kept, and the client is told that it waits', async () => {
    await openChat(peer, away, 'carla')
    await sendFrame(peer, { type: 'message', content: QUESTION, metadata: { client_name: 'Northwind' } })
    const waiting = await frameOf(peer, ({ metadata }) => (metadata as Data)['state'] === 'waiting')
    ok(Number((waiting['metadata'] as Data)['retry_after']) > 0)
  })
}

export async function threadConversations(
  report: Report,
  service: StartedService,
  model: { readonly service: StartedService; present(): void }
): Promise<void> {
  await using peer = startPeer('socketio_peer.py')
  const talk = 'threads'
  const open = async (to: StartedService): Promise<void> => {
    equal((await peer.ask({ do: 'open', url: `http://${to.http}`, auth: { token: await to.token('theo') } }))['ok'], true)
  }
  const heard: { event: string; data: Data }[] = []
  const event = async (name: string, fits: (data: Data) => boolean = () => true): Promise<Data> => {
    for (;;) {
      const next = await peer.ask({ do: 'receive', timeout: 30 })
      if (!('event' in next)) throw new Error(`expected ${name} and got ${JSON.stringify(next)}`)
      heard.push(next as unknown as { event: string; data: Data })
      if (next['event'] === name && fits(next['data'] as Data)) return next['data'] as Data
    }
  }
  const send = async (data: unknown): Promise<unknown> => await peer.ask({ do: 'emit', event: 'send_message', data })

  await report.step(talk, 'message_sent comes once the message is durable', async () => {
    await open(service)
    await send({ thread_id: 't1', content: QUESTION, content_type: 'text' })
    const sent = await event('message_sent')
    hasKeys(sent, 'message_id', 'thread_id', 'saved_at')
    isIso(sent['saved_at'])
  })
  await report.step(talk, 'ai_typing, streamed pieces with is_final false, and the whole answer', async () => {
    const end = await event('ai_response', ({ is_final: isFinal }) => isFinal === true)
    const pieces = heard.filter((one) => one.event === 'ai_response' && one.data['is_final'] === false).map(({ data }) => String(data['content']))
    ok(pieces.length > 1)
    equal(end['content'], pieces.join(''))
    isText(end['message_id'])
    isText(end['model_used'])
    ok(Number(end['confidence_score']) >= 0 && Number(end['confidence_score']) <= 1)
    ok(Number(end['processing_time_ms']) >= 0)
    deepEqual(
      heard.filter((one) => one.event === 'ai_typing').map(({ data }) => data['is_typing']),
      [true, false]
    )
  })
  for (const [name, payload] of [
    ['an empty message', { thread_id: 't1', content: '' }],
    ['no thread', { content: 'x' }],
    ['another content_type', { thread_id: 't1', content: 'x', content_type: 'image' }],
    ['a payload that is text', 'x']
  ] as const) {
    await report.step(talk, `${name} is an ai_error with retry_after`, async () => {
      await send(payload)
      const error = await event('ai_error')
      isText(error['error'])
      equal(typeof error['retry_after'], 'number')
      equal(error['errorType'], 'validation_error')
    })
  }
  await report.step(talk, 'typing is taken, and the next good message is answered', async () => {
    await peer.ask({ do: 'emit', event: 'typing', data: { thread_id: 't1', typing: true } })
    await send({ thread_id: 't1', content: QUESTION })
    await event('ai_response', ({ is_final: isFinal }) => isFinal === true)
    await peer.ask({ do: 'close' })
  })
  let sent: Data = {}
  await report.step(talk, 'a message for an AI that is away is kept: message_sent and ai_unavailable', async () => {
    await open(model.service)
    await send({ thread_id: 't2', content: QUESTION })
    sent = await event('message_sent')
    const told = await event('ai_unavailable')
    equal(told['thread_id'], 't2')
    isText(told['reason'])
    await peer.ask({ do: 'close' })
  })
  await report.step(talk, 'it is answered when the AI returns, after a restart, to the client that comes back', async () => {
    model.present()
    await model.service.restart()
    await open(model.service)
    const answer = await event('ai_response', ({ is_final: isFinal }) => isFinal === true)
    deepEqual([answer['thread_id'], answer['reply_to']], ['t2', sent['message_id']])
    isText(answer['content'])
    await peer.ask({ do: 'close' })
  })
}
