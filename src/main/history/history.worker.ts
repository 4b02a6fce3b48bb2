// The history off the main thread: one worker writes, another reads beside it, so that a search never delays a commit
// nor a commit a search, and the main event loop waits for neither.
import { existsSync } from 'node:fs'
import type { MessagePage, SearchResult, Session, UsageReport } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { ExportPage } from './bulk.ts'
import type { History, HistoryOpened } from './history.ts'
import type { HistoryCall, WorkerRole } from './protocol.ts'
import type { Exchange, HistoryRuntime } from './runtime.ts'
import type { Replacement } from './sqlite/opening.ts'
import { runTask, startWorker, type WorkerPort } from './workerPort.ts'

export interface OpenHistoryOptions {
  readonly dataDir: string
  /** 32 bytes, see key.ts. */
  readonly key: Uint8Array
  readonly clock: Clock
  /** Told when the history had to be opened again after a worker died, and could not be opened as it was. */
  readonly onIncident?: (incident: string) => void
  /** The worker's file, where it is not beside this one. */
  readonly workerUrl?: URL
}

/** A worker that dies again within this time is not started again: it would go on dying. */
const RESTART_ONCE_WITHIN_MS = 60_000
const DOWN = 'The history does not run. What was saved is safe; restart Aside.'
const CLOSED = 'The history is closed.'
const LOCKED = 'Unlock the history first.'

interface Pair {
  readonly writer: WorkerPort
  readonly reader: WorkerPort
  /** The key that fits. */
  readonly key: Uint8Array
  readonly incident: string | null
}

/**
 * Opens or makes the history in a folder. Whoever opens it closes it.
 * @throws CopilotError `unavailable` (no room, no rights), `conflict` (another process has it, or a newer Aside made it).
 */
export async function openHistory(options: OpenHistoryOptions): Promise<HistoryOpened> {
  const runtime = createHistoryRuntime(options)
  const { incident } = await runtime.open([options.key])
  return { history: runtime.history, incident }
}

