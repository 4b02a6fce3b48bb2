// The history on one encrypted SQLite file, at once: what the history's worker runs, and the command line's tools.
import type { Counts } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { isTerminal } from '../../shared/turn.ts'
import { createBallast } from './sqlite/ballast.ts'
import { openConnection, statementsOf, type Connection } from './sqlite/connection.ts'
import type { Core } from './sqlite/core.ts'
import { createDrafts } from './sqlite/drafts.ts'
import { createFacts } from './sqlite/facts.ts'
import { createExportPages } from './sqlite/exportPages.ts'
import { asStorageError, storageFailure } from './sqlite/failures.ts'
import { historyFiles, type HistoryFiles } from './sqlite/files.ts'
import { createImports } from './sqlite/imports.ts'
import { createJournal, readJournal, replayJournal } from './sqlite/journal.ts'
import { createLedger } from './sqlite/ledger.ts'
import { createMessages } from './sqlite/messages.ts'
import { openDatabase, withRoom, type OpenedDatabase, type OpenOptions } from './sqlite/opening.ts'
import { pageWalk } from './sqlite/migrate.ts'
import { createOutbox } from './sqlite/outbox.ts'
import { createPurge } from './sqlite/purge.ts'
import { createSearchIndex } from './sqlite/searchIndex.ts'
import { createSearchScan } from './sqlite/searchScan.ts'
import { createSessions } from './sqlite/sessions.ts'
import { createTurns } from './sqlite/turns.ts'
import { createUpkeep } from './sqlite/upkeep.ts'
import type { Steps } from './steps.ts'
import type { HistoryStore, StoreOpened } from './store.ts'

export interface SqliteOptions {
  readonly dataDir: string
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly clock: Clock
}

/**
 * The one store that writes. Takes the folder's lock, so a second one is refused.
 * @throws CopilotError `unavailable` when there is no room or no right to write, `conflict` when it is in use or newer.
 */
export function openStore(options: OpenOptions): StoreOpened {
  const opened = openDatabase(options)
  const store = createStore({ ...opened, options: { ...options, key: opened.key }, close: () => checkpointAndClose(opened) })
  return { store, incident: opened.incident, key: opened.key }
}

/** A store that only reads, beside the one that writes. Its writing calls are refused. */
export function openReadingStore(options: SqliteOptions): HistoryStore {
  const files = historyFiles(options.dataDir)
  try {
    const db = openConnection(files.database, options.key, { readonly: true, fileMustExist: true })
    return createStore({ db, files, options, close: () => void db.close() })
  } catch (error) {
    throw asStorageError(error, options.dataDir)
  }
}

function checkpointAndClose(opened: OpenedDatabase): void {
  try {
    opened.db.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    // Without room the log stays where it is: what it holds is durable, and the next start reads it.
    if (storageFailure(error) !== 'full') throw asStorageError(error, opened.files.dataDir)
  } finally {
    opened.close()
  }
}

interface StoreParts {
  readonly db: Connection
  readonly files: HistoryFiles
  readonly options: SqliteOptions & Pick<OpenOptions, 'otherKeys'>
  readonly afterCrash?: boolean
  readonly close: () => void
}

