// What a client is told that asks too much, or of a model that takes too long; and the figures that an operator reads.
import { equal, match, ok } from 'node:assert/strict'
import { isRestError, isSocketError } from './expect.ts'
import { startPeer } from './peer.ts'
import type { Report } from './report.ts'
import { frameOf, QUESTION, sendFrame } from './socketConversations.ts'
import { curl, type StartedService } from './world.ts'

/** Takes one request and one message a minute of everybody. */
export const oneAMinute = { AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '1', AI_RATE_LIMIT_MESSAGES_PER_MINUTE: '1' }

type Heard = Readonly<Record<string, unknown>>

/** `tight` was started with `oneAMinute`; the model of `slow` never answers, and is waited for a second. */
export async function limitConversations(report: Report, tight: StartedService, slow: StartedService): Promise<void> {
  const ask = async (service: StartedService, user: string, path = '/api/ai/chat') =>
    await curl(`http://${service.http}${path}`, { token: await service.token(user), body: { message: QUESTION } })
  const limits = 'limits'
  await report.step(limits, 'the second request of a minute is 429 with retry_after', async () => {
    equal((await ask(tight, 'rest')).status, 200)
    const answer = await ask(tight, 'rest')
    isRestError(answer, 429, 'AI_RATE_LIMITED')
    ok(Number(answer.headers['retry-after']) > 0, 'there is no Retry-After')
  })
  await report.step(limits, 'the second call of a minute is RESOURCE_EXHAUSTED', async () => {
    await using peer = startPeer('grpc_peer.py')
    const metadata = [['authorization', `Bearer ${await tight.token('grpc')}`]]
    const call = async (): Promise<unknown> =>
      (await peer.ask({ do: 'call', address: tight.grpc, method: '/ai.AICopilot/Chat', fields: { 1: QUESTION }, metadata }))['code']
    equal(await call(), 'OK')
    equal(await call(), 'RESOURCE_EXHAUSTED')
  })
  await report.step(limits, 'the second message of a minute is told 4003 on a WebSocket, and the connection goes on', async () => {
    await using peer = startPeer('ws_peer.py')
    const headers = { Authorization: `Bearer ${await tight.token('erp')}` }
    equal((await peer.ask({ do: 'open', url: `ws://${tight.http}/ws`, headers }))['ok'], true)
    const chat = { type: 'ai_chat', data: { message: QUESTION }, timestamp: Date.now() }
    await sendFrame(peer, chat)
    await frameOf(peer, ({ type }) => type === 'ai_chat')
    await sendFrame(peer, chat)
    const { data } = await frameOf(peer, ({ type }) => type === 'error')
    isSocketError(data, 4003, 'rate_limit_exceeded')
    ok(Number(data['retry_after']) > 0, 'there is no retry_after')
    await sendFrame(peer, { type: 'ai_status', data: {}, timestamp: Date.now() })
    await frameOf(peer, ({ type }) => type === 'ai_status')
  })
  await report.step(limits, 'and over Socket.IO by event and acknowledgement', async () => {
    await using peer = startPeer('socketio_peer.py')
    equal((await peer.ask({ do: 'open', url: `http://${tight.http}`, auth: { token: await tight.token('io') } }))['ok'], true)
    const emit = async (): Promise<Heard> =>
      (await peer.ask({ do: 'emit', event: 'ai_chat', data: { message: QUESTION }, ack: true }))['ack'] as Heard
    equal((await emit())['ok'], true)
    equal((await emit())['ok'], false)
    for (let heard: Heard = {}; heard['event'] !== 'error';) {
      heard = await peer.ask({ do: 'receive', timeout: 10 })
      if (!('event' in heard)) throw new Error(`expected an error and got ${JSON.stringify(heard)}`)
      if (heard['event'] === 'error') isSocketError(heard['data'], 4003, 'rate_limit_exceeded')
    }
  })

  const late = 'a model that takes too long'
  await report.step(late, 'is 504 over REST', async () => isRestError(await ask(slow, 'rest'), 504, 'AI_TIMEOUT'))
  await report.step(late, 'ends a stream of events with an error event', async () =>
    match((await ask(slow, 'sse', '/api/ai/stream')).text, /event: error\r?\ndata: \{"error":\{"code":"AI_TIMEOUT"/)
  )
  await report.step(late, 'is DEADLINE_EXCEEDED over gRPC', async () => {
    await using peer = startPeer('grpc_peer.py')
    const metadata = [['authorization', `Bearer ${await slow.token('grpc')}`]]
    const { code } = await peer.ask({ do: 'call', address: slow.grpc, method: '/ai.AICopilot/Chat', fields: { 1: QUESTION }, metadata, timeout: 60 })
    equal(code, 'DEADLINE_EXCEEDED')
  })
  await report.step(late, 'is told 4001 on a WebSocket', async () => {
    await using peer = startPeer('ws_peer.py')
    const headers = { Authorization: `Bearer ${await slow.token('erp')}` }
    await peer.ask({ do: 'open', url: `ws://${slow.http}/ws`, headers })
    await sendFrame(peer, { type: 'ai_chat', data: { message: QUESTION }, timestamp: Date.now() })
    isSocketError((await frameOf(peer, ({ type }) => type === 'error')).data, 4001, 'processing_error')
  })

  await report.step('REST: probes', '/metrics is Prometheus text, for who may read it', async () => {
    const url = `http://${tight.http}/metrics`
    const answer = await curl(url, { token: await tight.token('operator', 600_000, 'manager') })
    equal(answer.status, 200)
    match(answer.text, /^# HELP aside_questions_total /m)
    isRestError(await curl(url, { token: await tight.token() }), 403, 'FORBIDDEN')
    isRestError(await curl(url), 401, 'UNAUTHENTICATED')
  })
}
