// Entry of a history worker: one thread, one connection, either the one that writes or one that only reads.
import { parentPort, workerData } from 'node:worker_threads'
import { CopilotError } from '../../shared/errors.ts'
import { openReadingStore, openStore } from './history.sqlite.ts'
import { crossed, type FromWorker, type OpenWith, type TaskStart, type ToWorker, type WorkerStart } from './protocol.ts'
import { stepBack } from './priority.ts'
import { doTask } from './tasks.ts'
import type { Steps } from './steps.ts'
import type { HistoryStore, LongCall } from './store.ts'

const port = parentPort
if (port === null) throw new Error('The history worker is started by its client, not by itself')

const start = workerData as WorkerStart
if (start.role === 'reader') stepBack()
let now = 0
const clock = { now: () => now }

/** Between two slices of upkeep, so that calls come first. */
const TEND_AFTER_MS = 2
/** A reader reads ahead once the start, which has better use for the processor, is over. */
const WARM_AFTER_MS = 1_500
const longCalls: ReadonlySet<string> = new Set<LongCall>([
  'search',
  'usage',
  'purge',
  'applyRetention',
  'checkPages',
  'beginImport',
  'importRecords',
  'dropImport',
  'indexImported'
])
const cancelled = new Set<number>()
const running = new Map<number, Promise<void>>()

function say(message: FromWorker): void {
  port?.postMessage(message)
}

/** A turn of the event loop, in which messages are read. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

async function runLong(id: number, steps: Steps<unknown>): Promise<void> {
  try {
    for (;;) {
      const step = steps.next()
      if (step.done === true) return say({ kind: 'value', id, value: step.value })
      await nextTurn()
      if (cancelled.has(id)) {
        steps.return(undefined)
        throw new CopilotError('cancelled', 'Stopped.')
      }
    }
  } catch (error) {
    say({ kind: 'error', id, error: crossed(error) })
  } finally {
    cancelled.delete(id)
    running.delete(id)
  }
}

let tending: NodeJS.Timeout | null = null
function tendSoon(store: HistoryStore, afterMs = TEND_AFTER_MS): void {
  if (tending !== null) return
  tending = setTimeout(() => {
    tending = null
    if (store.tend()) tendSoon(store)
  }, afterMs)
}

function answer(store: HistoryStore, message: Extract<ToWorker, { kind: 'call' }>): void {
  const { id, call, args } = message
  now = message.now
  try {
    const run = store[call] as (...args: readonly unknown[]) => unknown
    const result = run(...args)
    if (longCalls.has(call)) running.set(id, runLong(id, result as Steps<unknown>))
    else say({ kind: 'value', id, value: result })
    // A reader has nothing more to do once it has read ahead.
    if (start.role === 'writer') tendSoon(store)
  } catch (error) {
    say({ kind: 'error', id, error: crossed(error) })
  }
}

async function close(store: HistoryStore, id: number): Promise<void> {
  await Promise.all(running.values())
  try {
    store.close()
    say({ kind: 'value', id, value: null })
  } catch (error) {
    say({ kind: 'error', id, error: crossed(error) })
  }
  port?.close()
}

function open({ keys: [key, ...otherKeys], replacement }: OpenWith): HistoryStore | null {
  try {
    if (key === undefined) throw new Error('A history without a key')
    const options = { dataDir: start.dataDir, key, clock }
    const opened =
      start.role === 'writer'
        ? openStore({ ...options, otherKeys, ...(replacement === undefined ? {} : { replacement }) })
        : { store: openReadingStore(options), incident: null, key }
    const { store, incident } = opened
    say({ kind: 'opened', incident, key: opened.key })
    return store
  } catch (error) {
    say({ kind: 'refused', error: crossed(error) })
    port?.close()
    return null
  }
}

let store: HistoryStore | null = null

if ((workerData as WorkerStart | TaskStart).role === 'task') {
  doTask(workerData as TaskStart, (message) => port.postMessage(message))
} else {
  port.on('message', take)
}

function take(message: ToWorker): void {
  switch (message.kind) {
    case 'open':
      now = message.now
      store = open(message.with)
      if (store !== null) tendSoon(store, start.role === 'reader' ? WARM_AFTER_MS : TEND_AFTER_MS)
      return
    case 'call':
      if (store !== null) answer(store, message)
      return
    case 'cancel':
      // Too late for one that has answered.
      if (running.has(message.id)) cancelled.add(message.id)
      return
    case 'close':
      if (tending !== null) clearTimeout(tending)
      if (store !== null) void close(store, message.id)
  }
}
