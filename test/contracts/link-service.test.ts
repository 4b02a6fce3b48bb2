// The supervised link against the AI service itself, in a process of its own: both doors, replay, switching, cancel.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGrpcTransport } from '../../src/main/link/link.grpc.ts'
import { createSocketTransport } from '../../src/main/link/link.socket.ts'
import type { Link, Transport } from '../../src/main/link/link.ts'
import { createSupervisor } from '../../src/main/link/supervisor.ts'
import { systemTimers } from '../../src/main/link/timers.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { reduceTurn, type Question, type TurnEvent } from '../../src/shared/turn.ts'
import { createDoor, type Door } from '../fakes/service-peer-door.ts'
import { addressOf, collect, failureOf, questionOf } from './transport.ts'

const serve = fileURLToPath(new URL('../../src/service/bin/serve.ts', import.meta.url))
const never = new AbortController().signal
const question = (): Question => questionOf('When should I choose a NAT gateway over a NAT instance?')

describe('the link to the AI service', () => {
  let dataDir: string
  let service: ChildProcess
  let doors: { grpc: Door; socket: Door }
  let token = 'the-launch-token'
  const address = (): Parameters<typeof createGrpcTransport>[0]['address'] =>
    addressOf({ grpc: `127.0.0.1:${doors.grpc.port}`, http: `http://127.0.0.1:${doors.socket.port}`, token: () => Promise.resolve(token) })
  const common = { clock: systemClock, timers: systemTimers }
  const both = (): Transport[] => [createGrpcTransport({ ...common, address: address() }), createSocketTransport({ ...common, address: address() })]
  let link: Link
  let transports: Transport[]

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'aside-service-'))
    const env = { ...process.env, PORT: '0', AI_SERVICE_PORT: '0', ASIDE_DATA_DIR: dataDir, ASIDE_LAUNCH_TOKEN: token, ASIDE_FIND_OLLAMA: '0' }
    service = spawn(process.execPath, [serve], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface({ input: service.stdout! }), 'line')) as [string]
    const ready = JSON.parse(line) as { grpc: string; http: string }
    const portOf = (place: string): number => Number(place.split(':').at(-1))
    doors = { grpc: await createDoor(portOf(ready.grpc)), socket: await createDoor(portOf(ready.http)) }
    link = createSupervisor({ ...common, transports: both(), address: address(), random: Math.random })
    transports = both()
  }, 30_000)
  afterAll(async () => {
    await link.stop()
    await Promise.all(transports.map((transport) => transport.stop()))
    const ended = once(service, 'exit')
    service.kill()
    await ended
    await Promise.all([doors.grpc.shut(), doors.socket.shut()])
    await rm(dataDir, { recursive: true })
  })

  test('both transports tell the same turn, to the last character', async () => {
    const asked = question()
    const [overGrpc, overSocket] = await Promise.all(transports.map((transport) => collect(transport, asked)))
    expect(overGrpc).toEqual(overSocket)
    expect(reduceTurn(overGrpc!)).toMatchObject({ state: 'done', gapAfter: null })
    expect(reduceTurn(overGrpc!).citations.length).toBeGreaterThan(0)
  })
  test('both transports replay it after any event', async () => {
    const asked = question()
    const all = await collect(transports[0]!, asked)
    for (const transport of transports) expect(await collect(transport, asked, 3)).toEqual(all.slice(3))
  })
  test('both transports hear who is there, and probe what is there', async () => {
    for (const transport of transports) {
      const first = await transport.hello(never)
      expect(first).toMatchObject({ protocol: 1, answeredBy: expect.any(String) as string, version: expect.any(String) as string })
      expect(await transport.hello(never)).toEqual(first)
    }
  })
  test('an answer whose transport is cut at every event comes out whole', async () => {
    const asked = question()
    const events: TurnEvent[] = []
    for await (const event of link.ask(asked, { signal: never })) {
      events.push(event)
      doors.grpc.cut()
      doors.socket.cut()
    }
    expect(events).toEqual(await collect(transports[0]!, asked))
  })
  test('Socket.IO brings its errors back whole: a question that is too long, a token that it refuses', async () => {
    const socket = transports[1]!
    expect((await failureOf(collect(socket, questionOf('x'.repeat(40_000))))).code).toMatch(/^(invalid_request|context_too_large)$/)
    token = 'another'
    socket.drop()
    expect((await failureOf(collect(socket, question()))).code).toBe('unauthenticated')
    token = 'the-launch-token'
  })
  test('says whether the service has a turn, without asking it anew, over either door', async () => {
    const asked = question()
    for (const transport of both()) {
      const alone = createSupervisor({ ...common, transports: [transport], address: address(), random: Math.random })
      expect(await alone.knows(question(), never)).toBe(false)
      if (transport.kind === 'grpc') await collect(transport, asked)
      expect(await alone.knows(asked, never)).toBe(true)
      await alone.stop()
    }
  })
  test('cancelling an unknown turn is no error', async () => {
    for (const transport of transports) expect(await transport.cancel(question().turnId, never)).toBe(false)
  })
})
