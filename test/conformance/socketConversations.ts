// The ERP dialect with Python's websockets and python-socketio.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { hasKeys, isNow, isSocketError, isText } from './expect.ts'
import { startPeer, type Answer, type Peer } from './peer.ts'
import type { Report } from './report.ts'
import type { StartedService } from './world.ts'

export const QUESTION = 'Which S3 storage class is best for archives?'
type Data = Record<string, unknown>
export interface Envelope extends Data {
  readonly type: string
  readonly data: Data
}

/** A frame that comes within ten seconds, or why there is none. */
export async function nextFrame(peer: Peer, timeout = 10): Promise<Envelope> {
  const answer = await peer.ask({ do: 'receive', timeout })
  if (typeof answer['text'] !== 'string') throw new Error(`expected a frame and got ${JSON.stringify(answer)}`)
  return JSON.parse(answer['text']) as Envelope
}
export async function frameOf(peer: Peer, fits: (frame: Envelope) => boolean): Promise<Envelope> {
  for (;;) {
    const frame = await nextFrame(peer)
    if (fits(frame)) return frame
  }
}
/** Reads to the end of the connection: the frames before it, and its close code. */
export async function toTheEnd(peer: Peer): Promise<{ readonly frames: readonly Envelope[]; readonly code: unknown }> {
  const frames: Envelope[] = []
  for (;;) {
    const answer = await peer.ask({ do: 'receive', timeout: 15 })
    if ('closed' in answer) return { frames, code: answer['closed'] }
    if (typeof answer['text'] !== 'string') throw new Error(`expected the end and got ${JSON.stringify(answer)}`)
    frames.push(JSON.parse(answer['text']) as Envelope)
  }
}
export const sendFrame = async (peer: Peer, frame: unknown): Promise<Answer> =>
  await peer.ask({ do: 'send', text: typeof frame === 'string' ? frame : JSON.stringify(frame) })

