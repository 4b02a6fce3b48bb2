// Plain WebSockets of the whole service, over real sockets: the ERP envelope, and the rules that hold for every frame dialect.
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it } from 'vitest'
import { CopilotError } from '../../src/shared/errors.ts'
import { aiErrorSchema, type AiStreamPiece } from '../../src/shared/wire/socket.ts'
import { reduceTurn, type TurnEvent } from '../../src/shared/turn.ts'
import { frameClient, type Frame } from '../fakes/service-frames.ts'
import { startHere, toldProvider } from '../fakes/service-running.ts'

const question = 'Which Harbor class for archives?'
const piecesOf = (frames: readonly Frame[]): AiStreamPiece[] =>
  frames.filter(({ type }) => type === 'ai_stream').map(({ data }) => data as AiStreamPiece)
const isFinal = ({ type, data }: Frame): boolean => type === 'ai_stream' && (data as AiStreamPiece).is_final

describe('ERP WebSocket', () => {
  it('streams, answers whole and tells its status in the envelope', async () => {
    await using here = await startHere()
    await using client = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    client.send({ type: 'ai_stream', data: { message: question, context: { client: 'Northwind' } }, timestamp: Date.now() })
    await client.until(isFinal)
    const pieces = piecesOf(client.frames)
    expect(client.frames.every(({ timestamp }) => Number.isInteger(timestamp))).toBe(true)
    expect(client.frames.find(({ type }) => type === 'ai_status')?.data).toMatchObject({
      status: expect.any(String),
      message_id: pieces[0]?.message_id,
      progress: 0
    })
    expect(pieces.map((piece) => Object.keys(piece).length)).toEqual(pieces.map(() => 3))
    client.send({ type: 'ai_chat', data: { message: question }, timestamp: Date.now() })
    const answer = await client.until(({ type }) => type === 'ai_chat')
    expect(answer.data).toMatchObject({
      response: pieces.map(({ content }) => content).join(''),
      message_id: expect.any(String),
      timestamp: expect.any(Number)
    })
    client.send({ type: 'ai_status' })
    expect((await client.until(({ data }) => (data as { progress?: number }).progress === 100)).data).toEqual({
      status: 'ready',
      message_id: '',
      progress: 100
    })
  })

  it('takes the token from the header or from a browser’s protocol entry, and never from the address', async () => {
    await using here = await startHere()
    const token = await here.token()
    for (const protocols of [['aside', `bearer.${token}`], ['bearer', token], [token]]) {
      await using client = await frameClient(`ws://${here.service.http}/ws`, { protocols })
      client.send({ type: 'ai_status' })
      await client.until(({ type }) => type === 'ai_status')
      expect(client.protocol).toBe(protocols[0])
    }
    for (const name of ['token', 'access_token', 'Authorization']) {
      await using client = await frameClient(`ws://${here.service.http}/ws?${name}=${token}`, { token })
      expect(await client.closed).toBe(1008)
      expect(client.frames).toMatchObject([{ type: 'error', data: { code: 1008, errorType: 'auth_failed' } }])
    }
    expect(JSON.stringify(here.logger.lines)).not.toContain(token)
  })

  it('tells every bad frame its code, and answers the next good one as ever', async () => {
    await using here = await startHere()
    await using client = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    const bad: [unknown, number][] = [
      ['no json', 4002],
      [[], 4002],
      [null, 4002],
      [7, 4002],
      [{}, 4002],
      [{ type: 'nothing' }, 4002],
      [{ type: '__proto__', data: {} }, 4002],
      [{ type: 'ai_chat', data: 'text' }, 4002],
      [{ type: 'ai_chat', data: { message: '' } }, 4002],
      [{ type: 'ai_chat', data: { message: 'x', context: 5 } }, 4004],
      [{ type: 'ai_chat', data: { message: 'x'.repeat(200_000) } }, 4004],
      [{ type: 'ai_chat', data: { message: 'x', user_id: 'bob' } }, 1008]
    ]
    for (const [frame, code] of bad) {
      const seen = client.frames.length
      client.send(frame)
      await client.until(({ type }) => type === 'error', seen)
      expect(aiErrorSchema.parse(client.frames.at(-1)?.data)).toMatchObject({ code, errorType: code === 1008 ? 'auth_failed' : 'validation_error' })
    }
    client.sendBinary(Buffer.from('{"type":"ai_status"}'))
    await client.until(({ type }) => type === 'error', client.frames.length)
    client.send({ type: 'ai_stream', data: { message: question } })
    await client.until(isFinal)
  })

  it('resumes a named turn on another connection after its last number', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    const turnId = uuidv7()
    const ask = (afterSeq: number) => ({ type: 'ai_stream', data: { message: question, turn_id: turnId, after_seq: afterSeq } })
    const first = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    first.send(ask(0))
    model.say('one ')
    await first.until(({ data }) => (data as AiStreamPiece).content === 'one ')
    await first[Symbol.asyncDispose]()
    const seen = piecesOf(first.frames).flatMap(({ event }): TurnEvent[] => (event === undefined ? [] : [event]))
    model.say('two')
    model.finish()
    await using second = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    second.send(ask(seen.length))
    await second.until(isFinal)
    const rest = piecesOf(second.frames).flatMap(({ event }): TurnEvent[] => (event === undefined ? [] : [event]))
    expect(reduceTurn([...seen, ...rest], turnId)).toMatchObject({ state: 'done', text: 'one two', gapAfter: null })
  })

  it('tells of a failure with its code before the end', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model] })
    await using client = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    model.say('half')
    model.fail(new CopilotError('unavailable', 'Told broke off.', { retryAfterMs: 2_000 }))
    client.send({ type: 'ai_stream', data: { message: question } })
    await client.until(isFinal)
    expect(client.frames.slice(-2)).toMatchObject([
      { type: 'error', data: { code: 4001, errorType: 'processing_error' } },
      { type: 'ai_stream', data: { content: '', is_final: true } }
    ])
  })
})

