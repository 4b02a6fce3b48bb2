// The link over two fake transports, in time that is moved by hand.
import { afterEach, describe, expect, test } from 'vitest'
import { createManualTime, settle, type ManualTime } from '../../../test/fakes/link-timers.ts'
import { createFakeTransport, cut, numbered, replay, type FakeTransport } from '../../../test/fakes/transport.ts'
import type { LinkStatus } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import { reduceTurn, type Question, type TurnEvent, type TurnEventBody } from '../../shared/turn.ts'
import type { Link } from './link.ts'
import { createSupervisor } from './supervisor.ts'

const turnId = '0190a000-0000-7000-8000-000000000001'
const question: Question = { turnId, sessionId: 's', text: 'why?', context: {} }
const answer: readonly TurnEventBody[] = [
  { type: 'accepted', messageId: 'm' },
  { type: 'delta', text: 'one ' },
  { type: 'delta', text: 'two ' },
  { type: 'delta', text: 'three' },
  { type: 'done', messageId: 'm', finish: 'stop' }
]
const never = new AbortController().signal

interface Bench {
  readonly link: Link
  readonly grpc: FakeTransport
  readonly socket: FakeTransport
  readonly time: ManualTime
  readonly seen: LinkStatus[]
  readonly tokens: boolean[]
}
let open: Link | null = null
afterEach(async () => {
  await open?.stop()
  open = null
})

async function bench(prepare: (grpc: FakeTransport, socket: FakeTransport) => void = () => undefined): Promise<Bench> {
  const time = createManualTime()
  const grpc = createFakeTransport('grpc')
  const socket = createFakeTransport('socket')
  prepare(grpc, socket)
  const tokens: boolean[] = []
  const seen: LinkStatus[] = []
  const token = ({ refresh }: { refresh: boolean }): Promise<string> => {
    tokens.push(refresh)
    return Promise.resolve('t')
  }
  const address = { grpc: 'ai.example:1', http: 'http://ai.example:2', secure: false, embedded: false, token }
  const link = createSupervisor({ transports: [grpc, socket], address, clock: time, timers: time, random: () => 0.5 })
  open = link
  link.onStatus((status) => seen.push(status))
  await settle()
  return { link, grpc, socket, time, seen, tokens }
}
async function collect(link: Link, afterSeq = 0, signal = never): Promise<TurnEvent[]> {
  const events: TurnEvent[] = []
  for await (const event of link.ask(question, { signal, afterSeq })) events.push(event)
  return events
}
const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error
  )
const down = new CopilotError('offline', 'refused')

