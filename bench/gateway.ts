// npm run --silent bench:gateway [-- --seconds 5 --concurrency 1,16,64 --warm-up 6 --only aside --kind unary --knowledge]: our
// service with everything on, against @portkey-ai/gateway, in front of the same upstream, both warm. Each gateway has one core,
// upstream and clients the other. The last line is JSON: both sides' figures, and `ok`: at least 5 x its unary and 6 x its
// streaming requests/s at 16 concurrent.
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { issueToken } from '../src/service/auth/issuer.ts'
import { signingKeys } from '../src/service/auth/keys.ts'
import type { LoadAnswer, LoadMessage, LoadOrder, LoadResult } from './gatewayLoad.ts'

const UNARY_BAR = 5
const STREAM_BAR = 6
const BAR_AT = 16
const root = fileURLToPath(new URL('..', import.meta.url))
const allKinds = ['unary', 'stream'] as const
type Kind = (typeof allKinds)[number]

interface Gateway extends AsyncDisposable {
  readonly name: 'aside' | 'portkey'
  readonly pid: number
  readonly port: number
  request(kind: Kind): string
}

interface Figures {
  readonly requestsPerSecond: number
  readonly cpuMicrosPerRequest: number
  readonly addedFirstByteMs: number
  readonly firstByteP99Ms: number
  readonly failed: number
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    // Until code is compiled; the same for both, and never longer than what is measured twice over.
    'warm-up': { type: 'string', default: '6' },
    concurrency: { type: 'string', default: '1,16,64' },
    only: { type: 'string' },
    kind: { type: 'string' },
    knowledge: { type: 'boolean', default: false }
  }
})
const kinds = allKinds.filter((kind) => values.kind === undefined || values.kind === kind)
const seconds = Number(values.seconds)
const levels = values.concurrency.split(',').map(Number)
const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** `taskset -c CORE`, where there are two cores and taskset. */
const pinned = (core: number, command: readonly string[]): readonly string[] =>
  process.platform === 'linux' && availableParallelism() > 1 ? ['taskset', '-c', String(core), ...command] : command

