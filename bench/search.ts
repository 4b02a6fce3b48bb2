// Measures search as one types over a large encrypted history, while messages are being written:
// node bench/search.ts [--messages 100000] [--queries 200] [--writes 50] [--dir FOLDER] [--keep]
// Prints a line per kind of query and one JSON line last. Times are those the caller sees, in ms.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { v7 as newId } from 'uuid'
import type { History } from '../src/main/history/history.ts'
import { openHistory } from '../src/main/history/history.worker.ts'
import type { SearchQuery } from '../src/shared/domain.ts'
import { systemClock } from '../src/shared/kit/clock.ts'
import { createCorpus, randomFrom, type Corpus } from './corpus.ts'
import { buildHistory, sessionIdOf } from './historyBuild.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '200' },
    writes: { type: 'string', default: '50' },
    dir: { type: 'string' },
    keep: { type: 'boolean', default: false }
  }
})
const messages = Number(values.messages)
const key = new Uint8Array(32).fill(9)

type Kinds = Readonly<Record<string, () => Partial<SearchQuery> & { readonly text: string }>>

const quoted = (...words: readonly string[]): string => `"${words.join(' ')}"`

/** Rare and very common words, one to three of them, phrases as they stand in messages and as they don't, prefixes as typed. */
function kindsOf({ vocabulary }: Corpus, samples: readonly string[], sessions: number): Kinds {
  const random = randomFrom(99)
  const word = (from: number, to: number): string => vocabulary[from + Math.floor(random() * (to - from))] ?? ''
  const common = (): string => word(0, 40)
  const usual = (): string => word(100, 2_100)
  const rare = (): string => word(20_000, 50_000)
  const fromText = (length: number): string => {
    const words = (samples[Math.floor(random() * samples.length)] ?? '').split(' ')
    const at = Math.floor(random() * Math.max(1, words.length - length))
    return quoted(...words.slice(at, at + length))
  }
  const begun = (length: number): string => usual().padEnd(length, 'e').slice(0, length)
  const session = (): string => sessionIdOf(1 + Math.floor(random() * sessions))
  return {
    'one common word': () => ({ text: `${common()} ` }),
    'one usual word': () => ({ text: `${usual()} ` }),
    'one rare word': () => ({ text: `${rare()} ` }),
    'no such word': () => ({ text: 'zzqqxx ' }),
    'two common': () => ({ text: `${common()} ${common()} ` }),
    'two usual': () => ({ text: `${usual()} ${usual()} ` }),
    'common and rare': () => ({ text: `${common()} ${rare()} ` }),
    'three common': () => ({ text: `${common()} ${common()} ${common()} ` }),
    'three usual': () => ({ text: `${usual()} ${usual()} ${usual()} ` }),
    'phrase of two, from a text': () => ({ text: fromText(2) }),
    'phrase of three, from a text': () => ({ text: fromText(3) }),
    'phrase of two common': () => ({ text: quoted(common(), common()) }),
    'phrase of three common': () => ({ text: quoted(common(), common(), common()) }),
    'prefix of 2': () => ({ text: begun(2) }),
    'prefix of 3': () => ({ text: begun(3) }),
    'prefix of 4': () => ({ text: begun(4) }),
    'prefix of 5': () => ({ text: begun(5) }),
    'prefix of 6': () => ({ text: begun(6) }),
    'usual and prefix of 3': () => ({ text: `${usual()} ${begun(3)}` }),
    'two usual and prefix of 4': () => ({ text: `${usual()} ${usual()} ${begun(4)}` }),
    'in a session': () => ({ text: `${usual()} `, sessionId: session() }),
    'of a client': () => ({ text: `${usual()} `, clientName: `Client ${Math.floor(random() * 40)}` }),
    'answers only': () => ({ text: `${common()} `, role: 'assistant' }),
    'an old month': () => {
      const from = until - Math.floor(random() * messages) * 60_000
      return { text: `${usual()} `, from, to: from + 30 * 86_400_000 }
    }
  }
}

