// The gRPC dialect of the whole service, over a real socket, with base clients and our own.
import { v7 as uuidv7 } from 'uuid'
import { credentials, Metadata, status } from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { makeGenericClientConstructor } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { CopilotError, wireErrorSchema } from '../../src/shared/errors.ts'
import { reduceTurn, type TurnEvent } from '../../src/shared/turn.ts'
import type { StreamResponse } from '../../src/shared/wire/gen/ai.ts'
import { ERROR_TRAILER, fromStreamResponse } from '../../src/shared/wire/grpc.ts'
import { grpcClient, startHere, toldProvider, type Spoken } from '../fakes/service-running.ts'

const eventsOf = (pieces: readonly StreamResponse[]): TurnEvent[] => pieces.map(fromStreamResponse).filter((event) => event !== null)
const whole = ({ error }: Spoken) => wireErrorSchema.parse(JSON.parse(String(error?.metadata.get(ERROR_TRAILER)[0])))
const until = async (ready: () => boolean): Promise<void> => {
  while (!ready()) await new Promise((resolve) => setImmediate(resolve))
}

describe('gRPC', () => {
  it('holds a streamed conversation from the knowledge with our own client', async () => {
    await using here = await startHere()
    await using grpc = grpcClient(here.service.grpc, await here.token())
    const turnId = uuidv7()
    const { pieces, error, headers } = await grpc.stream({ message: 'Which Harbor class for archives?', turnId, sessionId: 's' })
    expect(error).toBeNull()
    expect(headers.get('aside-protocol')).toEqual(['1'])
    const view = reduceTurn(eventsOf(pieces), turnId)
    expect(view).toMatchObject({ state: 'done', usage: { provider: 'local', costMicros: 0 }, notices: [{ kind: 'local' }] })
    expect(view.text).toContain('Frozen class for archives')
    expect(view.citations[0]).toMatchObject({ n: 1, date: '2025-01-15', url: 'https://example.com/fixture-object-store' })
    expect(pieces.filter(({ content }) => content !== '').length).toBeGreaterThan(1)
    // The same turn again, from the middle: the rest, letter by letter.
    const rest = await grpc.stream({ message: 'Which Harbor class for archives?', turnId, sessionId: 's', afterSeq: 3 })
    expect(eventsOf(rest.pieces)).toEqual(eventsOf(pieces).slice(3))
  })

  it('gives a base client text, an end and nothing else', async () => {
    await using here = await startHere()
    await using grpc = grpcClient(here.service.grpc, await here.token())
    const { pieces, error } = await grpc.stream({ message: 'Which Harbor class for archives?' })
    expect(error).toBeNull()
    expect(pieces.every(({ content, isFinal, messageId }) => (content !== '') !== isFinal && messageId !== '')).toBe(true)
    expect(pieces.filter(({ isFinal }) => isFinal)).toHaveLength(1)
    const again = await new Promise((resolve, reject) => {
      grpc.client.chat(
        { message: 'Which Harbor class for archives?', context: {}, userId: 'anna', sessionId: '', turnId: '', quickAction: '' },
        grpc.metadata,
        (failure, answer) => (failure === null ? resolve(answer) : reject(failure))
      )
    })
    expect(again).toMatchObject({ response: pieces.map(({ content }) => content).join(''), finish: 'stop' })
  })

  it('ends a base client’s turn with its call, and a named one only by a cancel', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    await using grpc = grpcClient(here.service.grpc, await here.token())
    model.say('one')
    const base = await grpc.stream({ message: 'base' }, (_piece, cancel) => cancel())
    expect(base.error?.code).toBe(status.CANCELLED)
    await until(() => model.signals[0]?.aborted === true)
    const turnId = uuidv7()
    model.say('two')
    await grpc.stream({ message: 'named', turnId }, ({ content }, cancel) => content === '' || cancel())
    // Comes after the end of the first call on the same connection: it would find the turn cancelled if that had ended it.
    const cancelled = Promise.withResolvers<unknown>()
    cancelled.promise.catch(() => undefined)
    const back = grpc.stream({ message: 'named', turnId }, ({ content }) => {
      if (content === 'two') model.say('three')
      if (content === 'three')
        grpc.client.cancelTurn({ turnId }, grpc.metadata, (failure, answer) =>
          failure === null ? cancelled.resolve(answer) : cancelled.reject(failure)
        )
    })
    const { pieces, error } = await back
    if (!pieces.some(({ content }) => content === 'three')) throw new Error('the turn ended with the call that named it')
    expect(await cancelled.promise).toEqual({ cancelled: true })
    expect(model.signals[1]?.aborted).toBe(true)
    expect(reduceTurn(eventsOf(pieces), turnId)).toMatchObject({ state: 'cancelled', text: 'twothree' })
    expect(error?.code).toBe(status.CANCELLED)
  })

  it('refuses who has no right, with the whole error in the trailer', async () => {
    await using here = await startHere()
    const stale = await here.token('anna', -10_000)
    for (const token of [undefined, 'x', stale]) {
      await using grpc = grpcClient(here.service.grpc, token)
      const spoken = await grpc.stream({ message: 'Harbor?' })
      expect(spoken.error?.code).toBe(status.UNAUTHENTICATED)
      expect(whole(spoken)).toMatchObject({ code: 'unauthenticated', correlationId: expect.any(String) })
      expect(spoken.headers.get('aside-protocol')).toEqual(['1'])
    }
    await using grpc = grpcClient(here.service.grpc, await here.token())
    expect(whole(await grpc.stream({ message: 'Harbor?', userId: 'bob' }))).toMatchObject({ code: 'forbidden' })
  })

  it('keeps a turn from everybody but its owner', async () => {
    await using here = await startHere()
    await using anna = grpcClient(here.service.grpc, await here.token('anna'))
    await using bob = grpcClient(here.service.grpc, await here.token('bob'))
    const turnId = uuidv7()
    await anna.stream({ message: 'Harbor?', turnId })
    expect(whole(await bob.stream({ message: 'Harbor?', turnId }))).toMatchObject({ code: 'not_found' })
    expect(whole(await anna.stream({ message: 'Pigeon?', turnId }))).toMatchObject({ code: 'conflict' })
    expect(whole(await anna.stream({ message: 'Harbor?', turnId: uuidv7(), afterSeq: 4 }))).toMatchObject({ code: 'not_found' })
  })

  it.each([
    ['', status.INVALID_ARGUMENT],
    ['\u0000\u0007', status.INVALID_ARGUMENT],
    ['x'.repeat(200_000), status.OUT_OF_RANGE],
    ['ü'.repeat(200_000), status.OUT_OF_RANGE]
  ])('answers bad input %# with an error, and the next question as ever', async (message, code) => {
    await using here = await startHere()
    await using grpc = grpcClient(here.service.grpc, await here.token())
    expect((await grpc.stream({ message })).error?.code).toBe(code)
    expect((await grpc.stream({ message: '<script>alert("Harbor")</script> \ud800' })).error).toBeNull()
  })

  it('passes a provider’s failure on with its code, after the text that came', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    await using grpc = grpcClient(here.service.grpc, await here.token())
    model.say('half')
    model.fail(new CopilotError('unavailable', 'Told broke off.', { retryAfterMs: 3_000 }))
    const turnId = uuidv7()
    const named = await grpc.stream({ message: 'Harbor?', turnId })
    expect(reduceTurn(eventsOf(named.pieces), turnId)).toMatchObject({
      state: 'failed',
      text: 'half',
      error: { code: 'unavailable', retryAfterMs: 3_000 }
    })
    expect(named.error?.code).toBe(status.UNAVAILABLE)
    expect(whole(named)).toMatchObject({ code: 'unavailable', retryAfterMs: 3_000 })
  })

  it('streams a long answer to a reader that is slow, whole', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    await using grpc = grpcClient(here.service.grpc, await here.token())
    const pieces = Array.from({ length: 600 }, (_, index) => `${index} ${'x'.repeat(4_000)}\n`)
    for (const piece of pieces) model.say(piece)
    model.finish()
    const call = grpc.client.streamChat(
      { message: 'long', context: {}, userId: '', turnId: uuidv7(), sessionId: '', afterSeq: 0, quickAction: '' },
      grpc.metadata
    )
    let text = ''
    for await (const piece of call as AsyncIterable<StreamResponse>) {
      text += piece.content
      if (text.length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(text).toBe(pieces.join(''))
  })

  it('tells probes that it serves, its own clients who answers, and can be reflected', async () => {
    await using here = await startHere()
    await using anonymous = grpcClient(here.service.grpc)
    const health = await new Promise((resolve, reject) =>
      anonymous.client.healthCheck({}, (error, answer) => (error === null ? resolve(answer) : reject(error)))
    )
    expect(health).toMatchObject({ healthy: true, status: 'serving', protocol: 1, answeredBy: 'Local knowledge' })
    await using forged = grpcClient(here.service.grpc, 'forged')
    const refused = await new Promise<{ code?: number }>((resolve) =>
      forged.client.healthCheck({}, forged.metadata, (error) => resolve({ code: error?.code ?? 0 }))
    )
    expect(refused.code).toBe(status.UNAUTHENTICATED)
    const Health = makeGenericClientConstructor(healthService as never, 'grpc.health.v1.Health')
    const probe = new Health(here.service.grpc, credentials.createInsecure()) as unknown as {
      check(request: object, metadata: Metadata, callback: (error: Error | null, answer: unknown) => void): void
      close(): void
    }
    const answer = await new Promise((resolve, reject) =>
      probe.check({ service: 'ai.AICopilot' }, new Metadata(), (error, value) => (error === null ? resolve(value) : reject(error)))
    )
    expect(answer).toMatchObject({ status: 'SERVING' })
    probe.close()
  })

  it('keeps what people wrote out of its log', async () => {
    await using here = await startHere()
    await using grpc = grpcClient(here.service.grpc, await here.token('secret-user'))
    await grpc.stream({ message: 'secret-question about Harbor', context: { client: 'secret-client' } })
    await grpc.stream({ message: '', context: {} })
    expect(JSON.stringify(here.logger.lines)).not.toContain('secret')
  })
})
