// gRPC with Python's grpcio, which knows nothing but field numbers: every call, and every way of being refused.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { startPeer, type Answer } from './peer.ts'
import type { Report } from './report.ts'
import type { StartedService } from './world.ts'
import { isNow, isText } from './expect.ts'

const QUESTION = 'Which S3 storage class is best for archives?'
type Fields = Record<string, unknown>

export async function grpcConversations(report: Report, service: StartedService, away: StartedService): Promise<void> {
  await using peer = startPeer('grpc_peer.py')
  const token = await service.token()
  const call = async (method: string, fields: Fields, more: Fields = {}): Promise<Answer & { answers: Fields[] }> =>
    (await peer.ask({
      do: 'call',
      address: service.grpc,
      method: method.includes('/') ? method : `/ai.AICopilot/${method}`,
      fields,
      metadata: [['authorization', `Bearer ${token}`]],
      ...more
    })) as Answer & { answers: Fields[] }
  const first = (fields: Fields | undefined, number: number): string | number | undefined =>
    (fields?.[number] as (string | number)[] | undefined)?.[0]

  const chat = 'gRPC: Chat'
  await report.step(chat, 'answers a message with fields 1 to 4', async () => {
    const { code, answers } = await call('Chat', { 1: QUESTION, 2: { client: 'Northwind' }, 3: 'anna', 4: 's1' })
    equal(code, 'OK')
    isText(first(answers[0], 1))
    isText(first(answers[0], 2))
    isNow(first(answers[0], 3))
  })
  await report.step(chat, 'needs no more than field 1', async () => equal((await call('Chat', { 1: QUESTION })).code, 'OK'))

  const stream = 'gRPC: StreamChat'
  let whole = ''
  await report.step(stream, 'sends the next piece each time, and marks the last', async () => {
    const { code, answers } = await call('StreamChat', { 1: QUESTION, 2: { client: 'Northwind' }, 3: 'anna' }, { stream: true })
    equal(code, 'OK')
    ok(answers.length > 2, `${answers.length} pieces`)
    deepEqual(
      answers.map((piece) => Boolean(first(piece, 2))),
      answers.map((_piece, index) => index === answers.length - 1)
    )
    equal(new Set(answers.map((piece) => first(piece, 3))).size, 1)
    whole = answers.map((piece) => String(first(piece, 1) ?? '')).join('')
  })
  await report.step(stream, 'joined, it is the answer of Chat', async () => equal(first((await call('Chat', { 1: QUESTION })).answers[0], 1), whole))
  await report.step(stream, 'can be cancelled by its client, and the next call is answered', async () => {
    equal((await call('StreamChat', { 1: QUESTION }, { stream: true, cancel_after: 1 })).code, 'CANCELLED')
    equal((await call('HealthCheck', {})).code, 'OK')
  })
  await report.step(stream, 'ends by its deadline', async () => {
    const { code, answers } = await call('StreamChat', { 1: QUESTION }, { stream: true, timeout: 0.05 })
    equal(code, 'DEADLINE_EXCEEDED')
    ok(answers.every((piece) => !first(piece, 2)))
  })

  const refusals = 'gRPC: refusals'
  for (const [name, fields, more, status] of [
    ['an empty message', { 1: '' }, {}, 'INVALID_ARGUMENT'],
    ['no message', {}, {}, 'INVALID_ARGUMENT'],
    ['a message of nothing but control characters', { 1: '\u0000\u0007 ' }, {}, 'INVALID_ARGUMENT'],
    ['a message of 200 kB', { 1: 'x'.repeat(200_000) }, {}, 'OUT_OF_RANGE'],
    ['a context entry that is too long', { 1: 'x', 2: { a: 'x'.repeat(5_000) } }, {}, 'OUT_OF_RANGE'],
    ['another user’s id', { 1: 'x', 3: 'bob' }, {}, 'PERMISSION_DENIED'],
    ['no token', { 1: 'x' }, { metadata: [] }, 'UNAUTHENTICATED'],
    ['a message of 5 MB', { 1: 'x'.repeat(5_000_000) }, {}, 'RESOURCE_EXHAUSTED']
  ] as const) {
    for (const method of ['Chat', 'StreamChat']) {
      await report.step(refusals, `${method} refuses ${name} with ${status}`, async () => {
        const { code, details } = await call(method, fields, { ...more, stream: method === 'StreamChat' })
        equal(code, status)
        isText(details)
      })
    }
  }
  await report.step(refusals, 'tell the whole error in a trailer', async () => {
    const { trailers } = await call('Chat', { 1: '' })
    match(JSON.stringify(trailers), /invalid_request/)
  })
  for (const [what, bad] of Object.entries(await service.badTokens())) {
    await report.step(refusals, `a token that is ${what} is UNAUTHENTICATED`, async () =>
      equal((await call('Chat', { 1: 'x' }, { metadata: [['authorization', `Bearer ${bad}`]] })).code, 'UNAUTHENTICATED')
    )
  }
  await report.step(refusals, 'bytes that are no message fail, and the next call is answered', async () => {
    const { code } = await call('Chat', {}, { raw: Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]).toString('base64') })
    ok(code === 'INTERNAL' || code === 'INVALID_ARGUMENT', String(code))
    equal((await call('Chat', { 1: QUESTION })).code, 'OK')
  })
  await report.step(refusals, 'metadata of 100 kB is refused, and the next call is answered', async () => {
    const metadata = [
      ['authorization', `Bearer ${token}`],
      ['x-large', 'x'.repeat(100_000)]
    ]
    ok((await call('Chat', { 1: QUESTION }, { metadata })).code !== 'OK')
    equal((await call('Chat', { 1: QUESTION })).code, 'OK')
  })
  await report.step(refusals, 'a method that is not there is UNIMPLEMENTED', async () => equal((await call('Nothing', {})).code, 'UNIMPLEMENTED'))

  const health = 'gRPC: health and reflection'
  await report.step(health, 'HealthCheck says healthy and a status, without a token', async () => {
    const { code, answers } = await call('HealthCheck', {}, { metadata: [] })
    deepEqual([code, first(answers[0], 1)], ['OK', 1])
    isText(first(answers[0], 2))
  })
  for (const name of ['', 'ai.AICopilot']) {
    await report.step(health, `grpc.health.v1.Health serves ${name === '' ? 'the whole server' : name}`, async () =>
      equal(first((await call('/grpc.health.v1.Health/Check', { 1: name }, { metadata: [] })).answers[0], 1), 1)
    )
  }
  await report.step(health, 'grpc.health.v1.Health does not know other services', async () =>
    equal((await call('/grpc.health.v1.Health/Check', { 1: 'other' }, { metadata: [] })).code, 'NOT_FOUND')
  )
  await report.step(health, 'reflection lists ai.AICopilot', async () => {
    const method = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
    const { code, answers } = await call(method, { 7: '' }, { stream: 'in', metadata: [] })
    equal(code, 'OK')
    match(JSON.stringify(answers), /ai\.AICopilot/)
  })
  await report.step('gRPC: the AI is unavailable', 'Chat and StreamChat end with UNAVAILABLE', async () => {
    const metadata = [['authorization', `Bearer ${await away.token()}`]]
    for (const method of ['Chat', 'StreamChat']) {
      equal((await call(method, { 1: QUESTION }, { address: away.grpc, metadata, stream: method === 'StreamChat' })).code, 'UNAVAILABLE')
    }
  })
}
