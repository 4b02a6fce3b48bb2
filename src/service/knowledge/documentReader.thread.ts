// The reader on a thread of its own, within bounds of time and memory: what goes beyond them is ended wherever it is, and said.
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { CopilotError } from '../../shared/errors.ts'
import type { DocumentReader, ReadResult } from './documentReader.ts'
import type { FromReader } from './reading/protocol.ts'

export interface ReaderBounds {
  readonly mostBytes: number
  /** Without any progress, and in all. */
  readonly quietMs: number
  readonly longestMs: number
  /** Of the thread's heap; and by how much the whole process may grow while one document is read: buffers lie outside of heaps. */
  readonly heapMb: number
  readonly growthMb: number
}

export const usualReaderBounds: ReaderBounds = { mostBytes: 50 * 1_048_576, quietMs: 20_000, longestMs: 300_000, heapMb: 512, growthMb: 1_024 }

export interface ThreadReaderOptions {
  readonly bounds?: Partial<ReaderBounds>
  readonly url?: URL
}

const LOOK_EVERY_MS = 100
const MEGABYTE = 1_048_576

const reasons = {
  slow: 'Reading this document took too long and was stopped.',
  large: 'Reading this document took too much memory and was stopped.',
  died: 'This document can’t be read: reading it failed.'
}

export function createThreadReader({ bounds: own, url = workerFile(import.meta.url) }: ThreadReaderOptions = {}): DocumentReader {
  const bounds = { ...usualReaderBounds, ...own }
  let thread: Worker | null = null

  const started = (): Worker => {
    if (thread !== null) return thread
    const fresh = new Worker(url, { name: 'knowledge', execArgv: [], resourceLimits: { maxOldGenerationSizeMb: bounds.heapMb } })
    // The service may end while the thread idles.
    fresh.unref()
    const forget = (): void => {
      if (thread === fresh) thread = null
    }
    fresh.on('error', forget).on('exit', forget)
    thread = fresh
    return fresh
  }
  const end = async (): Promise<void> => {
    const ending = thread
    thread = null
    await ending?.terminate()
  }

  return {
    async read(path, name, { signal, onProgress, knownHash }) {
      signal.throwIfAborted()
      const worker = started()
      const { promise, resolve, reject } = Promise.withResolvers<ReadResult>()
      const startedAt = performance.now()
      const memoryAtStart = process.memoryUsage.rss()
      let heardAt = startedAt
      const stopped = (reason: string): void => resolve({ kind: 'unreadable', hash: null, reason })
      const onAbort = (): void => reject(new CopilotError('cancelled', 'Stopped.'))
      const onMessage = (message: FromReader): void => {
        heardAt = performance.now()
        if (message.kind === 'progress') onProgress(message.done, message.total)
        else resolve(message)
      }
      const onError = (error: Error & { readonly code?: string }): void =>
        stopped(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? reasons.large : reasons.died)
      const onExit = (): void => stopped(reasons.died)
      const watch = setInterval(() => {
        const now = performance.now()
        if (now - heardAt > bounds.quietMs || now - startedAt > bounds.longestMs) stopped(reasons.slow)
        else if (process.memoryUsage.rss() - memoryAtStart > bounds.growthMb * MEGABYTE) stopped(reasons.large)
      }, LOOK_EVERY_MS)
      signal.addEventListener('abort', onAbort, { once: true })
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      let isDone = false
      try {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage({ path, name, knownHash, mostBytes: bounds.mostBytes })
        const result = await promise
        isDone = result.kind !== 'unreadable' || result.hash !== null
        return result
      } finally {
        clearInterval(watch)
        signal.removeEventListener('abort', onAbort)
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        // What was stopped may go on in there for ever.
        if (!isDone) await end()
      }
    },
    rest: end
  }
}

/** In the sources beside this file, in the bundle an entry of its own, at most one folder up. */
function workerFile(from: string): URL {
  const names = from.endsWith('.ts') ? ['./worker.ts'] : ['./knowledgeWorker.js', '../knowledgeWorker.js']
  const found = names.map((name) => new URL(name, from)).find((candidate) => existsSync(candidate))
  if (found === undefined) throw new Error('knowledgeWorker.js is missing from this build')
  return found
}