export async function erpWebSocketConversations(report: Report, service: StartedService, away: StartedService): Promise<void> {
  await using peer = startPeer('ws_peer.py')
  const url = `ws://${service.http}/ws`
  const token = await service.token()
  const open = async (more: Data = { headers: { Authorization: `Bearer ${token}` } }, to = url): Promise<Answer> =>
    await peer.ask({ do: 'open', url: to, ...more })
  const frame = (type: string, data: unknown): Data => ({ type, data, timestamp: Date.now() })

  const talk = 'ERP WebSocket: conversation'
  await report.step(talk, 'opens with the token in the header', async () => equal((await open())['ok'], true))
  let whole = ''
  await report.step(talk, 'ai_stream sends the next piece each time, a status between, and marks the last', async () => {
    await sendFrame(peer, frame('ai_stream', { message: QUESTION, context: { client: 'Northwind' }, session_id: 's1' }))
    const pieces: Envelope[] = []
    const statuses: Envelope[] = []
    while (pieces.at(-1)?.data['is_final'] !== true) {
      const heard = await nextFrame(peer)
      hasKeys(heard, 'type', 'data', 'timestamp')
      isNow(heard['timestamp'])
      ;(heard.type === 'ai_status' ? statuses : pieces).push(heard)
    }
    ok(pieces.length > 2 && pieces.every(({ type }) => type === 'ai_stream'))
    for (const { data } of pieces) hasKeys(data, 'content', 'is_final', 'message_id')
    for (const { data } of statuses) hasKeys(data, 'status', 'message_id', 'progress')
    ok(statuses.length > 0)
    equal(new Set([...pieces, ...statuses].map(({ data }) => data['message_id'])).size, 1)
    whole = pieces.map(({ data }) => String(data['content'])).join('')
  })
  await report.step(talk, 'ai_chat answers whole', async () => {
    await sendFrame(peer, frame('ai_chat', { message: QUESTION }))
    const { data } = await frameOf(peer, ({ type }) => type === 'ai_chat')
    equal(data['response'], whole)
    isText(data['message_id'])
    isNow(data['timestamp'])
  })
  await report.step(talk, 'ai_status tells status, message_id and progress', async () => {
    await sendFrame(peer, frame('ai_status', {}))
    const { data } = await frameOf(peer, ({ type }) => type === 'ai_status')
    hasKeys(data, 'status', 'message_id', 'progress')
  })
  await report.step(talk, 'needs no timestamp', async () => {
    await sendFrame(peer, { type: 'ai_chat', data: { message: QUESTION } })
    await frameOf(peer, ({ type }) => type === 'ai_chat')
  })

  const errors = 'ERP WebSocket: errors'
  for (const [name, text, code, kind] of [
    ['a frame that is not JSON', 'hello', 4002, 'validation_error'],
    ['a frame that is a list', '[]', 4002, 'validation_error'],
    ['a type that is not there', '{"type":"other","data":{}}', 4002, 'validation_error'],
    ['data that is text', '{"type":"ai_chat","data":"x"}', 4002, 'validation_error'],
    ['an empty message', '{"type":"ai_chat","data":{"message":""}}', 4002, 'validation_error'],
    ['a message that is a number', '{"type":"ai_stream","data":{"message":5}}', 4002, 'validation_error'],
    ['a context that is text', '{"type":"ai_chat","data":{"message":"x","context":"y"}}', 4004, 'validation_error'],
    ['a context with a list in it', '{"type":"ai_chat","data":{"message":"x","context":{"a":[]}}}', 4004, 'validation_error'],
    ['a message of 200 kB', JSON.stringify(frame('ai_chat', { message: 'x'.repeat(200_000) })), 4004, 'validation_error'],
    ['another user’s id', '{"type":"ai_chat","data":{"message":"x","user_id":"bob"}}', 1008, 'auth_failed']
  ] as const) {
    await report.step(errors, `${name} is told ${code}, and the connection goes on`, async () => {
      await sendFrame(peer, text)
      const { data } = await frameOf(peer, ({ type }) => type === 'error')
      isSocketError(data, code, kind)
    })
  }
  await report.step(errors, 'binary is told 4002', async () => {
    await peer.ask({ do: 'send', base64: Buffer.from('{"type":"ai_status"}').toString('base64') })
    isSocketError((await frameOf(peer, ({ type }) => type === 'error')).data, 4002, 'validation_error')
  })
  await report.step(errors, 'the next good message is answered', async () => {
    await sendFrame(peer, frame('ai_chat', { message: QUESTION }))
    equal((await frameOf(peer, ({ type }) => type === 'ai_chat')).data['response'], whole)
  })

  const closes = 'ERP WebSocket: close codes, each behind its error event'
  for (const [name, data, code] of [
    ['who sends invalid messages again and again is closed with 4002', { message: '' }, 4002],
    ['who sends invalid context again and again is closed with 4004', { message: 'x', context: 1 }, 4004]
  ] as const) {
    await report.step(closes, name, async () => {
      await open()
      for (let n = 0; n < 25; n += 1) await sendFrame(peer, frame('ai_chat', data)).catch(() => undefined)
      const end = await toTheEnd(peer)
      equal(end.code, code)
      equal(end.frames.at(-1)?.type, 'error')
      equal(end.frames.at(-1)?.data['code'], code)
    })
  }
  await report.step(closes, 'a flood is closed with 4003 and told when to come back', async () => {
    await open()
    for (let n = 0; n < 400; n += 1) await sendFrame(peer, frame('ai_hello', {})).catch(() => undefined)
    const end = await toTheEnd(peer)
    equal(end.code, 4003)
    ok(Number(end.frames.at(-1)?.data['retry_after']) > 0)
  })
  await report.step(closes, 'a frame of 2 MB is closed with 1009', async () => {
    await open()
    await sendFrame(peer, frame('ai_chat', { message: 'x'.repeat(2_000_000) })).catch(() => undefined)
    equal((await toTheEnd(peer)).code, 1009)
  })
  for (const [what, bad] of Object.entries({ ...(await service.badTokens()), missing: '' })) {
    await report.step(closes, `a token that is ${what} is closed with 1008`, async () => {
      await open(bad === '' ? {} : { headers: { Authorization: `Bearer ${bad}` } })
      const end = await toTheEnd(peer)
      deepEqual([end.code, end.frames.length], [1008, 1])
      isSocketError(end.frames[0]?.data, 1008, 'auth_failed')
    })
  }
  await report.step(closes, 'a token in the address is closed with 1008', async () => {
    await open({ headers: {} }, `${url}?token=${token}`)
    equal((await toTheEnd(peer)).code, 1008)
  })
  await report.step(closes, 'a token that runs out while the connection is open is closed with 1008', async () => {
    await open({ headers: { Authorization: `Bearer ${await service.token('anna', 1_500)}` } })
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await sendFrame(peer, frame('ai_chat', { message: QUESTION }))
    equal((await toTheEnd(peer)).code, 1008)
  })
  await report.step(closes, 'the AI unavailable is told 4001 before the end', async () => {
    await open({ headers: { Authorization: `Bearer ${await away.token()}` } }, `ws://${away.http}/ws`)
    await sendFrame(peer, frame('ai_stream', { message: QUESTION }))
    const { data } = await frameOf(peer, ({ type }) => type === 'error')
    isSocketError(data, 4001, 'processing_error')
    await frameOf(peer, (heard) => heard.data['is_final'] === true)
  })

  await report.step('ERP WebSocket: opening', 'a browser’s token in a protocol entry lets in, and is not repeated', async () => {
    deepEqual(await open({ subprotocols: ['erp', `bearer.${token}`] }), { ok: true, subprotocol: 'erp' })
    await sendFrame(peer, frame('ai_status', {}))
    await frameOf(peer, ({ type }) => type === 'ai_status')
  })
  await report.step('ERP WebSocket: opening', 'another address is a 404', async () =>
    equal((await open({}, `ws://${service.http}/nowhere`))['status'], 404)
  )
}

