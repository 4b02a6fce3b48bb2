// The history off the main thread: one worker writes, another reads beside it, so that a search never delays a commit
// nor a commit a search, and the main event loop waits for neither.
import { existsSync } from 'node:fs'
import type { MessagePage, SearchResult, Session, UsageReport } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { History, HistoryOpened } from './history.ts'
import type { HistoryCall, WorkerRole } from './protocol.ts'
import { startWorker, type WorkerPort } from './workerPort.ts'

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

interface Pair {
  readonly writer: WorkerPort
  readonly reader: WorkerPort
  readonly incident: string | null
}

/**
 * Opens or makes the history in a folder. Whoever opens it closes it.
 * @throws CopilotError `unavailable` (no room, no rights), `conflict` (another process has it, or a newer Aside made it).
 */
export async function openHistory(options: OpenHistoryOptions): Promise<HistoryOpened> {
  const { clock } = options
  const url = options.workerUrl ?? workerFile()
  let closing: Promise<void> | null = null
  let restartedAt: number | null = null

  async function openPair(): Promise<Pair> {
    let state: 'opening' | 'open' | 'lost' = 'opening'
    const onLost = (): void => {
      const wasOpen = state === 'open'
      state = 'lost'
      if (wasOpen) restart(stop)
    }
    const begin = (role: WorkerRole): WorkerPort => startWorker(url, { role, dataDir: options.dataDir, key: options.key }, onLost)
    // Both load their code at once; the reader opens when the writer has made or repaired what there is to read.
    const [writer, reader] = [begin('writer'), begin('reader')]
    const stop = async (): Promise<void> => {
      await reader.terminate()
      await writer.terminate()
    }
    const isLost = (): boolean => state === 'lost'
    try {
      const incident = await writer.open(clock.now())
      await reader.open(clock.now())
      if (isLost()) throw new CopilotError('unavailable', DOWN)
      state = 'open'
      return { writer, reader, incident }
    } catch (error) {
      await stop()
      throw error
    }
  }

  /** One of the two died: both are replaced, since the database may have been set aside. */
  function restart(stop: () => Promise<void>): void {
    if (closing !== null) return
    const again = restartedAt === null || clock.now() - restartedAt > RESTART_ONCE_WITHIN_MS
    restartedAt = clock.now()
    current = stop().then(async () => {
      if (!again) throw new CopilotError('unavailable', DOWN)
      const pair = await openPair()
      if (pair.incident !== null) options.onIncident?.(pair.incident)
      return pair
    })
    // Every call that comes meets the failure; here it only must not count as unhandled.
    current.catch(() => undefined)
  }

  let current = openPair()
  const { incident } = await current

  async function call<T>(role: WorkerRole, name: HistoryCall, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    if (closing !== null) throw new CopilotError('unavailable', CLOSED)
    const pair = await current
    return (await pair[role].call(name, args, clock.now(), signal)) as T
  }

  const write = <T>(name: HistoryCall, ...args: readonly unknown[]): Promise<T> => call<T>('writer', name, args)
  const read = <T>(name: HistoryCall, ...args: readonly unknown[]): Promise<T> => call<T>('reader', name, args)

  async function closePair(): Promise<void> {
    const pair = await current.catch(() => null)
    // The reader first: the last one to close empties the log into the database.
    try {
      await pair?.reader.close()
    } finally {
      await pair?.writer.close()
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
    status: () => read('status'),
    noteEvent: (event, at) => write('noteEvent', event, at),
    eventAt: (event) => read('eventAt', event),
    close: () => (closing ??= closePair())
  }
  return { history, incident }
}

/** In the sources the worker is beside this file; in the bundle it is an entry of its own, at most one folder up. */
function workerFile(): URL {
  const names = import.meta.url.endsWith('.ts') ? ['./worker.ts'] : ['./historyWorker.js', '../historyWorker.js']
  const found = names.map((name) => new URL(name, import.meta.url)).find((url) => existsSync(url))
  if (found === undefined) throw new Error('The history worker is missing from this build')
  return found
}
