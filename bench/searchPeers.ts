// What search libraries for JavaScript make of the same messages and questions: MiniSearch in this process, and a Dexie
// scan in a real Chromium. Both give the 30 best of what they find.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import MiniSearch from 'minisearch'
import { chromium, type Page } from 'playwright'
import { createCorpus } from './corpus.ts'
import { clientOf, PER_SESSION, sessionIdOf, timeOf } from './historyBuild.ts'
import { measure, type Measured } from './searchMeasure.ts'
import type { Asked } from './searchQueries.ts'

interface PeerMessage {
  readonly id: number
  readonly text: string
  readonly sessionId: string
  readonly clientName: string
  readonly role: 'user' | 'assistant'
  readonly createdAt: number
}

const LIMIT = 30

/** The messages of a built history, in their order. */
export function peerMessages(count: number): PeerMessage[] {
  const corpus = createCorpus()
  return Array.from({ length: count }, (_, index) => {
    const session = Math.floor(index / PER_SESSION) + 1
    const role = index % 2 === 0 ? 'user' : 'assistant'
    return {
      id: index + 1,
      text: corpus.message(),
      sessionId: sessionIdOf(session),
      clientName: clientOf(session),
      role,
      createdAt: timeOf(index + 1, count)
    }
  })
}

/** A question as plain words: what has to be there, and whether the last one is a beginning. */
function partsOf({ text }: Asked): { readonly words: string[]; readonly phrase: string | null; readonly prefix: boolean } {
  const phrase = text.includes('"') ? text.replaceAll('"', '').trim() : null
  return { words: text.replaceAll('"', '').trim().split(/\s+/), phrase, prefix: !/[\s"]$/.test(text) }
}

const passes = (asked: Asked, message: Omit<PeerMessage, 'text' | 'id'>): boolean =>
  (asked.sessionId ?? message.sessionId) === message.sessionId &&
  (asked.clientName ?? message.clientName) === message.clientName &&
  (asked.role ?? message.role) === message.role &&
  message.createdAt >= (asked.from ?? 0) &&
  message.createdAt <= (asked.to ?? Number.MAX_SAFE_INTEGER)

export interface PeerResult extends Measured {
  readonly buildS: number
}

/** Its own ranking; it has no phrases, so those are looked for in the texts of what holds all the words. */
export async function measureMiniSearch(messages: readonly PeerMessage[], questions: readonly Asked[]): Promise<PeerResult> {
  const began = performance.now()
  const index = new MiniSearch<PeerMessage>({ fields: ['text'], storeFields: ['sessionId', 'clientName', 'role', 'createdAt'] })
  index.addAll(messages)
  const buildS = (performance.now() - began) / 1_000
  const measured = await measure(questions, async (asked) => {
    const { words, phrase, prefix } = partsOf(asked)
    const found = index.search(words.join(' '), {
      combineWith: 'AND',
      prefix: (_term, at, terms) => prefix && at === terms.length - 1,
      filter: (result) =>
        passes(asked, result as unknown as PeerMessage) && (phrase === null || (messages[Number(result.id) - 1]?.text.includes(phrase) ?? false))
    })
    return found.slice(0, LIMIT).length
  })
  return { ...measured, buildS }
}

export interface DexieResult {
  /** Looks at every message, as it must to rank them all. */
  readonly all: PeerResult
  /** Stops at the newest 64 that match. */
  readonly newest: PeerResult
}

const PER_BATCH = 10_000

/** A cursor over the newest first that looks at each text. */
export async function measureDexie(messages: readonly PeerMessage[], questions: readonly Asked[]): Promise<DexieResult> {
  const dexie = fileURLToPath(import.meta.resolve('dexie/dist/dexie.min.js'))
  // IndexedDB wants a page with an origin; the batches come from there as well.
  const server = createServer((request, response) => {
    const from = /^\/batch\/(\d+)$/.exec(request.url ?? '')?.[1]
    response.setHeader('content-type', from === undefined ? 'text/html' : 'application/json')
    response.end(from === undefined ? '<!doctype html><title>Dexie</title>' : JSON.stringify(messages.slice(Number(from), Number(from) + PER_BATCH)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.addScriptTag({ path: dexie })
    const buildS = await page.evaluate(fill, { count: messages.length, perBatch: PER_BATCH })
    return { all: { ...(await scan(page, questions, null)), buildS }, newest: { ...(await scan(page, questions, 64)), buildS } }
  } finally {
    await browser.close()
    server.close()
  }
}

async function scan(page: Page, questions: readonly Asked[], stopAt: number | null): Promise<Measured> {
  const asked = questions.map((question) => ({ ...question, ...partsOf(question), stopAt, limit: LIMIT }))
  const results = await page.evaluate(scanInPage, asked)
  return { tookMs: results.map((one) => one.tookMs), hits: results.reduce((sum, one) => sum + one.hits, 0) / results.length, cpuMs: 0 }
}

// What follows runs in the page: nothing from here is known there.

interface PageTable {
  bulkAdd(messages: readonly PeerMessage[]): Promise<unknown>
  orderBy(index: string): {
    reverse(): {
      filter(test: (message: PeerMessage) => boolean): {
        limit(count: number): { toArray(): Promise<PeerMessage[]> }
        toArray(): Promise<PeerMessage[]>
      }
    }
  }
}
interface PageScope {
  readonly Dexie: new (name: string) => { version(number: number): { stores(stores: Record<string, string>): void }; table(name: string): PageTable }
  table: PageTable
}

async function fill({ count, perBatch }: { readonly count: number; readonly perBatch: number }): Promise<number> {
  const scope = globalThis as unknown as PageScope
  const began = performance.now()
  const db = new scope.Dexie('messages')
  db.version(1).stores({ messages: 'id, sessionId, clientName, createdAt' })
  scope.table = db.table('messages')
  for (let from = 0; from < count; from += perBatch) {
    const batch = (await (await fetch(`/batch/${from}`)).json()) as PeerMessage[]
    await scope.table.bulkAdd(batch)
  }
  return (performance.now() - began) / 1_000
}

type PageQuestion = Asked & {
  readonly words: string[]
  readonly phrase: string | null
  readonly prefix: boolean
  readonly stopAt: number | null
  readonly limit: number
}

async function scanInPage(questions: readonly PageQuestion[]): Promise<{ readonly tookMs: number; readonly hits: number }[]> {
  const { table } = globalThis as unknown as PageScope
  const out: { readonly tookMs: number; readonly hits: number }[] = []
  for (const asked of questions) {
    const began = performance.now()
    const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const wholes = asked.phrase === null ? asked.words : [asked.phrase]
    const tests = wholes.map((word, at) => new RegExp(`\\b${escaped(word)}${asked.prefix && at === wholes.length - 1 ? '' : '\\b'}`, 'gi'))
    const matching = table
      .orderBy('id')
      .reverse() // oxlint-disable-line unicorn/no-array-reverse -- a collection, not an array
      .filter(
        (message) =>
          (asked.sessionId ?? message.sessionId) === message.sessionId &&
          (asked.clientName ?? message.clientName) === message.clientName &&
          (asked.role ?? message.role) === message.role &&
          message.createdAt >= (asked.from ?? 0) &&
          message.createdAt <= (asked.to ?? Number.MAX_SAFE_INTEGER) &&
          tests.every((test) => message.text.search(test) >= 0)
      )
    const found = await (asked.stopAt === null ? matching.toArray() : matching.limit(asked.stopAt).toArray())
    const best = found
      .map((message) => ({ message, score: tests.reduce((sum, test) => sum + (message.text.match(test)?.length ?? 0), 0) / message.text.length }))
      .sort((a, b) => b.score - a.score)
      .slice(0, asked.limit)
    out.push({ tookMs: performance.now() - began, hits: best.length })
  }
  return out
}