function quantiles(samples: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number => Number((sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0).toFixed(2))
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Questions at a steady rate; the answer stops it and says how long they took. */
function writeSteadily(history: History, perSecond: number, corpus: Corpus): () => Promise<number[]> {
  const took: number[] = []
  const underWay = new Set<Promise<void>>()
  const write = async (): Promise<void> => {
    const began = performance.now()
    const question = { turnId: newId(), sessionId: 'written', text: corpus.message(), context: {} }
    await history.accept({ question, messageId: newId(), at: Date.now() })
    took.push(performance.now() - began)
  }
  const timer = setInterval(() => {
    const one = write().finally(() => underWay.delete(one))
    underWay.add(one)
  }, 1_000 / perSecond)
  return async () => {
    clearInterval(timer)
    await Promise.all(underWay)
    return took
  }
}

const until = Date.now()
const dataDir = values.dir ?? mkdtempSync(join(tmpdir(), 'aside-bench-'))
const corpus = createCorpus()
const buildBegan = performance.now()
if (!existsSync(join(dataDir, 'history.db'))) buildHistory({ dataDir, key, messages, corpus, until })
const buildS = Math.round((performance.now() - buildBegan) / 1_000)

const openBegan = performance.now()
const { history } = await openHistory({ dataDir, key, clock: systemClock })
const openMs = performance.now() - openBegan
const sessions = Math.floor(messages / 200)
const pageBegan = performance.now()
const page = await history.page({ sessionId: sessionIdOf(sessions), limit: 50 })
const pageMs = performance.now() - pageBegan
if (page.messages.length !== 50) throw new Error(`The last page has ${page.messages.length} messages`)

const blank = { meetingType: '', projectContext: '', serviceTypes: [], cloudProviders: [], customFields: {}, notes: '' }
const session = { ...blank, id: 'written', title: 'Written', clientName: 'Bench', status: 'active' as const, pinned: false, createdAt: until }
if ((await history.session('written')) === null) {
  await history.createSession({ ...session, updatedAt: until, lastActivityAt: until, expiresAt: null, messageCount: 0 })
}
const samples = (await history.page({ sessionId: sessionIdOf(Math.max(1, Math.floor(sessions / 2))), limit: 200 })).messages.map(
  (message) => message.text
)

const delay = monitorEventLoopDelay({ resolution: 1 })
const stopWriting = writeSteadily(history, Number(values.writes), corpus)
const kinds = kindsOf(corpus, samples, sessions)
const byKind: Record<string, { p50: number; p99: number; max: number; hits: number }> = {}
const all: number[] = []
const { signal } = new AbortController()
delay.enable()
for (const [kind, query] of Object.entries(kinds)) {
  const took: number[] = []
  let hits = 0
  for (let left = Number(values.queries); left > 0; left--) {
    const began = performance.now()
    const result = await history.search({ limit: 30, ...query() }, signal)
    took.push(performance.now() - began)
    hits += result.hits.length
  }
  all.push(...took)
  byKind[kind] = { ...quantiles(took), hits: Number((hits / took.length).toFixed(1)) }
  const { p50, p99, max } = quantiles(took)
  console.log(
    `${kind.padEnd(30)} p50 ${p50.toFixed(2).padStart(7)}  p99 ${p99.toFixed(2).padStart(7)}  max ${max.toFixed(2).padStart(7)}  hits ${byKind[kind].hits}`
  )
}
delay.disable()
const writes = await stopWriting()

const aloneTook: number[] = []
for (let left = 200; left > 0; left--) {
  const began = performance.now()
  const question = { turnId: newId(), sessionId: 'written', text: corpus.message(), context: {} }
  await history.accept({ question, messageId: newId(), at: Date.now() })
  aloneTook.push(performance.now() - began)
}
await history.close()

console.log(
  JSON.stringify({
    messages,
    buildS,
    databaseMB: Math.round(statSync(join(dataDir, 'history.db')).size / 1e6),
    openMs: Math.round(openMs),
    lastPageMs: Number(pageMs.toFixed(1)),
    search: quantiles(all),
    writesDuringSearch: { count: writes.length, ...quantiles(writes) },
    acceptAlone: quantiles(aloneTook),
    mainLoopDelayMs: { p99: Number((delay.percentile(99) / 1e6).toFixed(1)), max: Number((delay.max / 1e6).toFixed(1)) },
    rssMB: Math.round(process.memoryUsage().rss / 1e6),
    byKind
  })
)
if (!values.keep && values.dir === undefined) rmSync(dataDir, { recursive: true })
