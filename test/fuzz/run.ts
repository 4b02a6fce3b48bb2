// npm run --silent fuzz [-- --messages 100000] [--seed N] [--only DIALECT] [--batch N]: malformed messages on every dialect of the real service. Only
// specified errors may come back, nothing may break or leak, and after every batch a good message must be answered. What must not
// happen is printed with the command that shows it again. The last line is JSON.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Finding, FuzzedDialect, Lane } from './fuzz.ts'
import { chanceOf } from './hostile.ts'
import { grpc, rest } from './requests.ts'
import { consultantWebSocket, erpSocketIo, erpWebSocket, threadSocketIo } from './sockets.ts'
import type { Measured, Ready } from './service.ts'

const dialects: readonly FuzzedDialect[] = [grpc, erpWebSocket, erpSocketIo, consultantWebSocket, threadSocketIo, rest]
const LANES = 4
const BATCH = 200
/** What a run may leave behind: caches that are bounded, fragmentation. Measured after a warm-up of the same kind. */
const GROWTH_BYTES = 24 * 1_048_576
const MOST_FINDINGS = 5

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '100000' }, seed: { type: 'string' }, only: { type: 'string' }, batch: { type: 'string' } }
})
const messages = Number(values.messages)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
if (!Number.isSafeInteger(messages) || messages < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--messages and --seed need whole numbers.\n')
  process.exit(2)
}
const say = (line: string): void => void process.stderr.write(`${line}\n`)

interface Victim extends AsyncDisposable {
  readonly ready: Ready
  readonly child: ChildProcess
  measure(): Promise<Measured>
}

async function startVictim(): Promise<Victim> {
  const folder = await mkdtemp(join(tmpdir(), 'aside-fuzz-'))
  const child = fork(fileURLToPath(new URL('./service.ts', import.meta.url)), [], {
    execArgv: ['--expose-gc'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      AI_SERVICE_PORT: '0',
      ASIDE_FIND_OLLAMA: '0',
      ASIDE_DATA_DIR: folder,
      ASIDE_RESOURCES_DIR: fileURLToPath(new URL('../fixtures', import.meta.url)),
      ASIDE_WEBHOOK_SECRET_CRM: 'a secret that nobody sends',
      AI_RATE_LIMIT_REQUESTS_PER_MINUTE: '1000000',
      AI_RATE_LIMIT_STREAMS_PER_USER: '10000'
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const said = async (): Promise<unknown> => {
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('the service has died')))
    ])) as [unknown]
    return message
  }
  const ready = (await said()) as Ready
  return {
    ready,
    child,
    async measure() {
      const answer = said()
      child.send('measure')
      return (await answer) as Measured
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.send('stop')
        await exited
      }
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function runLane(lane: Lane, first: number, last: number, findings: Finding[]): Promise<number> {
  let sent = 0
  for (let batch = first; batch < last && findings.length < MOST_FINDINGS; batch += LANES) {
    try {
      await lane.batch(BATCH, chanceOf(seed + batch), batch)
      sent += BATCH
    } catch (error) {
      findings.push({ batch, what: error instanceof Error ? error.message : String(error) })
    }
  }
  return sent
}

interface Spell {
  readonly first: number
  readonly last: number
}

/** Batches of a dialect, on a few lanes at a time. */
async function spell(dialect: FuzzedDialect, victim: Victim, { first, last }: Spell, findings: Finding[]): Promise<number> {
  const lanes = await Promise.all(Array.from({ length: LANES }, () => dialect.open(victim.ready)))
  const sent = await Promise.all(lanes.map((lane, index) => runLane(lane, first + index, last, findings)))
  await Promise.all(lanes.map((lane) => lane.close()))
  return sent.reduce((sum, one) => sum + one, 0)
}

/** Handles go some time after their connections. */
async function settled(victim: Victim, most: number): Promise<Measured> {
  let now = await victim.measure()
  const bugs = [...now.bugs]
  for (let tries = 0; tries < 30 && now.handles.length > most; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    now = await victim.measure()
    bugs.push(...now.bugs)
  }
  return { ...now, bugs }
}

async function fuzz(dialect: FuzzedDialect): Promise<Record<string, unknown> & { ok: boolean }> {
  await using victim = await startVictim()
  const findings: Finding[] = []
  const only = values.batch === undefined ? null : Number(values.batch)
  const batches = Math.ceil(messages / BATCH)
  const warmUp = Math.max(LANES, Math.min(40, Math.floor(batches / 5)))
  const before = await victim.measure()
  const startedAt = performance.now()
  let sent = only === null ? await spell(dialect, victim, { first: 0, last: warmUp }, findings) : 0
  const warm = await settled(victim, before.handles.length)
  sent += await spell(
    dialect,
    victim,
    only === null ? { first: warmUp, last: Math.max(batches, warmUp + LANES) } : { first: only, last: only + 1 },
    findings
  )
  const after = await settled(victim, before.handles.length)
  const grownBytes = after.heapBytes - warm.heapBytes
  for (const what of [...warm.bugs, ...after.bugs]) findings.push({ batch: -1, what: `a bug in the service: ${what}` })
  if (grownBytes > GROWTH_BYTES) findings.push({ batch: -1, what: `the heap grew by ${grownBytes} bytes` })
  if (after.handles.length > before.handles.length) {
    findings.push({ batch: -1, what: `${before.handles.length} handles became ${after.handles.length}: ${after.handles.join(' ')}` })
  }
  for (const { batch, what } of findings) {
    say(`${dialect.name}: ${what}`)
    if (batch >= 0) say(`  again: npm run --silent fuzz -- --only ${dialect.name} --seed ${seed} --batch ${batch}`)
  }
  return {
    ok: findings.length === 0,
    messages: sent,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    heapBefore: warm.heapBytes,
    heapAfter: after.heapBytes,
    handlesBefore: before.handles.length,
    handlesAfter: after.handles.length,
    findings: findings.slice(0, MOST_FINDINGS).map(({ what }) => what.slice(0, 300))
  }
}

const results: Record<string, Awaited<ReturnType<typeof fuzz>>> = {}
for (const dialect of dialects) {
  if (values.only !== undefined && values.only !== dialect.name) continue
  say(`${dialect.name}: ${messages} malformed messages, seed ${seed} …`)
  try {
    results[dialect.name] = await fuzz(dialect)
  } catch (error) {
    results[dialect.name] = { ok: false, findings: [error instanceof Error ? error.message : String(error)] }
  }
  say(`${dialect.name}: ${JSON.stringify(results[dialect.name])}`)
}
const all = Object.values(results)
const ok = all.length > 0 && all.every((result) => result.ok)
process.stdout.write(`${JSON.stringify({ ok, seed, dialects: results })}\n`)
process.exitCode = ok ? 0 : 1
