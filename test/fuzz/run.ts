// npm run --silent fuzz [-- --messages 100000] [--seed N] [--only DIALECT] [--batch N]: malformed messages on every dialect of the real service. Only
// specified errors may come back, each message has exactly the replies that are due to it, nothing may break or leak, and after every batch a good
// message must be answered. What must not happen is printed with the command that shows it again. The last line is JSON.
import { parseArgs } from 'node:util'
import { fuzz, type Outcome } from './campaign.ts'
import { consultantWebSocket } from './consultantChat.ts'
import { erpWebSocket } from './erp.ts'
import type { FuzzedDialect } from './fuzz.ts'
import { grpc } from './grpc.ts'
import { consultantRest, rest, serverSentEvents, webhooks } from './http.ts'
import { desktopSocketIo, erpSocketIo, threadSocketIo } from './socketIo.ts'
import { uploads } from './uploads.ts'
import { startVictim, type Victim } from './victim.ts'

const dialects: readonly FuzzedDialect[] = [
  grpc,
  erpWebSocket,
  erpSocketIo,
  desktopSocketIo,
  threadSocketIo,
  consultantWebSocket,
  consultantRest,
  rest,
  serverSentEvents,
  webhooks,
  uploads
]

const { values } = parseArgs({
  options: { messages: { type: 'string', default: '100000' }, seed: { type: 'string' }, only: { type: 'string' }, batch: { type: 'string' } }
})
const messages = Number(values.messages)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const batch = values.batch === undefined ? null : Number(values.batch)
const chosen = dialects.filter(({ name }) => values.only === undefined || values.only === name)
const areNumbers = Number.isSafeInteger(messages) && messages > 0 && Number.isSafeInteger(seed) && (batch === null || Number.isSafeInteger(batch))
if (!areNumbers || chosen.length === 0) {
  process.stderr.write(`--messages, --seed and --batch need whole numbers, --only one of ${dialects.map(({ name }) => name).join(', ')}.\n`)
  process.exit(2)
}
const say = (line: string): void => void process.stderr.write(`${line}\n`)

const startedAt = performance.now()
/** Small runs share one service: most of their time is its start. */
const SMALL_RUN = 1_000
await using shared = messages < SMALL_RUN ? await startVictim() : null
const fuzzed = async (dialect: FuzzedDialect): Promise<Outcome> => {
  await using own = shared === null ? await startVictim() : null
  return await fuzz(dialect, own ?? (shared as Victim), { messages, seed, batch, say })
}

const results: Record<string, Outcome | { readonly ok: false; readonly findings: readonly string[] }> = {}
for (const dialect of chosen) {
  say(`${dialect.name}: ${messages} malformed messages, seed ${seed} …`)
  try {
    results[dialect.name] = await fuzzed(dialect)
  } catch (error) {
    results[dialect.name] = { ok: false, findings: [error instanceof Error ? error.message : String(error)] }
  }
  say(`${dialect.name}: ${JSON.stringify(results[dialect.name])}`)
}
const ok = Object.values(results).every((result) => result.ok)
process.stdout.write(`${JSON.stringify({ ok, seed, seconds: Math.round((performance.now() - startedAt) / 1_000), dialects: results })}\n`)
process.exitCode = ok ? 0 : 1
