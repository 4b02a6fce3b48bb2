// The service as npm run load starts it: the program an operator runs, in a folder of its own, with the limits of its users raised by
// the limits file and the settings that an operator has; nothing is switched off. And what is read of it from outside.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { issueToken } from '../../src/service/auth/issuer.ts'
import { signingKeys } from '../../src/service/auth/keys.ts'
import { watchHeap, type HeapWatch } from './heap.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const HOUR_MS = 3_600_000
const KEY_FILE = 'token-key.json'

export interface ServiceOptions {
  readonly upstreamPort: number
  /** For profiles. */
  readonly nodeOptions: string
  /** What joins this process to others. */
  readonly joined: Readonly<Record<string, string>>
  /** The data folder of another process, whose tokens this one is to accept; null: it makes a key of its own. */
  readonly keyOf: string | null
}

export interface LoadedService extends AsyncDisposable {
  readonly dataDir: string
  readonly port: number
  readonly pid: number
  /** Values of /metrics by name, without those that have labels. Reading them starts the event loop's figures anew. */
  figures(): Promise<ReadonlyMap<string, number>>
  /** What it uses after a collection, in bytes. */
  heapBytes(): Promise<number>
  /** Of its own accord, as by SIGTERM; the folder stays. Throws when it dies otherwise. */
  stop(): Promise<void>
}

export async function startService({ upstreamPort, nodeOptions, joined, keyOf }: ServiceOptions): Promise<LoadedService> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-load-'))
  const limits = join(folder, 'limits.json')
  const plenty = { turnsPerDay: null, requestsPerMinute: 1_000_000, burst: 1_000_000, tokensPerHour: 1_000_000_000 }
  await writeFile(limits, JSON.stringify({ tiers: { ENTERPRISE: plenty } }))
  const dataDir = join(folder, 'service')
  if (keyOf !== null) {
    await mkdir(dataDir, { mode: 0o700 })
    await copyFile(join(keyOf, KEY_FILE), join(dataDir, KEY_FILE))
  }
  const child = spawn(process.execPath, [`${root}src/service/bin/serve.ts`], {
    env: {
      PATH: process.env['PATH'],
      ASIDE_DATA_DIR: folder,
      ASIDE_RESOURCES_DIR: join(root, 'resources'),
      ASIDE_FIND_OLLAMA: '0',
      // An answer that is not the model's would be found to be wrong; without a model a question should say so instead.
      ASIDE_LOCAL_KNOWLEDGE: '0',
      PORT: '0',
      AI_SERVICE_PORT: '0',
      AI_LOG_LEVEL: 'warn',
      AI_CONNECTION_POOL_SIZE: '512',
      AI_RATE_LIMIT_MESSAGES_PER_MINUTE: '1000000',
      AI_RATE_LIMIT_STREAMS_PER_USER: '10000',
      AI_RATE_LIMIT_SERVICE_PER_MINUTE: '100000000',
      AI_LIMITS_FILE: limits,
      OPENAI_BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
      OPENAI_API_KEY: 'sk-load',
      OPENAI_MODEL: 'gpt-4o-mini',
      // For `watchHeap`: any port, and only when it is asked for.
      NODE_OPTIONS: `--inspect-port=0 ${nodeOptions}`,
      ...joined
    },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-5_000)))
  let isEnding = false
  child.once('exit', (code, signal) => {
    // Everything after this would only say that somebody has hung up.
    if (!isEnding) process.stderr.write(`a service ended by itself (${signal ?? code}):\n${log}\n`)
  })
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit').then(() => null)])
  if (line === null) throw new Error(`the service did not start: ${log}`)
  const { http } = JSON.parse(String(line[0])) as { http: string }
  let heap: HeapWatch | null = null
  const [admin = ''] = await issueTokens(dataDir, ['operator'], 'admin')
  return {
    dataDir,
    port: Number(http.split(':')[1]),
    pid: child.pid ?? 0,
    async figures() {
      const answer = await fetch(`http://${http}/metrics`, { headers: { authorization: `Bearer ${admin}` } })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`/metrics answers ${answer.status}: ${text}`)
      return new Map(
        text.split('\n').flatMap((one) => {
          const [name = '', value = ''] = one.split(' ')
          return name === '' || name.startsWith('#') || name.includes('{') ? [] : [[name, Number(value)]]
        })
      )
    },
    async heapBytes() {
      heap ??= await watchHeap(child.pid ?? 0, child.stderr)
      return await heap.used()
    },
    async stop() {
      isEnding = true
      heap?.stop()
      if (await end(child)) return
      throw new Error(`the service died: ${log}`)
    },
    async [Symbol.asyncDispose]() {
      isEnding = true
      heap?.stop()
      await end(child)
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** One token for each user, signed with the key of that data folder. */
export async function issueTokens(dataDir: string, users: readonly string[], role: string): Promise<readonly string[]> {
  const keys = await signingKeys(dataDir)
  return await Promise.all(users.map((userId) => issueToken(keys, { userId, role, ttlMs: HOUR_MS, now: Date.now(), tokenId: randomUUID() })))
}

const STOPS_WITHIN_MS = 20_000

/** True when it ended by itself and in good order. */
async function end(child: ChildProcess): Promise<boolean> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS)
    await gone
    clearTimeout(timer)
  }
  return child.exitCode === 0
}

/** User and system time of a process, all its threads, in µs; null where there is no /proc. */
export async function cpuMicros(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  // Clock ticks of 10 ms, the same on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Memory that a process has in use, in KiB; null where there is no /proc. */
export async function residentKib(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null
  return Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN)
}
