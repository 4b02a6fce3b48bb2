// npm run --silent load -- --connections 1000 --rate 1000 --seconds 30: sockets and messages on the real service, with the clients and
// the model's side on the same machine. A message is a question that is kept and answered in pieces to its end; every byte of every
// answer is checked. The last line is JSON; `ok`: every bar was met.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { startChild } from './load/child.ts'
import { startCluster } from './load/cluster.ts'
import type { GeneratorAnswer, GeneratorOrder } from './load/generator.ts'
import { measure, type Plan } from './load/measure.ts'
import type { UpstreamReady } from './load/upstream.ts'
import { missedBars } from './load/verdict.ts'

const CONNECTIONS_PER_USER = 50

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '30' },
    /** More than one: on a Redis, connections take turns. */
    processes: { type: 'string', default: '1' },
    users: { type: 'string', default: '25' },
    library: { type: 'string', default: '20' },
    pieces: { type: 'string', default: '6' },
    'piece-ms': { type: 'string', default: '5' },
    'warm-up': { type: 'string', default: '5' },
    rehearsal: { type: 'string', default: '100' },
    again: { type: 'string', default: '200' },
    'idle-ms': { type: 'string', default: '3000' },
    /** Plants a fault, to see it found: every so many-th answer of the model lacks its last piece. */
    'plant-short': { type: 'string', default: '0' }
  }
})

/** Throws where a flag is not a number of at least `least`. */
function number(name: keyof typeof values, least: number): number {
  const value = Number(values[name])
  if (values[name] !== '' && value >= least && Number.isFinite(value)) return value
  throw new RangeError(`--${name} is "${values[name]}" but must be a number of at least ${least}`)
}

const connections = number('connections', 1)
const plan: Plan = {
  connections,
  library: Math.min(connections, number('library', 0)),
  rate: number('rate', 0.1),
  seconds: number('seconds', 0.1),
  warmUpSeconds: number('warm-up', 0),
  pieces: number('pieces', 1),
  rehearsal: number('rehearsal', 0),
  idleMs: number('idle-ms', 0),
  again: number('again', 0)
}
const processes = number('processes', 1)
const users = Math.max(number('users', 1), Math.ceil(connections / CONNECTIONS_PER_USER))

async function run(): Promise<boolean> {
  await using upstream = startChild<object, UpstreamReady>('upstream.ts', [values.pieces, values['piece-ms'], values['plant-short']])
  await using cluster = await startCluster({
    processes,
    upstreamPort: (await upstream.next()).port,
    users,
    nodeOptions: process.env['LOAD_NODE_OPTIONS'] ?? ''
  })
  await using generator = startChild<GeneratorOrder, GeneratorAnswer>('generator.ts')
  const measured = await measure({ services: cluster.services, tokens: cluster.tokens, generator, upstreamPid: upstream.process.pid ?? 0 }, plan)
  const { asked, rehearsed, ...figures } = measured
  const kept = await cluster.stop()
  const missed = missedBars(asked, { ...plan, kept, rehearsed })
  const { examples, cpuMicros: _cpu, seconds: _seconds, pieces: piecesReceived, again: askedAgain, ...counts } = asked
  for (const example of examples) process.stderr.write(`${example}\n`)
  const told = {
    ok: missed.length === 0,
    missed,
    dialect: 'Socket.IO over WebSocket, ai_stream with the acknowledgement that the question is kept',
    upstream: `OpenAI-compatible server, ${plan.pieces} pieces an answer, ${values['piece-ms']} ms apart`,
    cores: availableParallelism(),
    processes,
    turnLog: cluster.turnLog,
    users,
    ...plan,
    rehearsed: rehearsed === null ? null : { sent: rehearsed.sent, answered: rehearsed.answered },
    ...counts,
    piecesReceived,
    askedAgain,
    kept,
    ...figures
  }
  process.stdout.write(`${JSON.stringify(told)}\n`)
  return missed.length === 0
}

process.exitCode = (await run()) ? 0 : 1
