// How quickly a history goes out and comes in, what memory that takes, and what everybody else feels of it. Prints one JSON
// line last. `node bench/transfer.ts [--messages 100000]`
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { v7 as uuidv7 } from 'uuid'
import { createExporter } from '../src/main/export/exporter.ts'
import { createPageRenderer } from '../src/main/export/renderer.thread.ts'
import type { History } from '../src/main/history/history.ts'
import { openHistory } from '../src/main/history/history.worker.ts'
import { createImporter } from '../src/main/import/importer.ts'
import { createImportReader } from '../src/main/import/reader.thread.ts'
import { createJobs } from '../src/main/jobs.ts'
import { newSession } from '../test/fakes/historySamples.ts'
import { fillHistory } from '../test/fakes/historyFilled.ts'

const { messages: count } = parseArgs({ options: { messages: { type: 'string', default: '100000' } } }).values
const messages = Number(count)
/** Of the house: nobody waits longer, ms. */
const LOOP_BAR_MS = 10
const ACCEPT_BAR_MS = 100
const ASK_EVERY_MS = 50

const folder = await mkdtemp(join(tmpdir(), 'aside-bench-transfer-'))
const clock = { now: Date.now }
const jobs = createJobs({ newId: uuidv7, publish: () => undefined, now: Date.now })
const shared = { jobs, newId: uuidv7 }
const render = createPageRenderer()
const reader = createImportReader()

/** What went on while `work` did: time, memory of the whole process, the longest delay of this thread. */
async function measured<T>(
  name: string,
  work: () => Promise<T>
): Promise<{ readonly name: string; readonly s: number; readonly perSecond: number; readonly peakRssMb: number; readonly loopMaxMs: number }> {
  globalThis.gc?.()
  const loop = monitorEventLoopDelay({ resolution: 1 })
  let peak = process.memoryUsage.rss()
  const timer = setInterval(() => void (peak = Math.max(peak, process.memoryUsage.rss())), 20)
  loop.enable()
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1_000
  loop.disable()
  clearInterval(timer)
  const figures = {
    name,
    s: Number(seconds.toFixed(2)),
    perSecond: Math.round(messages / seconds),
    peakRssMb: Math.round(peak / 1_048_576),
    loopMaxMs: Number((loop.max / 1e6).toFixed(1))
  }
  process.stderr.write(`${JSON.stringify(figures)}\n`)
  return figures
}

/** Asks now and then, and tells how long each took to be accepted. */
async function whileAsking(history: History, work: () => Promise<unknown>): Promise<number[]> {
  await history.createSession(newSession('live'))
  const waits: number[] = []
  const over = new AbortController()
  const asking = (async () => {
    while (!over.signal.aborted) {
      const began = performance.now()
      await history.accept({
        question: { turnId: uuidv7(), sessionId: 'live', text: 'What does a NAT gateway cost?', context: {} },
        messageId: uuidv7(),
        at: Date.now()
      })
      waits.push(performance.now() - began)
      await new Promise((resolve) => void setTimeout(resolve, ASK_EVERY_MS))
    }
  })()
  try {
    await work()
  } finally {
    over.abort()
    await asking
  }
  return waits.toSorted((a, b) => a - b)
}

const open = async (name: string): Promise<History> => (await openHistory({ dataDir: join(folder, name), key: randomBytes(32), clock })).history

try {
  const first = await open('first')
  const filling = await measured('fill', () => fillHistory(first, { messages, sessions: Math.max(1, messages / 200) }))
  const exporter = createExporter({ history: first, render, ...shared })
  const exports = []
  for (const format of ['json', 'markdown', 'html', 'csv'] as const)
    exports.push(await measured(`export ${format}`, () => exporter.write({ format }, join(folder, format))))
  const bytes = (await stat(join(folder, 'json'))).size
  await first.close()

  const second = await open('second')
  const importer = createImporter({ history: second, reader, ...shared, onImported: () => undefined })
  let id = ''
  const reading = await measured('import.read', async () => void (id = (await importer.read(join(folder, 'json'))).id))
  let waits: number[] = []
  const importing = await measured('import.confirm', async () => void (waits = await whileAsking(second, () => importer.confirm(id, ''))))
  await second.close()

  const at = (share: number): number => Number((waits[Math.max(0, Math.ceil(share * waits.length) - 1)] ?? 0).toFixed(1))
  const accept = { asked: waits.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
  const ok = accept.maxMs <= ACCEPT_BAR_MS && [...exports, reading, importing].every(({ loopMaxMs }) => loopMaxMs <= LOOP_BAR_MS)
  process.stdout.write(`${JSON.stringify({ ok, messages, jsonMb: Math.round(bytes / 1_048_576), filling, exports, reading, importing, accept })}\n`)
  process.exitCode = ok ? 0 : 1
} finally {
  await rm(folder, { recursive: true, maxRetries: 5 })
}