describe('bounds of a connection', () => {
  it('close with 4001 when the service stops, the error event first', async () => {
    const here = await startHere()
    const client = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    await here[Symbol.asyncDispose]()
    expect(await client.closed).toBe(4001)
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', data: { code: 4001, error: { code: 'unavailable' } } })
  })

  it('end who is refused many times in a row, with the code of the last refusal', async () => {
    await using here = await startHere({ bounds: { refusalsInARow: 3 } })
    const token = await here.token()
    for (const [data, code] of [
      [{ message: '' }, 4002],
      [{ message: 'x', context: 1 }, 4004]
    ] as const) {
      await using client = await frameClient(`ws://${here.service.http}/ws`, { token })
      for (let n = 0; n < 3; n += 1) client.send({ type: 'ai_chat', data })
      expect(await client.closed).toBe(code)
      expect(client.frames).toMatchObject([{ data: { code } }, { data: { code } }, { data: { code } }])
    }
  })

  it('refuse a flood with 4003 and the time to wait, and then close', async () => {
    await using here = await startHere({ bounds: { burst: 5, perSecond: 1, refusalsInARow: 3 } })
    await using client = await frameClient(`ws://${here.service.http}/ws`, { token: await here.token() })
    for (let n = 0; n < 20; n += 1) client.send({ type: 'ai_hello' })
    expect(await client.closed).toBe(4003)
    const errors = client.frames.filter(({ type }) => type === 'error')
    expect(errors).toHaveLength(3)
    expect(errors[0]?.data).toMatchObject({ code: 4003, errorType: 'rate_limit_exceeded', retry_after: 1 })
  })

  it('hold the number of connections of a person, and give places back', async () => {
    await using here = await startHere({ bounds: { connectionsPerUser: 2 } })
    const url = `ws://${here.service.http}/ws`
    const token = await here.token()
    const first = await frameClient(url, { token })
    await using second = await frameClient(url, { token })
    second.send({ type: 'ai_hello' })
    await second.until(({ type }) => type === 'ai_hello')
    await using third = await frameClient(url, { token })
    expect(await third.closed).toBe(4003)
    await using another = await frameClient(url, { token: await here.token('bob') })
    another.send({ type: 'ai_hello' })
    await another.until(({ type }) => type === 'ai_hello')
    await first[Symbol.asyncDispose]()
    for (;;) {
      await using again = await frameClient(url, { token })
      again.send({ type: 'ai_hello' })
      if ((await Promise.race([again.closed, again.until(({ type }) => type === 'ai_hello')])) !== 4003) break
    }
  })

  it('drop who misses the heartbeat and keep who answers it', async () => {
    await using here = await startHere({ bounds: { heartbeatMs: 50 } })
    const token = await here.token()
    await using deaf = await frameClient(`ws://${here.service.http}/ws`, { token, autoPong: false })
    await using alive = await frameClient(`ws://${here.service.http}/ws`, { token })
    expect(await deaf.closed).toBe(1006)
    alive.send({ type: 'ai_hello' })
    await alive.until(({ type }) => type === 'ai_hello')
  })

  it('end a frame that is too large with 1009, and an idle connection with 1000', async () => {
    await using here = await startHere({ bounds: { frameBytes: 10_000, idleMs: 300 } })
    const token = await here.token()
    await using large = await frameClient(`ws://${here.service.http}/ws`, { token })
    large.send({ type: 'ai_chat', data: { message: 'x'.repeat(20_000) } })
    expect(await large.closed).toBe(1009)
    await using idle = await frameClient(`ws://${here.service.http}/ws`, { token })
    expect(await idle.closed).toBe(1000)
  })

  it('let a slow reader’s answer wait, close it when it stays away, and keep its turn whole for the next connection', async () => {
    const model = toldProvider()
    await using here = await startHere({ providers: [model], bounds: { unreadBytes: 100_000, slowReaderMs: 1_500 } })
    const token = await here.token()
    const turnId = uuidv7()
    const ask = { type: 'ai_stream', data: { message: question, turn_id: turnId } }
    await using slow = await frameClient(`ws://${here.service.http}/ws`, { token })
    slow.send(ask)
    await slow.until(({ type }) => type === 'ai_stream')
    slow.pause()
    const piece = 'x'.repeat(200_000)
    const pieces = 100
    for (let n = 0; n < pieces; n += 1) model.say(piece)
    model.finish()
    await using other = await frameClient(`ws://${here.service.http}/ws`, { token })
    other.send(ask)
    await other.until(isFinal)
    const whole = reduceTurn(
      piecesOf(other.frames).flatMap(({ event }) => (event === undefined ? [] : [event])),
      turnId
    )
    expect(whole).toMatchObject({ state: 'done', gapAfter: null })
    expect(whole.text).toHaveLength(piece.length * pieces)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    slow.resume()
    expect([4001, 1006]).toContain(await slow.closed)
    expect(piecesOf(slow.frames).length).toBeLessThan(pieces)
  })

  it('answer an upgrade at another address with a 404 in the usual body', async () => {
    await using here = await startHere()
    const refused = await frameClient(`ws://${here.service.http}/elsewhere`, { token: await here.token() }).catch((error: unknown) => String(error))
    expect(refused).toContain('404')
  })
})
