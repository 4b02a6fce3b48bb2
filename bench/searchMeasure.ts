// Asks the questions, one after the other or as a person types, and says how long they took: wall time as the caller sees
// it, and processor time of all threads of this process, which tells more on a machine that is not quiet.
import { setTimeout as pause } from 'node:timers/promises'
import { v7 as newId } from 'uuid'
import { toCopilotError } from '../src/shared/errors.ts'
import type { Corpus } from './corpus.ts'
import type { SearchApp } from './searchApp.ts'
import type { Asked } from './searchQueries.ts'

export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export function quantiles(samples: readonly number[]): Quantiles {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number => Number((sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0).toFixed(2))
  return { count: samples.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

export interface Measured {
  readonly tookMs: readonly number[]
  readonly hits: number
  readonly cpuMs: number
}

export async function measure(questions: readonly Asked[], ask: (asked: Asked) => Promise<number>): Promise<Measured> {
  const tookMs: number[] = []
  let hits = 0
  const cpu = process.cpuUsage()
  for (const question of questions) {
    const began = performance.now()
    hits += await ask(question)
    tookMs.push(performance.now() - began)
  }
  const { user, system } = process.cpuUsage(cpu)
  return { tookMs, hits: hits / questions.length, cpuMs: (user + system) / 1_000 / questions.length }
}

/** Faster than the fastest typists, so that some answers are overtaken. */
const KEY_EVERY_MS = 25

export interface Typed extends Measured {
  readonly overtaken: number
}

/** Every key is a question, whether the one before was answered or not. Counted are those that were answered. */
export async function measureTyping(texts: readonly string[], app: SearchApp): Promise<Typed> {
  const tookMs: number[] = []
  let [hits, overtaken] = [0, 0]
  const cpu = process.cpuUsage()
  for (const text of texts) {
    const answers: Promise<void>[] = []
    for (let length = 1; length <= text.length; length++) {
      const began = performance.now()
      answers.push(
        app.search({ text: text.slice(0, length) }).then(
          (result) => {
            tookMs.push(performance.now() - began)
            hits += result.hits.length
          },
          (error: unknown) => {
            if (toCopilotError(error).code !== 'cancelled') throw error
            overtaken += 1
          }
        )
      )
      await pause(KEY_EVERY_MS)
    }
    await Promise.all(answers)
  }
  const { user, system } = process.cpuUsage(cpu)
  const keys = tookMs.length + overtaken
  return { tookMs, hits: hits / Math.max(1, tookMs.length), cpuMs: (user + system) / 1_000 / Math.max(1, keys), overtaken }
}

const blank = { meetingType: '', projectContext: '', serviceTypes: [], cloudProviders: [], customFields: {}, notes: '' }

/** Questions and answers in turn at a steady rate, until it is stopped; then it says how long each write took. */
export async function writeSteadily({ history }: SearchApp, perSecond: number, corpus: Corpus): Promise<() => Promise<number[]>> {
  const at = Date.now()
  const session = { ...blank, id: newId(), title: 'Written', clientName: 'Bench', status: 'active' as const, pinned: false, createdAt: at }
  await history.createSession({ ...session, updatedAt: at, lastActivityAt: at, expiresAt: null, messageCount: 0 })
  const tookMs: number[] = []
  const underWay = new Set<Promise<void>>()
  let unanswered: string | null = null

  async function writeOne(): Promise<void> {
    const [turnId, now, text] = [unanswered ?? newId(), Date.now(), corpus.message()]
    const began = performance.now()
    if (unanswered === null) {
      unanswered = turnId
      await history.accept({ question: { turnId, sessionId: session.id, text, context: {} }, messageId: newId(), at: now })
    } else {
      unanswered = null
      await history.saveEvents(turnId, [
        { turnId, seq: 1, at: now, type: 'accepted', messageId: newId() },
        { turnId, seq: 2, at: now, type: 'delta', text },
        { turnId, seq: 3, at: now, type: 'done', messageId: newId(), finish: 'stop' }
      ])
    }
    tookMs.push(performance.now() - began)
  }
  const timer = setInterval(() => {
    const one = writeOne().finally(() => underWay.delete(one))
    underWay.add(one)
  }, 1_000 / perSecond)
  return async () => {
    clearInterval(timer)
    await Promise.all(underWay)
    return tookMs
  }
}
