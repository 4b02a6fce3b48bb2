// Threads that do one long piece of work beside the main thread: where their code lies, and how their errors come home.
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { CopilotError, toCopilotError, type WireError } from '../shared/errors.ts'

/** An error and, for a bug, where it was: a thread of this process may tell its stack. */
export interface ThreadError {
  readonly wire: WireError
  readonly bug: string | null
}

export function threadError(error: unknown): ThreadError {
  const known = toCopilotError(error)
  return { wire: known.toWire(), bug: known.code === 'internal' && error instanceof Error ? (error.stack ?? error.message) : null }
}

export function errorOfThread({ wire, bug }: ThreadError): CopilotError {
  const { code, message, ...options } = wire
  return new CopilotError(code, message, bug === null ? options : { ...options, cause: new Error(bug) })
}

/**
 * The file of a thread: in the sources beside the module that names it, in the bundle an entry of its own, at most one
 * folder up. `from`: that module's `import.meta.url`.
 */
export function threadFile(from: string, source: string, bundled: string): URL {
  const names = from.endsWith('.ts') ? [source] : [`./${bundled}`, `../${bundled}`]
  const found = names.map((name) => new URL(name, from)).find((url) => existsSync(url))
  if (found === undefined) throw new Error(`${bundled} is missing from this build`)
  return found
}

export interface ThreadOptions<Out> {
  readonly name: string
  readonly url: URL
  readonly data: unknown
  readonly signal: AbortSignal
  /** Hears each message; what it throws or rejects with ends the thread, and with it the work. */
  readonly onMessage: (message: Out, thread: Worker) => Promise<void> | void
  /** For people, when the thread died of too much to hold. */
  readonly tooLarge: string
}

/** Beyond this the thread ends, not the app. */
const MAX_HEAP_MB = 1_024

/** Runs a thread to its end. Rejects with `cancelled` as soon as the signal aborts: the thread is ended, wherever it is. */
export async function runThread<Out>({ name, url, data, signal, onMessage, tooLarge }: ThreadOptions<Out>): Promise<void> {
  signal.throwIfAborted()
  const thread = new Worker(url, { workerData: data, name, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } })
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const onAbort = (): void => reject(new CopilotError('cancelled', 'Stopped.'))
  signal.addEventListener('abort', onAbort, { once: true })
  let handled: Promise<void> = Promise.resolve()
  thread.on('message', (message: Out) => {
    handled = handled.then(() => onMessage(message, thread))
    handled.catch(reject)
  })
  thread.on('error', (error: Error & { readonly code?: string }) => {
    reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? new CopilotError('invalid_request', tooLarge, { cause: error }) : error)
  })
  thread.on('exit', () => {
    // What it said last is dealt with first.
    handled.then(() => resolve(undefined), reject)
  })
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
    await thread.terminate()
  }
}