describe('the way to the service', () => {
  test('takes gRPC where it answers, and says what is there', async () => {
    const { link, socket } = await bench((grpc) => grpc.greetWith({ version: '2', answeredBy: 'Local knowledge' }))
    expect(link.status()).toMatchObject({
      state: 'online',
      transport: 'grpc',
      reason: '',
      service: { address: 'ai.example:1', version: '2', answeredBy: 'Local knowledge' }
    })
    expect(socket.greeted).toBe(0)
  })
  test('takes Socket.IO where gRPC does not answer, and comes back to gRPC when it does', async () => {
    const { link, grpc, time } = await bench((grpcDown, socket) => {
      grpcDown.greetWith(down)
      socket.greetWith({ via: 'polling' })
    })
    expect(link.status()).toMatchObject({ state: 'online', transport: 'polling' })
    grpc.greetWith({})
    await time.pass(20_000)
    expect(link.status()).toMatchObject({ state: 'online', transport: 'grpc' })
  })
  test('is offline with a reason and a time when nothing answers, waits longer each round, and comes online by itself', async () => {
    const { link, grpc, socket, time, seen } = await bench((first, second) => {
      first.greetWith(down)
      second.greetWith(down)
    })
    const waits = [link.status().retryAt! - time.now()]
    expect(link.status()).toMatchObject({ state: 'offline', transport: null })
    expect(link.status().reason).toContain('ai.example:1')
    for (let round = 0; round < 7; round += 1) {
      await time.pass(link.status().retryAt! - time.now())
      waits.push(link.status().retryAt! - time.now())
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000])
    socket.greetWith({})
    await time.pass(15_000)
    expect(link.status()).toMatchObject({ state: 'online', transport: 'websocket', retryAt: null })
    expect(grpc.dropped).toBeGreaterThan(0)
    expect(seen.at(-1)).toEqual(link.status())
  })
  test('tries at once on recheck', async () => {
    const { link, grpc } = await bench((first, second) => {
      first.greetWith(down)
      second.greetWith(down)
    })
    grpc.greetWith({})
    link.recheck()
    expect(link.status().state).toBe('connecting')
    await settle()
    expect(link.status().state).toBe('online')
  })
  test('notices a dead connection by its heartbeat, and a lost one at once', async () => {
    const { link, grpc, time } = await bench()
    grpc.greetWith(down)
    await time.pass(20_000)
    expect(link.status()).toMatchObject({ state: 'online', transport: 'websocket' })
    expect(grpc.dropped).toBe(1)
    const second = await bench()
    second.grpc.greetWith(down)
    second.grpc.lose()
    await settle()
    expect(second.link.status()).toMatchObject({ transport: 'websocket' })
    await second.link.stop()
  })
  test('asks sooner for a sign of life while an answer is awaited: a silent network is noticed in seconds', async () => {
    const { link, grpc, socket, time } = await bench()
    Object.assign(grpc, {
      async *ask() {
        yield* numbered(turnId, answer.slice(0, 2))
        await new Promise<void>((resolve) => (grpc.drop = () => resolve()))
        throw cut()
      }
    })
    socket.play(replay(answer))
    const asking = collect(link)
    await settle()
    grpc.greetWith(down)
    await time.pass(4_999)
    expect(link.status().transport).toBe('grpc')
    await time.pass(1)
    expect(reduceTurn(await asking)).toMatchObject({ state: 'done', text: 'one two three' })
    expect(link.status().transport).toBe('websocket')
  })
  test('does not wait for ever for a hello', async () => {
    const { link, time } = await bench((grpc) => {
      grpc.hello = () => new Promise(() => undefined)
    })
    expect(link.status().state).toBe('connecting')
    await time.pass(5_000)
    expect(link.status()).toMatchObject({ state: 'online', transport: 'websocket' })
  })
  test('refreshes the token when hello is refused, and says so when that does not help', async () => {
    const refused = new CopilotError('unauthenticated', 'no')
    const { link, tokens } = await bench((grpc, socket) => {
      grpc.greetWith(refused)
      socket.greetWith(down)
    })
    expect(tokens).toEqual([true])
    expect(link.status().reason).toContain('did not accept the sign-in')
  })
  test('stays with a base peer that is busy with our turn when its heartbeat is late', async () => {
    const { link, grpc, time } = await bench((first) => first.greetWith({ protocol: 0 }))
    const gate = Promise.withResolvers<void>()
    Object.assign(grpc, {
      async *ask() {
        yield* numbered(turnId, answer.slice(0, 2))
        await gate.promise
        yield* numbered(turnId, answer.slice(2), 3)
      }
    })
    const asking = collect(link)
    await settle()
    grpc.greetWith(new CopilotError('timeout', 'busy'))
    await time.pass(60_000)
    gate.resolve()
    expect(reduceTurn(await asking)).toMatchObject({ state: 'done', text: 'one two three' })
    expect(grpc.dropped).toBe(0)
  })
})

