// The contract of the link's transports on both adapters, against our own protocol and against peers in another language.
import { describe, expect, test, afterAll, beforeAll } from 'vitest'
import { createGrpcTransport } from '../../src/main/link/link.grpc.ts'
import { createSocketTransport } from '../../src/main/link/link.socket.ts'
import type { ServiceAddress, Transport } from '../../src/main/link/link.ts'
import { systemTimers } from '../../src/main/link/timers.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { reduceTurn } from '../../src/shared/turn.ts'
import { startPythonPeer, type PythonPeer } from '../fakes/link-python.ts'
import { startServicePeer } from '../fakes/service-peer.ts'
import { absentContract, addressOf, baseContract, collect, failureOf, fullContract, questionOf, type Bench, type FullBench } from './transport.ts'

const common = { clock: systemClock, timers: systemTimers, silenceLimitMs: 20_000 }
const overGrpc = (address: ServiceAddress, silenceLimitMs = common.silenceLimitMs): Transport =>
  createGrpcTransport({ ...common, address, silenceLimitMs })
const overSocket = (address: ServiceAddress, more: { carriers?: ('websocket' | 'polling')[]; silenceLimitMs?: number } = {}): Transport =>
  createSocketTransport({ ...common, address, connectLimitMs: 5_000, helloGraceMs: 250, ...more })

// ---- our own protocol ----------------------------------------------------------------------------------------------

async function fullBench(door: 'grpc' | 'socket', carriers?: ('websocket' | 'polling')[]): Promise<FullBench> {
  const peer = await startServicePeer()
  let token: string | null = null
  const address = addressOf({
    grpc: `127.0.0.1:${peer.doors.grpc.port}`,
    http: `http://127.0.0.1:${peer.doors.socket.port}`,
    token: () => Promise.resolve(token)
  })
  const transport = door === 'grpc' ? overGrpc(address) : overSocket(address, carriers === undefined ? {} : { carriers })
  return {
    peer,
    door,
    transport,
    useToken: (next) => void (token = next),
    questionFor(words) {
      const text = `please say ${words.join(' ')}`
      peer.script(text, [
        { type: 'accepted', messageId: 'm-1' },
        ...words.map((word) => ({ type: 'delta' as const, text: `${word} ` })),
        { type: 'done', messageId: 'm-1', finish: 'stop' }
      ])
      return text
    },
    async stop() {
      await transport.stop()
      await peer.stop()
    }
  }
}

for (const [name, open] of [
  ['gRPC to our own protocol', () => fullBench('grpc')],
  ['Socket.IO to our own protocol', () => fullBench('socket')],
  ['Socket.IO by polling to our own protocol', () => fullBench('socket', ['polling'])]
] as const) {
  baseContract(name, open)
  fullContract(name, open)
}

// ---- peers in another language -------------------------------------------------------------------------------------

const words = (text: readonly string[]): string => `echo ${text.join(' ')}`
const pythonBench =
  (script: string, args: readonly string[], make: (port: number) => Transport) => async (): Promise<Bench & { readonly peer: PythonPeer }> => {
    const peer = await startPythonPeer(script, args)
    const transport = make(peer.port)
    return {
      transport,
      peer,
      questionFor: words,
      async stop() {
        await transport.stop()
        await peer.stop()
      }
    }
  }
const grpcAt = (port: number): Transport => overGrpc(addressOf({ grpc: `127.0.0.1:${port}` }))
const socketAt = (port: number): Transport => overSocket(addressOf({ http: `http://127.0.0.1:${port}` }))
const foreign = [
  ['gRPC to a base peer in Python', pythonBench('grpc_base.py', [], grpcAt)],
  ['gRPC to a base peer in Python without HealthCheck', pythonBench('grpc_base.py', ['--slim'], grpcAt)],
  ['Socket.IO to a base peer in Python', pythonBench('socketio_base.py', [], socketAt)],
  ['Socket.IO to a base peer in Python that never acknowledges', pythonBench('socketio_base.py', ['--ack', 'none'], socketAt)],
  ['Socket.IO to a base peer in Python that has its own acks', pythonBench('socketio_base.py', ['--ack', 'own'], socketAt)],
  ['Socket.IO to a base peer in Python without WebSocket', pythonBench('socketio_base.py', ['--no-websocket'], socketAt)]
] as const
for (const [name, open] of foreign) baseContract(name, open)

