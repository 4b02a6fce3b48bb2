// What Socket.IO's streams adapter costs a process whose answers don't go through it: CPU for an answer of 21 events with and without
// it, in turn, and CPU while nothing happens: `npm run --silent bench:sockets`. The server is a process of its own; the last line of
// stdout is JSON, `ok` when an answer costs the same within the noise of a shared machine.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as tick, setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Server, type Socket } from 'socket.io'
import { io } from 'socket.io-client'
import { openSocketAdapter } from '../src/service/cluster/socketAdapter.redis.ts'
import { TickWebSocketServer } from '../src/service/gateway/tickWrites.ts'
import { openRedis } from '../src/service/store/redis.ts'
import { startRedis } from '../test/servers/redis.ts'

const SOCKETS = 20
const ANSWERS = 4_000
const EVENTS = 21
const RUNS = 9
const IDLE_MS = 20_000
/** Medians of nine runs; an answer that went through Redis would cost several times as much. */
const NOISE = 1.25

interface Told {
  readonly port?: number
  /** Microseconds an answer. */
  readonly perAnswer?: number
  /** Microseconds a second. */
  readonly idle?: number
}
type Ask = 'answers' | 'idle'

const [role, url] = process.argv.slice(2)
if (role === 'server') await serve(url)
else await measure()

/** Does what its parent says, and ends with it. */
async function serve(redisUrl: string | undefined): Promise<void> {
  const redis = redisUrl === undefined ? null : await openRedis({ url: redisUrl })
  const joined = redis === null ? null : await openSocketAdapter({ redis, onFault: (error) => process.stderr.write(`${String(error)}\n`) })
  const http = createServer()
  const server = new Server(http, { wsEngine: TickWebSocketServer, ...(joined === null ? {} : { adapter: joined.adapter }) })
  server.on('connection', (socket) => void socket.join(socket.id))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const tell = (told: Told): void => void process.send?.(told)
  process.on('disconnect', () => process.exit())
  process.on('message', (ask: Ask) => {
    const run = async (): Promise<void> => {
      if (ask === 'idle') return tell({ idle: (await costOf(() => sleep(IDLE_MS))) / (IDLE_MS / 1_000) })
      const sockets = [...server.sockets.sockets.values()]
      await costOf(() => answers(sockets, ANSWERS / 4))
      tell({ perAnswer: (await costOf(() => answers(sockets, ANSWERS))) / ANSWERS })
    }
    void run()
  })
  tell({ port: (http.address() as AddressInfo).port })
}

async function answers(sockets: readonly Socket[], count: number): Promise<void> {
  for (let done = 0; done < count; done += sockets.length) {
    for (let event = 0; event < EVENTS; event += 1) {
      for (const socket of sockets) socket.emit('ai_stream', { content: 'four or five words ', is_final: event === EVENTS - 1, message_id: 'm' })
      await tick()
    }
  }
}

async function costOf(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

async function measure(): Promise<void> {
  await using redis = await startRedis()
  const cost: Record<'with' | 'without', number[]> = { with: [], without: [] }
  for (let run = 0; run < RUNS; run += 1) {
    for (const side of ['with', 'without'] as const) {
      const { perAnswer = 0 } = await asked(side === 'with' ? redis.url : undefined, 'answers', SOCKETS)
      cost[side].push(perAnswer)
      process.stderr.write(`${side} the adapter: ${perAnswer.toFixed(1)} µs an answer\n`)
    }
  }
  const [idleWith, idleWithout] = [await asked(redis.url, 'idle', 0), await asked(undefined, 'idle', 0)]
  const figures = { perAnswerMicros: { with: median(cost.with), without: median(cost.without) }, runs: cost }
  const idle = { with: Math.round(idleWith.idle ?? 0), without: Math.round(idleWithout.idle ?? 0) }
  const ok = figures.perAnswerMicros.with <= figures.perAnswerMicros.without * NOISE
  process.stdout.write(`${JSON.stringify({ ok, events: EVENTS, ...figures, idleMicrosPerSecond: idle })}\n`)
  process.exitCode = ok ? 0 : 1
}

/** One server, asked for one thing with so many clients. */
async function asked(redisUrl: string | undefined, ask: Ask, clients: number): Promise<Told> {
  const child = fork(fileURLToPath(import.meta.url), ['server', ...(redisUrl === undefined ? [] : [redisUrl])])
  try {
    const { port } = await heard(child)
    const sockets = Array.from({ length: clients }, () => io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true }))
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => void socket.once('connect', resolve))))
    child.send(ask)
    const told = await heard(child)
    for (const socket of sockets) socket.disconnect()
    return told
  } finally {
    child.disconnect()
    await once(child, 'exit')
  }
}

async function heard(child: ChildProcess): Promise<Told> {
  const [told] = (await once(child, 'message')) as [Told]
  return told
}

function median(all: readonly number[]): number {
  return Math.round(all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0)
}
