// The supervised link on its real transports: answers that lose their way in the middle, and come out whole.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGrpcTransport } from '../../src/main/link/link.grpc.ts'
import { createSocketTransport } from '../../src/main/link/link.socket.ts'
import type { Link, ServiceAddress } from '../../src/main/link/link.ts'
import { createSupervisor } from '../../src/main/link/supervisor.ts'
import { systemTimers } from '../../src/main/link/timers.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { reduceTurn, type Question, type TurnEvent } from '../../src/shared/turn.ts'
import { startPythonPeer, type PythonPeer } from '../fakes/link-python.ts'
import { accepted, delta, done, startServicePeer, type ServicePeer } from '../fakes/service-peer.ts'
import { addressOf, questionOf } from './transport.ts'

const never = new AbortController().signal

function linkTo(address: ServiceAddress): Link {
  const common = { address, clock: systemClock, timers: systemTimers }
  const transports = [createGrpcTransport(common), createSocketTransport(common)]
  return createSupervisor({ ...common, transports, random: Math.random })
}
async function collect(link: Link, question: Question, onEvent: (event: TurnEvent) => Promise<void> | void = () => undefined): Promise<TurnEvent[]> {
  const events: TurnEvent[] = []
  for await (const event of link.ask(question, { signal: never })) {
    events.push(event)
    await onEvent(event)
  }
  return events
}
async function online(link: Link, transport: string): Promise<void> {
  if (link.status().transport === transport) return
  await new Promise<void>((resolve) => {
    const unwatch = link.onStatus((status) => {
      if (status.transport !== transport) return
      unwatch()
      resolve()
    })
  })
}

const wordsOf = (name: string): string[] => Array.from({ length: 40 }, (_unused, index) => `${name}${index}·ü😀 `)

describe('the link to our own protocol', () => {
  let peer: ServicePeer
  let link: Link
  let token = 'first'
  beforeAll(async () => {
    peer = await startServicePeer()
    link = linkTo(
      addressOf({
        grpc: `127.0.0.1:${peer.doors.grpc.port}`,
        http: `http://127.0.0.1:${peer.doors.socket.port}`,
        token: ({ refresh }) => Promise.resolve(refresh ? (token = 'second') : token)
      })
    )
    await online(link, 'grpc')
  })
  afterAll(async () => {
    await link.stop()
    await peer.stop()
  })

  test('a turn that loses gRPC in mid-answer goes on over Socket.IO, byte for byte', async () => {
    const words = wordsOf('a')
    const later = Promise.withResolvers<void>()
    peer.script('switch', [accepted, ...words.slice(0, 20).map(delta), { type: 'wait', until: later.promise }, ...words.slice(20).map(delta), done])
    const events = await collect(link, questionOf('switch'), async ({ seq }) => {
      if (seq !== 10) return
      await peer.doors.grpc.shut()
      later.resolve()
    })
    expect(reduceTurn(events)).toMatchObject({ text: words.join(''), state: 'done', gapAfter: null })
    expect(peer.asked.map(({ door }) => door)).toEqual(['grpc', 'socket'])
    expect(link.status()).toMatchObject({ state: 'online', transport: 'websocket' })
  })

  test('a turn that loses Socket.IO goes on over gRPC when that is back', async () => {
    const words = wordsOf('b')
    const later = Promise.withResolvers<void>()
    peer.script('back', [accepted, ...words.slice(0, 20).map(delta), { type: 'wait', until: later.promise }, ...words.slice(20).map(delta), done])
    await online(link, 'websocket')
    await peer.doors.grpc.open()
    const events = await collect(link, questionOf('back'), async ({ seq }) => {
      if (seq !== 10) return
      await peer.doors.socket.shut()
      later.resolve()
    })
    expect(reduceTurn(events)).toMatchObject({ text: words.join(''), state: 'done', gapAfter: null })
    expect(link.status().transport).toBe('grpc')
    await peer.doors.socket.open()
  })

  test('answers whose connection is cut again and again come out whole', async () => {
    const words = wordsOf('c')
    const gates = words.map(() => Promise.withResolvers<void>())
    peer.script('again', [accepted, ...words.flatMap((word, index) => [delta(word), { type: 'wait' as const, until: gates[index]!.promise }]), done])
    const events = await collect(link, questionOf('again'), ({ seq }) => {
      if (seq % 7 === 0) {
        peer.doors.grpc.cut()
        peer.doors.socket.cut()
      }
      gates[seq - 2]?.resolve()
    })
    expect(reduceTurn(events)).toMatchObject({ text: words.join(''), state: 'done', gapAfter: null })
  })

  test('a token that ends in mid-answer is refreshed and the answer goes on', async () => {
    const later = Promise.withResolvers<void>()
    peer.script('expires', [accepted, delta('to'), { type: 'wait', until: later.promise }, delta('gether'), done])
    const events = await collect(link, questionOf('expires'), (event) => {
      if (event.type !== 'delta' || event.text !== 'to') return
      peer.requireToken('second')
      later.resolve()
    })
    expect(reduceTurn(events)).toMatchObject({ text: 'together', state: 'done' })
    expect(token).toBe('second')
  })

  test('cancels a turn for everybody', async () => {
    peer.script('endless', [accepted, delta('so'), { type: 'wait', until: new Promise(() => undefined) }])
    const question = questionOf('endless')
    const cancelled: boolean[] = []
    const events = await collect(link, question, async ({ type }) => {
      if (type === 'delta') cancelled.push(await link.cancel(question.turnId, never))
    })
    expect(cancelled).toEqual([true])
    expect(reduceTurn(events)).toMatchObject({ state: 'cancelled', text: 'so' })
  })

  test('says offline with a reason when every door is shut, and comes back on recheck', async () => {
    await Promise.all([peer.doors.grpc.shut(), peer.doors.socket.shut()])
    await expect(collect(link, questionOf('anyone?'))).rejects.toMatchObject({ code: 'offline' })
    expect(link.status().reason).toContain('can’t be reached')
    await Promise.all([peer.doors.grpc.open(), peer.doors.socket.open()])
    link.recheck()
    expect(reduceTurn(await collect(link, questionOf('here again'))).text).toBe('here again')
  })
})