function httpRequest(path: string, headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries({
    host: 'localhost',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers
  })
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${body}`
}

const QUESTION = 'Which storage class suits archives that are read once a year?'

/**
 * Sign-in, turn log, memory, prompt, orchestrator, ledger and logs as in every installation; only the limits are raised. The
 * knowledge base is empty, since the other side has none; `--knowledge` brings back the one that ships.
 */
async function startAside(upstreamPort: number): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-bench-'))
  const resources = join(folder, 'resources')
  await mkdir(resources)
  await symlink(join(root, 'resources', 'pricing'), join(resources, 'pricing'))
  const limits = join(folder, 'limits.json')
  const plenty = { turnsPerDay: null, requestsPerMinute: 1_000_000, burst: 1_000_000, tokensPerHour: 1_000_000_000 }
  await writeFile(limits, JSON.stringify({ tiers: { ENTERPRISE: plenty } }))
  const [command = '', ...args] = pinned(0, [process.execPath, `${root}src/service/bin/serve.ts`])
  const child = spawn(command, args, {
    env: {
      PATH: process.env['PATH'],
      ASIDE_DATA_DIR: folder,
      ASIDE_RESOURCES_DIR: values.knowledge ? join(root, 'resources') : resources,
      ASIDE_FIND_OLLAMA: '0',
      PORT: '0',
      AI_SERVICE_PORT: '0',
      AI_CONNECTION_POOL_SIZE: '128',
      AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '1000000',
      AI_RATE_LIMIT_STREAMS_PER_USER: '10000',
      AI_RATE_LIMIT_SERVICE_PER_MINUTE: '100000000',
      AI_LIMITS_FILE: limits,
      OPENAI_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_MODEL: 'gpt-4o-mini',
      ...(process.env['BENCH_NODE_OPTIONS'] === undefined ? {} : { NODE_OPTIONS: process.env['BENCH_NODE_OPTIONS'] })
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-5_000)))
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit').then(() => null)])
  if (line === null) throw new Error(`the service did not start: ${log}`)
  const { http } = JSON.parse(String(line[0])) as { http: string }
  const keys = await signingKeys(join(folder, 'service'))
  const token = await issueToken(keys, { userId: 'bench', role: 'user', ttlMs: 3_600_000, now: Date.now(), tokenId: randomUUID() })
  // A conversation of its own for each question, as a gateway's requests are.
  // Each question is another one: an answer from the cache would ask nobody.
  const body = JSON.stringify({ message: `${QUESTION} ({id})`, session_id: 'session-{id}' }).replaceAll('{id}', '0'.repeat(12))
  return {
    name: 'aside',
    pid: child.pid ?? 0,
    port: Number(http.split(':')[1]),
    request: (kind) =>
      httpRequest(kind === 'unary' ? '/api/ai/chat' : '/api/ai/stream', { authorization: `Bearer ${token}` }, body).replaceAll(
        '0'.repeat(12),
        '{id}'
      ),
    async [Symbol.asyncDispose]() {
      await end(child)
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function startPortkey(upstreamPort: number): Promise<Gateway> {
  const port = await freePort()
  const script = fileURLToPath(import.meta.resolve('@portkey-ai/gateway/build/start-server.js'))
  const [command = '', ...args] = pinned(0, [process.execPath, script, '--headless', `--port=${port}`])
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: 'localhost,127.0.0.1' },
    stdio: ['ignore', 'ignore', 'ignore']
  })
  await listening(port)
  const headers = {
    authorization: 'Bearer sk-bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`
  }
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: QUESTION }] }
  return {
    name: 'portkey',
    pid: child.pid ?? 0,
    port,
    request: (kind) => httpRequest('/v1/chat/completions', headers, JSON.stringify(kind === 'unary' ? body : { ...body, stream: true })),
    [Symbol.asyncDispose]: () => end(child)
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await gone
  clearTimeout(timer)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(500) })
      return
    } catch (error) {
      if (attempt === 199) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** User and system time of a process in µs; 0 where there is no /proc. */
async function cpuMicros(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  // Clock ticks of 10 ms, the same on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

interface Load extends AsyncDisposable {
  readonly upstreamPort: number
  run(order: LoadOrder): Promise<LoadResult>
}

async function startLoad(): Promise<Load> {
  const [command = '', ...args] = pinned(1, [process.execPath])
  const child = fork(`${root}bench/gatewayLoad.ts`, { execPath: command, execArgv: [...args] })
  const next = async (): Promise<LoadAnswer> => (await once(child, 'message'))[0] as LoadAnswer
  const send = (message: LoadMessage): void => void child.send(message)
  const first = await next()
  if (first.type !== 'ready') throw new Error('the load did not start')
  return {
    upstreamPort: first.port,
    async run(order) {
      const answer = next()
      send({ type: 'load', order })
      const got = await answer
      if (got.type !== 'result') throw new Error('the load did not run')
      return got.result
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit')
      send({ type: 'stop' })
      await gone
    }
  }
}

type Table = Record<string, Figures>

async function measure(gateway: Gateway, load: Load, direct: Readonly<Record<string, number>>): Promise<Table> {
  const table: Table = {}
  for (const kind of kinds) {
    const order = { port: gateway.port, request: gateway.request(kind), expected: 'tok19' }
    await load.run({ ...order, concurrency: BAR_AT, seconds: Math.min(Number(values['warm-up']), 2 * seconds) })
    for (const concurrency of levels) {
      const before = await cpuMicros(gateway.pid)
      const result = await load.run({ ...order, concurrency, seconds })
      const cpu = (await cpuMicros(gateway.pid)) - before
      const figures = {
        requestsPerSecond: Math.round(result.requests / result.seconds),
        cpuMicrosPerRequest: Math.round(cpu / Math.max(1, result.requests)),
        addedFirstByteMs: round(result.firstByteP50Ms - (direct[`${kind}@${concurrency}`] ?? 0)),
        firstByteP99Ms: round(result.firstByteP99Ms),
        failed: result.failed
      }
      if (result.sample !== null) say(`${gateway.name} answered: ${result.sample}`)
      table[`${kind}@${concurrency}`] = figures
      say(
        `${gateway.name.padEnd(8)} ${kind.padEnd(6)} at ${String(concurrency).padStart(2)}: ${figures.requestsPerSecond} requests/s, ` +
          `${figures.cpuMicrosPerRequest} µs CPU, +${figures.addedFirstByteMs} ms to the first byte, ${figures.failed} failed`
      )
    }
  }
  return table
}

const round = (ms: number): number => Math.round(ms * 100) / 100

async function run(): Promise<boolean> {
  await using load = await startLoad()
  const direct: Record<string, number> = {}
  for (const kind of kinds) {
    const body = JSON.stringify({ model: 'm', messages: [], ...(kind === 'stream' ? { stream: true } : {}) })
    const request = httpRequest('/v1/chat/completions', {}, body)
    for (const concurrency of levels) {
      const { firstByteP50Ms, requests } = await load.run({ port: load.upstreamPort, request, expected: 'tok19', concurrency, seconds: 1 })
      direct[`${kind}@${concurrency}`] = firstByteP50Ms
      say(`upstream ${kind.padEnd(6)} at ${String(concurrency).padStart(2)}: ${requests} requests/s, ${round(firstByteP50Ms)} ms to the first byte`)
    }
  }
  const tables: Partial<Record<Gateway['name'], Table>> = {}
  for (const [name, start] of [
    ['portkey', startPortkey],
    ['aside', startAside]
  ] as const) {
    if (values.only !== undefined && values.only !== name) continue
    await using gateway = await start(load.upstreamPort)
    tables[name] = await measure(gateway, load, direct)
  }
  const ratio = (kind: Kind): number | null => {
    const [ours, theirs] = [tables.aside?.[`${kind}@${BAR_AT}`], tables.portkey?.[`${kind}@${BAR_AT}`]]
    return ours === undefined || theirs === undefined ? null : round(ours.requestsPerSecond / theirs.requestsPerSecond)
  }
  const [unaryRatio, streamRatio] = [ratio('unary'), ratio('stream')]
  const isClean = Object.values(tables).every((table) =>
    Object.values(table).every(({ failed, requestsPerSecond }) => failed === 0 && requestsPerSecond > 0)
  )
  const ok = isClean && (unaryRatio ?? 0) >= UNARY_BAR && (streamRatio ?? 0) >= STREAM_BAR
  process.stdout.write(
    `${JSON.stringify({ ok, bars: { unaryRatio: UNARY_BAR, streamRatio: STREAM_BAR, at: BAR_AT }, unaryRatio, streamRatio, isClean, seconds, knowledge: values.knowledge, ...tables })}\n`
  )
  return ok
}

process.exitCode = (await run()) ? 0 : 1
