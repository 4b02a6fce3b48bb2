// One load from the rehearsal to the last answer, and what was read of the service meanwhile.
import { told, type Generator } from './child.ts'
import type { ConnectOrder } from './crowd.ts'
import type { Asked, AskOrder } from './generator.ts'
import { cpuMicros, residentKib, type LoadedService } from './service.ts'
import type { Percentiles } from './times.ts'

export interface Plan {
  readonly connections: number
  /** So many of them are socket.io-client. */
  readonly library: number
  readonly rate: number
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Of an answer. */
  readonly pieces: number
  /** Connections of the rehearsal; 0: there is none. */
  readonly rehearsal: number
  /** For what the handshakes left behind, before memory is looked at. */
  readonly idleMs: number
  /** So many questions are asked once more at the end. */
  readonly again: number
}

export interface Parties {
  /** The service's processes. */
  readonly services: readonly LoadedService[]
  readonly tokens: readonly string[]
  readonly generator: Generator
  readonly upstreamPid: number
}

/** Of all processes of the service together. */
interface Memory {
  /** As the system counts it; null where it can't be told. */
  readonly residentMib: number | null
  /** In use after a collection. */
  readonly usedMib: number
}

export interface Measured {
  readonly asked: Asked
  readonly rehearsed: Asked | null
  readonly handshakeMs: Percentiles
  readonly connectedInMs: number
  /** In cores; the service's by process. */
  readonly cpuCores: { readonly service: readonly (number | null)[]; readonly generator: number | null; readonly upstream: number | null }
  /** Of the worst process; the probe's own interval of 10 ms is in it. */
  readonly eventLoopDelayMs: Percentiles
  readonly memory: { readonly before: Memory; readonly idle: Memory; readonly afterLoad: Memory }
  readonly kibPerConnection: { readonly resident: number | null; readonly used: number }
}

/** A full service has answered what is under way well within this. */
const SETTLE_MS = 30_000
const REHEARSAL = { rate: 50, seconds: 4, warmUpSeconds: 0, settleMs: SETTLE_MS, again: 0 }

export async function measure({ services, tokens, generator, upstreamPid }: Parties, plan: Plan): Promise<Measured> {
  const { connections, library, idleMs, rate, seconds, warmUpSeconds, pieces, again } = plan
  const crowd = { ports: services.map(({ port }) => port), tokens, library }
  await told(generator, 'ready')
  const rehearsed = plan.rehearsal === 0 ? null : await rehearse(generator, { ...crowd, connections: plan.rehearsal }, pieces)
  await pause(idleMs)
  const before = await memory(services)
  const connected = await connect(generator, { ...crowd, connections })
  await pause(idleMs)
  const idle = await memory(services)

  generator.send({ type: 'ask', order: { rate, seconds, warmUpSeconds, pieces, settleMs: SETTLE_MS, again } })
  await told(generator, 'measuring')
  const started = performance.now()
  const pids = [...services.map(({ pid }) => pid), upstreamPid]
  const cpuBefore = await Promise.all(pids.map(cpuMicros))
  // Their event loops' figures begin anew.
  await Promise.all(services.map((service) => service.figures()))
  const { asked } = await told(generator, 'asked')
  const elapsed = (performance.now() - started) / 1_000
  const cpuAfter = await Promise.all(pids.map(cpuMicros))
  const figures = await Promise.all(services.map((service) => service.figures()))
  const afterLoad = await memory(services)
  generator.send({ type: 'stop' })

  const cores = pids.map((_pid, index) => share(cpuBefore[index] ?? null, cpuAfter[index] ?? null, elapsed))
  const lag = (which: string): number =>
    Math.max(...figures.map((one) => Math.round((one.get(`nodejs_eventloop_lag_${which}_seconds`) ?? Number.NaN) * 10_000) / 10))
  return {
    asked,
    rehearsed,
    handshakeMs: connected.handshakeMs,
    connectedInMs: connected.tookMs,
    cpuCores: { service: cores.slice(0, -1), generator: share(0, asked.cpuMicros, asked.seconds), upstream: cores.at(-1) ?? null },
    eventLoopDelayMs: { p50: lag('p50'), p99: lag('p99'), max: lag('max') },
    memory: { before, idle, afterLoad },
    kibPerConnection: {
      resident: idle.residentMib === null || before.residentMib === null ? null : perOne(before.residentMib, idle.residentMib, connections),
      used: perOne(before.usedMib, idle.usedMib, connections)
    }
  }
}

/** First a few, who leave again: what the program itself takes once it is warm is nobody's connection. */
async function rehearse(generator: Generator, order: ConnectOrder, pieces: number): Promise<Asked> {
  await connect(generator, order)
  const rehearsal: AskOrder = { ...REHEARSAL, pieces }
  generator.send({ type: 'ask', order: rehearsal })
  await told(generator, 'measuring')
  const { asked } = await told(generator, 'asked')
  generator.send({ type: 'leave' })
  await told(generator, 'left')
  return asked
}

async function connect(generator: Generator, order: ConnectOrder): ReturnType<typeof told<'connected'>> {
  generator.send({ type: 'connect', order })
  return await told(generator, 'connected')
}

async function memory(services: readonly LoadedService[]): Promise<Memory> {
  const used = await Promise.all(services.map((service) => service.heapBytes()))
  const resident = await Promise.all(services.map(({ pid }) => residentKib(pid)))
  return {
    residentMib: resident.includes(null) ? null : tenths(sum(resident.map((kib) => kib ?? 0)) / 1_024),
    usedMib: tenths(sum(used) / 1_048_576)
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const perOne = (beforeMib: number, afterMib: number, count: number): number => tenths(((afterMib - beforeMib) * 1_024) / count)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** In cores, of µs. */
function share(before: number | null, after: number | null, seconds: number): number | null {
  return before === null || after === null ? null : Math.round((after - before) / seconds / 10_000) / 100
}
