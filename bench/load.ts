// npm run --silent load -- --connections 1000 --rate 1000 --seconds 30 [--users 25 --library 20 --pieces 6 --piece-ms 5 --warm-up 5]: sockets and
// messages on the real service, with the clients and the model's side on the same machine. A message is a question that is kept
// and answered in pieces to its end; every byte of every answer is checked. The last line is JSON; `ok`: every bar was met.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { AskOrder, ConnectOrder, GeneratorAnswer, GeneratorOrder } from './load/generator.ts'
import { lookAtStore } from './load/kept.ts'
import { cpuMicros, residentKib, startService, type LoadedService } from './load/service.ts'
import type { UpstreamReady } from './load/upstream.ts'
import { missedBars } from './load/verdict.ts'

const folder = fileURLToPath(new URL('load', import.meta.url))
const CONNECTIONS_PER_USER = 50
/** A full service has answered what is under way well within this. */
const SETTLE_MS = 30_000
/** For what the handshakes left behind, before memory is looked at. */
const IDLE_MS = 3_000

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
const say = (line: string): void => void process.stderr.write(`${line}\n`)

interface Child<Order, Answer> extends AsyncDisposable {
  readonly process: ChildProcess
  send(order: Order): void
  /** The next message that it sends. */
  next(): Promise<Answer>
}

function start<Order extends object, Answer>(file: string, args: readonly string[] = []): Child<Order, Answer> {
  const child = fork(`${folder}/${file}`, args)
  // Several can come within one tick; none is missed.
  const waiting: Answer[] = []
  let wake: (() => void) | null = null
  child.on('message', (message) => {
    waiting.push(message as Answer)
    wake?.()
  })
  let code: number | null = null
  child.once('exit', (exitCode) => {
    code = exitCode ?? -1
    wake?.()
  })
  return {
    process: child,
    send: (order) => void child.send(order),
    async next() {
      while (waiting.length === 0) {
        if (code !== null) throw new Error(`${file} ended with ${code}`)
        await new Promise<void>((resolve) => (wake = resolve))
      }
      return waiting.shift() as Answer
    },
    async [Symbol.asyncDispose]() {
      if (code !== null) return
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    }
  }
}

type Generator = Child<GeneratorOrder, GeneratorAnswer>

async function told<T extends GeneratorAnswer['type']>(generator: Generator, type: T): Promise<GeneratorAnswer & { type: T }> {
  const answer = await generator.next()
  if (answer.type === 'failed') throw new Error(`the clients failed: ${answer.message}`)
  if (answer.type !== type) throw new Error(`the clients say ${answer.type} instead of ${type}`)
  return answer as GeneratorAnswer & { type: T }
}

const mib = (kib: number | null): number | null => (kib === null ? null : Math.round(kib / 102.4) / 10)
const share = (before: number | null, after: number | null, ofSeconds: number): number | null =>
  before === null || after === null ? null : Math.round((after - before) / ofSeconds / 10_000) / 100

async function measure(service: LoadedService, generator: Generator): Promise<boolean> {
  await told(generator, 'ready')
  const beforeKib = await residentKib(service.pid)
  const connect: ConnectOrder = { ports: [service.port], tokens: service.tokens, connections, library: Math.min(connections, Number(values.library)) }
  generator.send({ type: 'connect', order: connect })
  const connected = await told(generator, 'connected')
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
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
  const missed = missedBars(asked, rate, kept)
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
      libraryConnections: connect.library,
      dialect: 'Socket.IO over WebSocket, ai_stream with the acknowledgement that the question is kept',
      upstream: `OpenAI-compatible server, ${pieces} pieces an answer, ${values['piece-ms']} ms apart`,
      cores: availableParallelism(),
      processes: 1,
      rate,
      seconds,
      warmUpSeconds,
      sent: asked.sent,
      answered: asked.answered,
      errors: asked.errors,
      lost: asked.lost,
      connectionsLost: asked.connectionsLost,
      kept,
      measured: asked.measured,
      reachedPerSecond: asked.reachedPerSecond,
      fewestPieces: asked.fewestPieces,
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

await using upstream = start<object, UpstreamReady>('upstream.ts', [values.pieces, values['piece-ms'], values['plant-short']])
await using service = await startService({
  upstreamPort: (await upstream.next()).port,
  users,
  environment: process.env['LOAD_NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['LOAD_NODE_OPTIONS'] }
})
await using generator = start<GeneratorOrder, GeneratorAnswer>('generator.ts')
process.exitCode = (await measure(service, generator)) ? 0 : 1