export async function erpSocketIoConversations(report: Report, service: StartedService, away: StartedService): Promise<void> {
  for (const transport of ['websocket', 'polling']) {
    await using peer = startPeer('socketio_peer.py')
    const url = `http://${service.http}`
    const token = await service.token()
    const open = async (more: Data = { auth: { token } }, to = url): Promise<Answer> =>
      await peer.ask({ do: 'open', url: to, transports: [transport], ...more })
    const event = async (name: string, fits: (data: Data) => boolean = () => true): Promise<Data> => {
      for (;;) {
        const heard = await peer.ask({ do: 'receive' })
        if (heard['event'] === name && fits(heard['data'] as Data)) return heard['data'] as Data
        if (!('event' in heard)) throw new Error(`expected ${name} and got ${JSON.stringify(heard)}`)
      }
    }
    const emit = async (name: string, data: unknown, ack = false): Promise<Answer> => await peer.ask({ do: 'emit', event: name, data, ack })

    const talk = `ERP Socket.IO over ${transport}`
    await report.step(talk, 'opens with auth.token', async () => deepEqual(await open(), { ok: true, transport }))
    let whole = ''
    await report.step(talk, 'ai_stream: pieces, the last one marked; the acknowledgement has the ids', async () => {
      const { ack } = await emit('ai_stream', { message: QUESTION, session_id: 's1' }, true)
      const { ok: isOk, message_id: id } = ack as Data
      equal(isOk, true)
      for (let last = false; !last;) {
        const data = await event('ai_stream')
        hasKeys(data, 'content', 'is_final', 'message_id')
        equal(data['message_id'], id)
        whole += String(data['content'])
        last = data['is_final'] === true
      }
    })
    await report.step(talk, 'ai_chat answers whole', async () => {
      await emit('ai_chat', { message: QUESTION })
      equal((await event('ai_chat'))['response'], whole)
    })
    await report.step(talk, 'ai_status', async () => {
      await emit('ai_status', {})
      hasKeys(await event('ai_status', ({ progress }) => progress === 100), 'status', 'message_id', 'progress')
    })
    for (const [name, data, code] of [
      ['an empty message', { message: '' }, 4002],
      ['a payload that is text', 'x', 4002],
      ['an invalid context', { message: 'x', context: 1 }, 4004],
      ['another user’s id', { message: 'x', user_id: 'bob' }, 1008]
    ] as const) {
      await report.step(talk, `${name} is told ${code} by event and acknowledgement`, async () => {
        const { ack } = await emit('ai_chat', data, true)
        equal((ack as Data)['ok'], false)
        isSocketError(await event('error'), code, code === 1008 ? 'auth_failed' : 'validation_error')
      })
    }
    await report.step(talk, 'the next good message is answered, then the client leaves', async () => {
      await emit('ai_chat', { message: QUESTION })
      equal((await event('ai_chat'))['response'], whole)
      await peer.ask({ do: 'close' })
    })
    await report.step(talk, 'opens with the token in the header', async () => {
      deepEqual(await open({ headers: { Authorization: `Bearer ${token}` } }), { ok: true, transport })
      await peer.ask({ do: 'close' })
    })
    for (const [what, bad] of Object.entries(await service.badTokens())) {
      await report.step(talk, `a token that is ${what} is refused with 1008`, async () =>
        match(JSON.stringify(await open({ auth: { token: bad }, wait: 1.5 })), /1008|not valid|expired/)
      )
    }
    await report.step(talk, 'a token in the address is refused', async () =>
      match(JSON.stringify(await open({ wait: 1.5 }, `${url}?token=${token}`)), /refused/)
    )
    await report.step(talk, 'the AI unavailable is told 4001, then the end', async () => {
      await open({ auth: { token: await away.token() } }, `http://${away.http}`)
      await emit('ai_stream', { message: QUESTION })
      isSocketError(await event('error'), 4001, 'processing_error')
      await event('ai_stream', (data) => data['is_final'] === true)
      await peer.ask({ do: 'close' })
    })
  }
}