describe.each([
  ['gRPC', 'grpc_base.py', 'grpc', (port: number) => addressOf({ grpc: `127.0.0.1:${port}` })],
  ['Socket.IO', 'socketio_base.py', 'websocket', (port: number) => addressOf({ http: `http://127.0.0.1:${port}` })]
] as const)('the link to a base peer over %s', (_name, script, via, addressAt) => {
  let peer: PythonPeer
  let link: Link
  beforeAll(async () => {
    peer = await startPythonPeer(script)
    link = linkTo(addressAt(peer.port))
    await online(link, via)
  })
  afterAll(async () => {
    await link.stop()
    await peer.stop()
  })

  test('holds a conversation', async () => {
    expect(reduceTurn(await collect(link, questionOf('echo well, <i>that</i> works')))).toMatchObject({
      text: 'well, <i>that</i> works ',
      state: 'done'
    })
  })
  test('ends a turn that was cut in mid-answer as failed, keeps its text, and answers the next', async () => {
    expect(reduceTurn(await collect(link, questionOf('cut-late')))).toMatchObject({
      state: 'failed',
      text: 'half an ',
      error: { code: 'unavailable' },
      gapAfter: null
    })
    expect(reduceTurn(await collect(link, questionOf('echo next'))).text).toBe('next ')
  })
  test('leaves a turn that was cut before the first text to the outbox', async () => {
    await expect(collect(link, questionOf('cut-early'))).rejects.toMatchObject({ code: 'offline' })
    expect(reduceTurn(await collect(link, questionOf('echo next'))).text).toBe('next ')
  })
  test('goes offline when the peer ends, with its questions refused as offline', async () => {
    await peer.stop()
    await expect(collect(link, questionOf('echo gone'))).rejects.toMatchObject({ code: 'offline' })
    expect(link.status().state).not.toBe('online')
  })
})