export function createHistoryRuntime(options: Omit<OpenHistoryOptions, 'key'>): HistoryRuntime {
  const { clock, dataDir } = options
  const url = options.workerUrl ?? workerFile()
  let closing: Promise<void> | null = null
  let restartedAt: number | null = null
  let keys: readonly Uint8Array[] = []
  /** The history may be used by many; what is done to the whole of it is done by one after the other. */
  let exclusive: Promise<unknown> = Promise.resolve()

  async function openPair(replacement?: Replacement): Promise<Pair> {
    let state: 'opening' | 'open' | 'lost' = 'opening'
    const onLost = (): void => {
      const wasOpen = state === 'open'
      state = 'lost'
      if (wasOpen) restart(stop)
    }
    const begin = (role: WorkerRole): WorkerPort => startWorker(url, { role, dataDir }, onLost)
    // Both load their code at once; the reader opens when the writer has made or repaired what there is to read.
    const [writer, reader] = [begin('writer'), begin('reader')]
    const stop = async (): Promise<void> => {
      await reader.terminate()
      await writer.terminate()
    }
    const isLost = (): boolean => state === 'lost'
    try {
      const { incident, key } = await writer.open(clock.now(), { keys, ...(replacement === undefined ? {} : { replacement }) })
      await reader.open(clock.now(), { keys: [key] })
      if (isLost()) throw new CopilotError('unavailable', DOWN)
      state = 'open'
      return { writer, reader, key, incident }
    } catch (error) {
      await stop()
      throw error
    }
  }

  /** One of the two died, or met damage: both are replaced, since the database may have to be set aside. */
  function restart(stop: () => Promise<void>): void {
    if (closing !== null) return
    const again = restartedAt === null || clock.now() - restartedAt > RESTART_ONCE_WITHIN_MS
    restartedAt = clock.now()
    void become(
      stop().then(async () => {
        if (!again) throw new CopilotError('unavailable', DOWN)
        const pair = await openPair()
        if (pair.incident !== null) options.onIncident?.(pair.incident)
        return pair
      })
    )
  }

  function become(next: Promise<Pair>): Promise<Pair> {
    current = next
    // Every call that comes meets the failure; here it only must not count as unhandled.
    next.catch(() => undefined)
    return next
  }

  let current: Promise<Pair> = Promise.reject(new CopilotError('unavailable', LOCKED))
  current.catch(() => undefined)

  async function call<T>(role: WorkerRole, name: HistoryCall, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    if (closing !== null) throw new CopilotError('unavailable', CLOSED)
    const opening = current
    const pair = await opening
    try {
      return (await pair[role].call(name, args, clock.now(), signal)) as T
    } catch (error) {
      if (!isDamage(error)) throw error
      // Nothing of this call was done. The damaged file is set aside, what can be read is recovered, and the call made again.
      if (current === opening) restart(() => closeGently(pair))
      return (await (await current)[role].call(name, args, clock.now(), signal)) as T
    }
  }

  const write = <T>(name: HistoryCall, ...args: readonly unknown[]): Promise<T> => call<T>('writer', name, args)
  const read = <T>(name: HistoryCall, ...args: readonly unknown[]): Promise<T> => call<T>('reader', name, args)

  async function closePair(pair: Pair): Promise<void> {
    // The reader first: the last one to close empties the log into the database.
    try {
      await pair.reader.close()
    } finally {
      await pair.writer.close()
    }
  }

  /** A damaged database may not even close. */
  async function closeGently(pair: Pair): Promise<void> {
    try {
      await closePair(pair)
    } catch (error) {
      if (!(error instanceof CopilotError)) throw error
      await Promise.all([pair.reader.terminate(), pair.writer.terminate()])
    }
  }

  async function closeAll(): Promise<void> {
    await exclusive
    const pair = await current.catch(() => null)
    if (pair !== null) await closePair(pair)
  }

  async function replaceUnder<T>(work: () => Promise<Exchange<T>>): Promise<T> {
    const pair = await current
    const { promise, resolve, reject } = Promise.withResolvers<Pair>()
    void become(promise)
    try {
      await closePair(pair)
      const exchange = await work()
      if (exchange.keys !== undefined) keys = exchange.keys
      resolve(await openPair(exchange.replacement))
      return exchange.value
    } catch (error) {
      try {
        resolve(await openPair())
      } catch (second) {
        reject(second)
      }
      throw error
    }
  }

  const history: History = {
    createSession: (session) => write('createSession', session),
    updateSession: (id, change, at) => write('updateSession', id, change, at),
    removeSession: (id) => write('removeSession', id),
    session: (id) => read<Session | null>('session', id),
    listSessions: (filter) => read('listSessions', filter),
    accept: (input) => write('accept', input),
    question: (turnId) => read('question', turnId),
    editQuestion: (messageId, change) => write('editQuestion', messageId, change),
    outbox: () => read('outbox'),
    outboxRow: (turnId) => read('outboxRow', turnId),
    changeOutbox: (turnId, change) => write('changeOutbox', turnId, change),
    waitingCount: () => read('waitingCount'),
    saveEvents: (turnId, events) => write('saveEvents', turnId, events),
    message: (id) => read('message', id),
    page: (request) => read<MessagePage>('page', request),
    search: (query, signal) => call<SearchResult>('reader', 'search', [query], signal),
    usage: (range) => read<UsageReport>('usage', range),
    keepDraft: (place, draft) => write('keepDraft', place, draft),
    drafts: () => read('drafts'),
    setRetention: (clientName, days) => write('setRetention', clientName, days),
    applyRetention: () => write('applyRetention'),
    purgePreview: (scope) => read('purgePreview', scope),
    unendedTurns: (scope) => read('unendedTurns', scope),
    purge: (scope) => write('purge', scope),
    checkPages: (signal) => call<null>('reader', 'checkPages', [], signal),
    status: () => read('status'),
    copyBegins: () => write('copyBegins'),
    copyMade: () => write('copyMade'),
    noteEvent: (event, at) => write('noteEvent', event, at),
    eventAt: (event) => read('eventAt', event),
    exportPage: (request) => read<ExportPage>('exportPage', request),
    exportSize: (scope) => read('exportSize', scope),
    knownSessions: (ids) => read('knownSessions', ids),
    beginImport: () => write('beginImport'),
    importRecords: (records) => write('importRecords', records),
    finishImport: () => write('finishImport'),
    dropImport: () => write('dropImport'),
    indexImported: () => write('indexImported'),
    close: () => (closing ??= closeAll())
  }

  return {
    history,
    async open(withKeys) {
      keys = withKeys
      const { incident, key } = await become(openPair())
      keys = [key, ...withKeys.filter((other) => other !== key && !Buffer.from(other).equals(key))]
      return { incident, key }
    },
    exclusively(work) {
      const turn = exclusive.then(() => {
        if (closing !== null) throw new CopilotError('unavailable', CLOSED)
        return replaceUnder(work)
      })
      exclusive = turn.catch(() => undefined)
      return turn
    },
    runTask: (task, signal, progress) => runTask({ url, start: { role: 'task', dataDir, now: clock.now(), task }, signal, progress })
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof CopilotError && error.details?.['storage'] === 'damaged'
}

/** In the sources the worker is beside this file; in the bundle it is an entry of its own, at most one folder up. */
function workerFile(): URL {
  const names = import.meta.url.endsWith('.ts') ? ['./worker.ts'] : ['./historyWorker.js', '../historyWorker.js']
  const found = names.map((name) => new URL(name, import.meta.url)).find((url) => existsSync(url))
  if (found === undefined) throw new Error('The history worker is missing from this build')
  return found
}
