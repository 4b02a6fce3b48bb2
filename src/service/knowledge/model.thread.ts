// The model on a thread of its own, so that nothing waits while it thinks.
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { FromModel, ToModel } from './meaning/protocol.ts'
import type { MeaningModel } from './model.ts'

export interface ThreadModelOptions {
  readonly url?: URL
}

/** Its own and of how texts are cut: raise the second when parts.ts changes, and all are embedded again. */
const VERSION = 'use-lite-0.2.0/1'
const HEAP_MB = 512

/** What was asked of a model that is not there any more. */
export class ModelStopped extends Error {}

interface Waiting {
  resolve(message: FromModel): void
  reject(error: Error): void
}

export function createThreadModel({ url = workerFile(import.meta.url) }: ThreadModelOptions = {}): MeaningModel {
  let thread: Worker | null = null
  let starting: Promise<void> | null = null
  let isReady = false
  let tickets = 0
  const waiting = new Map<number, Waiting>()

  const forget = (): void => {
    thread = null
    starting = null
    isReady = false
    for (const { reject } of waiting.values()) reject(new ModelStopped('The model was stopped'))
    waiting.clear()
  }
  const post = (message: ToModel): void => {
    if (thread === null) throw new ModelStopped('The model does not run')
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    thread.postMessage(message)
  }
  const begin = (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const fresh = new Worker(url, { name: 'meaning', execArgv: [], resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } })
    thread = fresh
    const lose = (error: Error): void => {
      if (thread === fresh) forget()
      reject(error)
    }
    fresh.on('message', (message: FromModel) => {
      if (message.kind === 'ready') {
        isReady = thread === fresh
        resolve()
      } else {
        waiting.get(message.ticket)?.resolve(message)
        waiting.delete(message.ticket)
      }
      // The process may end while it idles.
      if (waiting.size === 0) fresh.unref()
    })
    fresh.on('error', lose).on('exit', () => lose(new ModelStopped('The model ended')))
    return promise
  }
  const ask = (order: (ticket: number) => ToModel): Promise<FromModel> => {
    const { promise, resolve, reject } = Promise.withResolvers<FromModel>()
    const ticket = (tickets += 1)
    post(order(ticket))
    waiting.set(ticket, { resolve, reject })
    thread?.ref()
    return promise
  }

  return {
    version: VERSION,
    get state() {
      return thread === null ? 'off' : isReady ? 'ready' : 'starting'
    },
    start: () => (starting ??= begin()),
    async embed(texts) {
      const message = await ask((ticket) => ({ kind: 'embed', ticket, texts }))
      if (message.kind !== 'embedded') throw new Error(`The model could not read a text: ${message.kind === 'failed' ? message.reason : ''}`)
      return message.packed
    },
    async nearest(texts, shelves, most) {
      const message = await ask((ticket) => ({ kind: 'nearest', ticket, texts, shelves, most }))
      if (message.kind !== 'near') throw new Error(`The model could not compare: ${message.kind === 'failed' ? message.reason : ''}`)
      return message.near
    },
    hold: (shelf, vectors) => post({ kind: 'hold', shelf, vectors }),
    drop: (ids) => post({ kind: 'drop', ids }),
    async rest() {
      const ending = thread
      forget()
      await ending?.terminate()
    }
  }
}

/** In the sources beside this file, in the bundle an entry of its own, at most one folder up. */
function workerFile(from: string): URL {
  const names = from.endsWith('.ts') ? ['./meaning/worker.ts'] : ['./meaningWorker.js', '../meaningWorker.js']
  const found = names.map((name) => new URL(name, from)).find((candidate) => existsSync(candidate))
  if (found === undefined) throw new Error('meaningWorker.js is missing from this build')
  return found
}
