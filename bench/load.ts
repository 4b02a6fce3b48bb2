// npm run --silent load -- --connections 1000 --rate 1000 --seconds 30 [--users 25 --library 20 --pieces 6 --piece-ms 5 --warm-up 5]: sockets and
// messages on the real service, with the clients and the model's side on the same machine. A message is a question that is kept
// and answered in pieces to its end; every byte of every answer is checked. The last line is JSON; `ok`: every bar was met.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { startChild, told, type Generator } from './load/child.ts'
import type { Asked, AskOrder, ConnectOrder, GeneratorAnswer, GeneratorOrder } from './load/generator.ts'
import { lookAtStore } from './load/kept.ts'
import { cpuMicros, residentKib, startService, type LoadedService } from './load/service.ts'
import type { UpstreamReady } from './load/upstream.ts'
import { missedBars } from './load/verdict.ts'

const CONNECTIONS_PER_USER = 50
/** A full service has answered what is under way well within this. */
const SETTLE_MS = 30_000
const REHEARSAL = { rate: 50, seconds: 4 }

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    users: { type: 'string', default: '25' },
    library: { type: 'string', default: '20' },
    pieces: { type: 'string', default: '6' },
    'piece-ms': { type: 'string', default: '5' },
    'warm-up': { type: 'string', default: '5' },
    /** Connections of the rehearsal; 0: there is none. */
    rehearsal: { type: 'string', default: '100' },
    /** For what the handshakes left behind, before memory is looked at. */
    'idle-ms': { type: 'string', default: '3000' },
    /** Plants a fault, to see it found: every so many-th answer of the model lacks its last piece. */
    'plant-short': { type: 'string', default: '0' }
  }
})
const connections = Number(values.connections)
const rate = Number(values.rate)
const seconds = Number(values.seconds)
const pieces = Number(values.pieces)
const warmUpSeconds = Number(values['warm-up'])
const users = Math.max(Number(values.users), Math.ceil(connections / CONNECTIONS_PER_USER))
const idleMs = Number(values['idle-ms'])
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const mib = (kib: number | null): number | null => (kib === null ? null : Math.round(kib / 102.4) / 10)
const share = (before: number | null, after: number | null, ofSeconds: number): number | null =>
  before === null || after === null ? null : Math.round((after - before) / ofSeconds / 10_000) / 100

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function connect(generator: Generator, order: ConnectOrder): Promise<GeneratorAnswer & { type: 'connected' }> {
  generator.send({ type: 'connect', order })
  return await told(generator, 'connected')
}

/** First a few, who leave again: what the program itself takes once it is warm is nobody's connection. */
async function rehearse(generator: Generator, order: ConnectOrder): Promise<Asked | null> {
  if (order.connections === 0) return null
  await connect(generator, order)
  generator.send({ type: 'ask', order: { ...REHEARSAL, warmUpSeconds: 0, pieces, settleMs: SETTLE_MS } })
  await told(generator, 'measuring')
  const { asked } = await told(generator, 'asked')
  generator.send({ type: 'leave' })
  await told(generator, 'left')
  return asked
}

async function measure(service: LoadedService, generator: Generator): Promise<boolean> {
  await told(generator, 'ready')
  const crowd = { ports: [service.port], tokens: service.tokens, library: Math.min(connections, Number(values.library)) }
  const rehearsed = await rehearse(generator, { ...crowd, connections: Number(values.rehearsal) })
  await pause(idleMs)
  const beforeKib = await residentKib(service.pid)
  const connected = await connect(generator, { ...crowd, connections })
  await pause(idleMs)
  const idleKib = await residentKib(service.pid)
  const perConnection = beforeKib === null || idleKib === null ? null : Math.round(((idleKib - beforeKib) / connections) * 10) / 10
  say(`${connections} connections in ${connected.tookMs} ms, ${perConnection ?? '?'} KiB each`)

  const order: AskOrder = { rate, seconds, warmUpSeconds, pieces, settleMs: SETTLE_MS }
  generator.send({ type: 'ask', order })
  await told(generator, 'measuring')
  const [cpuBefore, upstreamBefore, started] = [await cpuMicros(service.pid), await cpuMicros(upstream.process.pid ?? 0), performance.now()]
  await service.figures()
  say(`warm; ${rate} messages/s for ${seconds} s`)
  const { asked } = await told(generator, 'asked')
  const elapsed = (performance.now() - started) / 1_000
  const [cpuAfter, upstreamAfter] = [await cpuMicros(service.pid), await cpuMicros(upstream.process.pid ?? 0)]
  const loadedKib = await residentKib(service.pid)
  const figures = await service.figures()
  generator.send({ type: 'stop' })
  await service.stop()
  const kept = await lookAtStore(service.dataDir)
  const missed = missedBars(asked, { rate, seconds, pieces, kept, rehearsed })
  const lag = (which: string): number => Math.round((figures.get(`nodejs_eventloop_lag_${which}_seconds`) ?? Number.NaN) * 10_000) / 10
  const cpu = {
    service: share(cpuBefore, cpuAfter, elapsed),
    generator: share(0, asked.cpuMicros, asked.seconds),
    upstream: share(upstreamBefore, upstreamAfter, elapsed)
  }
  for (const example of asked.examples) say(example)
  process.stdout.write(
    `${JSON.stringify({
      ok: missed.length === 0,
      missed,
      connections,
      users,
      libraryConnections: crowd.library,
      dialect: 'Socket.IO over WebSocket, ai_stream with the acknowledgement that the question is kept',
      upstream: `OpenAI-compatible server, ${pieces} pieces an answer, ${values['piece-ms']} ms apart`,
      cores: availableParallelism(),
      processes: 1,
      rate,
      seconds,
      warmUpSeconds,
      rehearsal: rehearsed === null ? null : { sent: rehearsed.sent, answered: rehearsed.answered },
      sent: asked.sent,
      answered: asked.answered,
      errors: asked.errors,
      lost: asked.lost,
      connectionsLost: asked.connectionsLost,
      kept,
      measured: asked.measured,
      reachedPerSecond: asked.reachedPerSecond,
      piecesReceived: asked.pieces,
      acceptedMs: asked.acceptedMs,
      firstPieceMs: asked.firstPieceMs,
      endMs: asked.endMs,
      sentLateMs: asked.sentLateMs,
      handshakeMs: connected.handshakeMs,
      connectedInMs: connected.tookMs,
      cpuCores: cpu,
      eventLoopDelayMs: { p50: lag('p50'), p99: lag('p99'), max: lag('max') },
      memoryMib: { before: mib(beforeKib), idle: mib(idleKib), afterLoad: mib(loadedKib) },
      kibPerConnection: perConnection
    })}\n`
  )
  return missed.length === 0
}

await using upstream = startChild<object, UpstreamReady>('upstream.ts', [values.pieces, values['piece-ms'], values['plant-short']])
await using service = await startService({
  upstreamPort: (await upstream.next()).port,
  users,
  environment: process.env['LOAD_NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['LOAD_NODE_OPTIONS'] }
})
await using generator = startChild<GeneratorOrder, GeneratorAnswer>('generator.ts')
process.exitCode = (await measure(service, generator)) ? 0 : 1