describe('a turn', () => {
  test('goes on over the other transport after the last event it got: nothing repeated, nothing missing', async () => {
    const { link, grpc, socket } = await bench()
    grpc.play(replay(answer, 2))
    socket.play(replay(answer))
    const events = await collect(link)
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
    expect(reduceTurn(events).text).toBe('one two three')
    expect(socket.asked).toEqual([{ turnId, afterSeq: 2 }])
    expect(link.status().transport).toBe('websocket')
  })
  test('resumes on the same transport when the other one is down', async () => {
    const { link, grpc, socket } = await bench()
    grpc.play(replay(answer, 1))
    socket.greetWith(down)
    expect(reduceTurn(await collect(link)).text).toBe('one two three')
    expect(grpc.asked.map(({ afterSeq }) => afterSeq)).toEqual([0, 1, 2, 3, 4])
  })
  test('starts after the number it is given', async () => {
    const { link, grpc } = await bench()
    grpc.play(replay(answer))
    expect((await collect(link, 3)).map(({ seq }) => seq)).toEqual([4, 5])
  })
  test('drops repeated events and fetches again after a gap', async () => {
    const { link, grpc, socket } = await bench()
    const all = numbered(turnId, answer)
    grpc.play(() => [all[0]!, all[0]!, all[1]!, all[3]!])
    socket.play(replay(answer))
    expect((await collect(link)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
    expect(socket.asked).toEqual([{ turnId, afterSeq: 2 }])
  })
  test('never lets another turn’s event through', async () => {
    const { link, grpc } = await bench()
    grpc.play(() => numbered('another', answer))
    expect(await failure(collect(link))).toMatchObject({ code: 'unavailable' })
  })
  test('is rejected with offline, and when to try again, while there is no way', async () => {
    const { link } = await bench((grpc, socket) => {
      grpc.greetWith(down)
      socket.greetWith(down)
    })
    expect(await failure(collect(link))).toMatchObject({ code: 'offline', retryAfterMs: 500 })
  })
  test('is left to the outbox when resuming brings nothing', async () => {
    const { link, grpc, socket } = await bench()
    grpc.play(() => [cut()])
    socket.play(() => [cut()])
    expect(await failure(collect(link))).toMatchObject({ code: 'offline' })
    expect(grpc.asked.length + socket.asked.length).toBe(4)
  })
  test('goes on with a fresh token when the old one ends in mid-answer', async () => {
    const { link, grpc, tokens } = await bench()
    const refused = new CopilotError('unauthenticated', 'expired')
    grpc.play(({ turnId: id }) => [...numbered(id, answer).slice(0, 2), refused], replay(answer))
    expect(reduceTurn(await collect(link)).text).toBe('one two three')
    expect(tokens).toEqual([true])
    expect(grpc.asked.map(({ afterSeq }) => afterSeq)).toEqual([0, 2])
  })
  test('goes on when more than one token ends in the same answer', async () => {
    const { link, grpc, tokens } = await bench()
    const refused = new CopilotError('unauthenticated', 'expired')
    const upTo =
      (count: number) =>
      ({ turnId: id }: Question, afterSeq: number) => [...numbered(id, answer).slice(afterSeq, count), refused]
    grpc.play(upTo(2), upTo(3), upTo(4), replay(answer))
    expect(reduceTurn(await collect(link)).text).toBe('one two three')
    expect(tokens).toEqual([true, true, true])
  })
  test('refreshes the token once for all turns that were refused with the same one', async () => {
    const { link, grpc, tokens } = await bench()
    const ids = [1, 2, 3, 4, 5].map((n) => `0190a000-0000-7000-8000-00000000001${n}`)
    const refused = new Set<string>()
    // Refused one after the other: some while the token is fetched, some after it came.
    Object.assign(grpc, {
      async *ask({ turnId: id }: Question, { afterSeq }: { afterSeq: number }) {
        const isFirst = !refused.has(id)
        refused.add(id)
        for (let wait = isFirst ? 3 * ids.indexOf(id) : 0; wait > 0; wait -= 1) await Promise.resolve()
        if (isFirst) throw new CopilotError('unauthenticated', 'expired')
        yield* numbered(id, answer).slice(afterSeq)
      }
    })
    const whole = async (id: string): Promise<TurnEvent[]> => {
      const events: TurnEvent[] = []
      for await (const event of link.ask({ ...question, turnId: id }, { signal: never })) events.push(event)
      return events
    }
    const all = await Promise.all(ids.map(whole))
    expect(all.map((events) => reduceTurn(events).text)).toEqual(ids.map(() => 'one two three'))
    expect(tokens).toEqual([true])
  })
  test('is rejected with unauthenticated when the fresh token is refused too, and the link says so', async () => {
    const { link, grpc, socket, tokens } = await bench()
    const refused = new CopilotError('unauthenticated', 'no')
    grpc.play(() => [refused])
    grpc.greetWith(refused)
    socket.greetWith(refused)
    expect(await failure(collect(link))).toMatchObject({ code: 'unauthenticated' })
    expect(tokens[0]).toBe(true)
    await settle()
    expect(link.status()).toMatchObject({ state: 'offline', reason: expect.stringContaining('did not accept the sign-in') as string })
  })
  test('over a base peer: cut before the first text is offline, cut after it ends the turn and keeps the text', async () => {
    const { link, grpc, socket } = await bench((first, second) => {
      first.greetWith({ protocol: 0 })
      second.greetWith({ protocol: 0 })
    })
    grpc.play(() => [cut()])
    expect(await failure(collect(link))).toMatchObject({ code: 'offline' })
    socket.play(({ turnId: id }) => [...numbered(id, answer).slice(0, 3), cut()])
    await settle()
    const events = await collect(link)
    expect(reduceTurn(events)).toMatchObject({ state: 'failed', text: 'one two ', error: { code: 'unavailable' }, lastSeq: 4, gapAfter: null })
  })
  test('over a base peer: a turn that was answered in part before is ended, not asked again', async () => {
    const { link, grpc } = await bench((first) => first.greetWith({ protocol: 0 }))
    grpc.play(replay(answer))
    expect(await collect(link, 3)).toMatchObject([{ type: 'failed', seq: 4, error: { code: 'unavailable' } }])
    expect(grpc.asked).toEqual([])
  })
  test('ends with cancelled when its signal aborts, also while it waits for a way', async () => {
    const { link } = await bench((grpc) => {
      grpc.hello = () => new Promise(() => undefined)
    })
    const controller = new AbortController()
    const asking = failure(collect(link, 0, controller.signal))
    await settle()
    controller.abort()
    expect(await asking).toMatchObject({ code: 'cancelled' })
  })
  test('comes without control characters and broken Unicode, also where a character is cut in two', async () => {
    const { link, grpc } = await bench()
    grpc.play(
      replay([
        { type: 'accepted', messageId: 'm' },
        { type: 'delta', text: 'a\u001b[31m\u0000b \ud83d' },
        { type: 'delta', text: '\ude00 \ud800x\r' },
        { type: 'delta', text: '\ny' },
        { type: 'citation', n: 1, title: 'T\u0007', source: 'S\u202e' },
        { type: 'done', messageId: 'm', finish: 'stop' }
      ])
    )
    const view = reduceTurn(await collect(link))
    expect(view.text).toBe('a[31mb 😀 \ufffdx\ny')
    expect(view.citations).toEqual([{ n: 1, title: 'T', source: 'S' }])
  })
  test('is known or not without being asked; a base peer is never asked', async () => {
    const { link, grpc } = await bench()
    grpc.play(
      replay(answer),
      () => [new CopilotError('not_found', 'Not kept.')],
      () => [new CopilotError('unauthenticated', 'no')],
      replay(answer)
    )
    expect([await link.knows(question, never), await link.knows(question, never), await link.knows(question, never)]).toEqual([true, false, true])
    expect(grpc.asked.every(({ afterSeq }) => afterSeq === 1)).toBe(true)
    const base = await bench((first) => first.greetWith({ protocol: 0 }))
    expect(await base.link.knows(question, never)).toBe(false)
    expect(base.grpc.asked).toEqual([])
    await base.link.stop()
  })
  test('is rejected with offline when the link is stopped', async () => {
    const { link } = await bench()
    await link.stop()
    expect(await failure(collect(link))).toMatchObject({ code: 'offline' })
  })
})