for (const [name, open] of [foreign[0], foreign[2]]) {
  describe(`transport ${name}: what only base peers do`, () => {
    let bench: Bench
    const never = new AbortController().signal
    beforeAll(async () => {
      bench = await open()
    })
    afterAll(async () => bench.stop())

    test('keeps the text of the final piece', async () => {
      expect(reduceTurn(await collect(bench.transport, questionOf('final-text')))).toMatchObject({ text: 'first last', state: 'done' })
    })
    test('takes an empty final piece for an empty answer', async () => {
      expect(reduceTurn(await collect(bench.transport, questionOf('empty')))).toMatchObject({ text: '', state: 'done' })
    })
    test('can’t cancel or resume, and says so', async () => {
      expect(await bench.transport.cancel('any', never)).toBe(false)
      expect(await bench.transport.hello(never)).toMatchObject({ protocol: 0, version: null, answeredBy: null })
    })
    test('rejects with offline when cut before the first text, without having emitted anything', async () => {
      const seen: unknown[] = []
      const asking = (async () => {
        for await (const event of bench.transport.ask(questionOf('cut-early'), { signal: never })) seen.push(event)
      })()
      expect((await failureOf(asking)).code).toBe('offline')
      expect(seen).toEqual([])
    })
    test('rejects with offline when cut after it, and what came is kept', async () => {
      const texts: string[] = []
      const asking = (async () => {
        for await (const event of bench.transport.ask(questionOf('cut-late'), { signal: never })) if (event.type === 'delta') texts.push(event.text)
      })()
      expect((await failureOf(asking)).code).toBe('offline')
      expect(texts).toEqual(['half an '])
    })
    test('translates the peer’s own errors by the table', async () => {
      const limited = await failureOf(collect(bench.transport, questionOf('error RESOURCE_EXHAUSTED')))
      expect(limited.code).toBe('rate_limited')
      expect(limited.message).toContain("the peer's own words")
      expect((await failureOf(collect(bench.transport, questionOf('error INVALID_ARGUMENT')))).code).toBe('invalid_request')
    })
    test('survives what is not the protocol: the turn fails, the next one is answered', async () => {
      expect(['unavailable', 'internal']).toContain((await failureOf(collect(bench.transport, questionOf('garbage')))).code)
      expect(reduceTurn(await collect(bench.transport, questionOf('echo fine'))).text).toBe('fine ')
    })
    test('numbers go on after what is stored already', async () => {
      const events = await collect(bench.transport, questionOf('echo a b'), 1)
      expect(events.map((event) => [event.seq, event.type])).toEqual([
        [2, 'delta'],
        [3, 'delta'],
        [4, 'done']
      ])
    })
  })
}

describe('transports and base peers that fall silent', () => {
  test('gRPC: an answer without a final piece is a failure, not a short success', async () => {
    const bench = await foreign[0][1]()
    expect((await failureOf(collect(bench.transport, questionOf('unfinished')))).code).toBe('unavailable')
    await bench.stop()
  })
  test('Socket.IO: an answer without a final piece ends as timeout when nothing comes any more', async () => {
    const peer = await startPythonPeer('socketio_base.py')
    const transport = overSocket(addressOf({ http: `http://127.0.0.1:${peer.port}` }), { silenceLimitMs: 300 })
    expect((await failureOf(collect(transport, questionOf('unfinished')))).code).toBe('timeout')
    expect(reduceTurn(await collect(transport, questionOf('echo still there'))).text).toBe('still there ')
    await transport.stop()
    await peer.stop()
  })
})

describe('Socket.IO transport and its carriers', () => {
  test('reports polling where there is no WebSocket, and websocket where there is', async () => {
    for (const [args, via] of [
      [['--no-websocket'], 'polling'],
      [[], 'websocket']
    ] as const) {
      const peer = await startPythonPeer('socketio_base.py', args)
      const transport = socketAt(peer.port)
      expect((await transport.hello(new AbortController().signal)).via).toBe(via)
      await transport.stop()
      await peer.stop()
    }
  })
  test('knows our own service by its answers when its hello is late', async () => {
    const peer = await startServicePeer({ greets: false })
    const transport = socketAt(peer.doors.socket.port)
    expect((await transport.hello(new AbortController().signal)).protocol).toBe(0)
    const question = questionOf('one two')
    const all = await collect(transport, question)
    expect(transport.protocol()).toBe(1)
    expect(await collect(transport, question, 2)).toEqual(all.slice(2))
    await transport.stop()
    await peer.stop()
  })
  test('tells a refused sign-in of a foreign server from a lost one', async () => {
    const peer = await startPythonPeer('socketio_base.py', ['--token', 'right'])
    const refused = socketAt(peer.port)
    expect((await failureOf(refused.hello(new AbortController().signal))).code).toBe('unauthenticated')
    const welcome = overSocket(addressOf({ http: `http://127.0.0.1:${peer.port}`, token: () => Promise.resolve('right') }))
    expect(reduceTurn(await collect(welcome, questionOf('echo in'))).text).toBe('in ')
    await Promise.all([refused.stop(), welcome.stop()])
    await peer.stop()
  })
})

absentContract('gRPC', () => overGrpc(addressOf({ grpc: '127.0.0.1:1' })))
absentContract('Socket.IO', () => overSocket(addressOf({ http: 'http://127.0.0.1:1' })))
absentContract('gRPC without a door', () => overGrpc(addressOf({})))
absentContract('Socket.IO without a door', () => overSocket(addressOf({})))