function createStore({ db, files, options, afterCrash = false, close }: StoreParts): HistoryStore {
  const { dataDir, clock } = options
  const ballast = createBallast(dataDir)
  const sql = statementsOf(db)
  const upkeep = createUpkeep(db, sql, ballast)
  const core: Core = { db, sql, now: () => clock.now(), index: createSearchIndex(db, sql, (table) => upkeep.grown(table)) }
  const sessions = createSessions(core)
  const messages = createMessages(core, sessions)
  const outbox = createOutbox(core)
  const ledger = createLedger(core)
  const drafts = createDrafts(core)
  const facts = createFacts(core)
  const purge = createPurge(core, messages)
  const journal = createJournal(dataDir, options.key, sql)
  const turns = createTurns(core, { sessions, messages, outbox, ledger, drafts })
  const scan = createSearchScan(db, sql, { now: core.now })
  const inOneTransaction = db.transaction((action: () => unknown) => action())

  function translated(error: unknown): unknown {
    // The next start shall look at every page, and set the file aside if it finds more than a passing trouble.
    if (storageFailure(error) === 'damaged') files.markSuspect()
    return asStorageError(error, dataDir)
  }

  function read<T>(action: () => T): T {
    try {
      // Several statements of one call see one state of the database.
      return inOneTransaction.deferred(action) as T
    } catch (error) {
      throw translated(error)
    }
  }

  /** A second copy of what became of a turn. */
  function noted<T>(turnId: string, result: T): T {
    journal.note(turnId)
    return result
  }

  function write<T>(action: () => T): T {
    if (db.readonly) throw new CopilotError('internal', 'This store only reads.')
    try {
      const result = withRoom(makeRoom, () => inOneTransaction.immediate(action) as T)
      upkeep.written()
      return result
    } catch (error) {
      upkeep.rolledBack()
      throw translated(error)
    }
  }

  /** Gives back the ballast, with which the log may be moved into the database, whose place it can then take again. */
  function makeRoom(): void {
    ballast.release()
    try {
      db.pragma('wal_checkpoint(RESTART)')
    } catch (error) {
      if (storageFailure(error) !== 'full') throw error
    }
  }

  /** One slice of what nobody asked for; true when there is more. */
  function slice(work: () => boolean): boolean {
    try {
      return work()
    } catch (error) {
      // Nobody asked for it and nothing is lost: the next call meets the same trouble and tells of it.
      if (storageFailure(error) === null) throw error
      translated(error)
      return false
    }
  }

  /** After a recovery the index is empty: it is filled in the moments between calls. */
  function indexMore(): boolean {
    const from = facts.get('index_from')
    if (from === null) return false
    return write(() => {
      const behind = sql<number>("SELECT position FROM messages WHERE position > ? AND indexed_length = 0 AND text <> '' ORDER BY position LIMIT 20")
      const positions = behind.pluck().all(Number(from))
      for (const position of positions) messages.reindex(position)
      facts.set('index_from', positions.length === 0 ? null : String(positions.at(-1)))
      return true
    })
  }

  function* inSteps<T>(steps: Steps<T>): Steps<T> {
    try {
      return yield* steps
    } catch (error) {
      throw translated(error)
    }
  }

  /** A purge, and what makes sure that nothing remembers: not done for nothing. */
  function* purging(steps: Steps<Counts>): Steps<Counts> {
    const counts = yield* steps
    if (counts.messages + counts.sessions > 0) {
      files.removeCopies('kept')
      journal.forget()
      yield* purge.rewrite(write)
    }
    return counts
  }
  const pages = createExportPages(core)
  const imports = createImports(core, { messages, write, upkeep: () => slice(upkeep.tend) })

  function putBackNoted(): void {
    const entries = readJournal(dataDir, [options.key, ...(options.otherKeys ?? [])])
    if (entries.length === 0) return
    const added = write(() => replayJournal(sql, entries, clock.now()))
    if (added > 0) write(() => facts.set('index_from', '0'))
  }

  if (afterCrash) putBackNoted()
  if (!db.readonly) write(() => turns.indexUnended())

  return {
    createSession: (session) => write(() => sessions.create(session)),
    updateSession: (id, change, at) => write(() => sessions.update(id, change, at)),
    removeSession: (id) => write(() => sessions.remove(id)),
    session: (id) => read(() => sessions.get(id)),
    listSessions: (filter) => read(() => sessions.list(filter)),
    accept: (input) =>
      noted(
        input.question.turnId,
        write(() => turns.accept(input))
      ),
    question: (turnId) => read(() => turns.question(turnId)),
    editQuestion: (messageId, change) =>
      noted(
        change.turnId,
        write(() => turns.edit(messageId, change))
      ),
    outbox: () => read(() => outbox.open()),
    outboxRow: (turnId) => read(() => outbox.row(turnId)),
    changeOutbox: (turnId, change) =>
      write(() => {
        const { position } = outbox.change(turnId, change)
        return messages.at(position)
      }),
    waitingCount: () => read(() => outbox.waitingCount()),
    saveEvents(turnId, events) {
      const saved = write(() => turns.saveEvents(turnId, events))
      return events.some(isTerminal) ? noted(turnId, saved) : saved
    },
    message: (id) => read(() => messages.byId(id)),
    page: (request) => read(() => messages.page(request)),
    search: (query) => inSteps(scan.search(query)),
    usage: (range) => inSteps(ledger.report(range)),
    keepDraft: (place, draft) => write(() => drafts.keep(place, draft)),
    drafts: () => read(() => drafts.all()),
    setRetention: (clientName, days) => write(() => purge.setRule(clientName, days)),
    applyRetention: () => inSteps(purging(purge.applyRules(write))),
    purgePreview: (scope) => read(() => purge.preview(scope)),
    unendedTurns: (scope) => read(() => purge.unended(scope)),
    purge: (scope) => inSteps(purging(purge.run(scope, write))),
    checkPages: () => inSteps(pageWalk(() => openConnection(files.database, options.key, { readonly: true, fileMustExist: true }))),
    status: () =>
      read(() => ({
        sizeBytes: files.sizeWithLog(),
        sessions: sql<number>('SELECT count(*) FROM sessions').pluck().get() ?? 0,
        messages: sql<number>('SELECT count(*) FROM messages').pluck().get() ?? 0,
        lastBackupAt: facts.eventAt('backup'),
        lastCheckAt: facts.eventAt('check'),
        retention: purge.rules()
      })),
    copyBegins: () => journal.copyBegins(),
    copyMade: () => journal.copyMade(),
    noteEvent: (event, at) => write(() => facts.noteEvent(event, at)),
    eventAt: (event) => read(() => facts.eventAt(event)),
    exportPage: (request) => read(() => pages.page(request)),
    exportSize: (scope) => read(() => pages.size(scope)),
    knownSessions: (ids) => read(() => imports.known(ids)),
    beginImport: () => inSteps(imports.begin()),
    importRecords: (records) => inSteps(imports.add(records)),
    finishImport: () => imports.finish(),
    dropImport: () => inSteps(imports.drop()),
    indexImported: () => inSteps(imports.index()),
    tend: () => slice(() => (db.readonly ? scan.warm() : indexMore() || upkeep.tend() || imports.tend())),
    close() {
      journal.close()
      close()
    }
  }
}
