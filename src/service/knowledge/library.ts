// The library: takes documents in from a folder and from callers, has them read one after the other, and tells how far that is.
import { rename, rm } from 'node:fs/promises'
import { CopilotError } from '../../shared/errors.ts'
import type { Audit } from '../audit/audit.ts'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import { clientKey } from './client.ts'
import type { DocumentReader } from './documentReader.ts'
import type { Documents, KeptDocument } from './documents.ts'
import { findFiles, isFileFault, type FoundFile, type FoundFiles } from './folder.ts'
import { arrivalPath, checkedClient, checkedName, removeArrivals, save, uploadPath } from './inbox.ts'
import { READER_VERSION } from './reading/readDocument.ts'

export interface DocumentState extends Omit<KeptDocument, 'stage' | 'hash'> {
  readonly state: KeptDocument['stage'] | 'reading'
  /** Of what is being read, in pages where it has them; total 0: not known. */
  readonly done: number
  readonly total: number
}

export interface Upload {
  readonly organisation: string
  /** Who brings it, for the audit log. */
  readonly actor: string
  /** Empty: for every client of the organisation. */
  readonly client: string
  readonly name: string
  readonly content: AsyncIterable<Uint8Array>
}

export type Removal = Pick<Upload, 'organisation' | 'actor'> & { readonly id: string }

export interface RefreshReport {
  readonly added: number
  readonly changed: number
  readonly removed: number
  readonly unchanged: number
  /** One line for each file that could not be read; its earlier version stays. */
  readonly problems: readonly string[]
}

export interface Library {
  /** Durable when it resolves; it is read afterwards. A document of the same name, client and organisation is replaced. */
  add(upload: Upload, signal: AbortSignal): Promise<DocumentState>
  list(organisation: string): Promise<readonly DocumentState[]>
  /** Ends its reading and takes it out. Throws `not_found`, and `conflict` for one that lies in the folder. */
  remove(order: Removal): Promise<void>
  /** Reads what is new or changed in the folder, and takes out what is gone; one at a time. Throws `not_found` when it was there and is no longer. */
  refresh(signal: AbortSignal): Promise<RefreshReport>
  /** Reads what a stop or a crash left unread. */
  resume(): Promise<void>
  /** Resolves once nothing waits to be read. */
  settled(): Promise<void>
  /** Ends what is being read; it is read after the next start. */
  stop(): Promise<void>
}

export interface LibraryOptions {
  readonly documents: Documents
  readonly reader: DocumentReader
  /** Where uploads lie until they are read. */
  readonly inbox: string
  /** Null: there is none. */
  readonly folder: string | null
  /** Whose the folder is. */
  readonly folderOrganisation: string
  readonly clock: Clock
  readonly newId: NewId
  readonly mostBytes?: number
  readonly audit: Pick<Audit, 'record'>
  /** Called when passages have come. */
  readonly onRead?: () => void
  /** Called when reading a document fails for a reason that is not the document's. */
  readonly onFault: (error: unknown) => void
}

interface Reading {
  readonly abort: AbortController
  done: number
  total: number
  isRunning: boolean
}

const MOST_BYTES = 50 * 1_048_576

export function createLibrary(options: LibraryOptions): Library {
  const { documents, reader, inbox, folder, folderOrganisation, clock, newId, mostBytes = MOST_BYTES, audit, onRead, onFault } = options
  const readings = new Map<string, Reading>()
  let queue: Promise<void> = Promise.resolve()
  let refreshing: Promise<unknown> = Promise.resolve()
  /** Under way or waiting. */
  let refreshes = 0
  let isStopped = false

  const stateOf = ({ stage, hash: _hash, ...document }: KeptDocument): DocumentState => {
    const reading = readings.get(document.id)
    const isReading = reading?.isRunning === true
    return { ...document, state: isReading ? 'reading' : stage, done: isReading ? reading.done : 0, total: isReading ? reading.total : 0 }
  }

  const readOne = async (document: KeptDocument, path: string, reading: Reading): Promise<void> => {
    const { id, name, hash } = document
    const { signal } = reading.abort
    if (signal.aborted) return
    reading.isRunning = true
    const result = await reader.read(path, name, {
      signal,
      knownHash: hash,
      onProgress(done, total) {
        reading.done = done
        reading.total = total
      }
    })
    switch (result.kind) {
      case 'same':
        return await documents.keep(id, document)
      case 'read':
        await documents.replace(id, { ...result, date: result.date ?? dayOf(document.modifiedAt) }, signal)
        return onRead?.()
      case 'unreadable': {
        const kept = document.passages > 0 ? ' Its earlier version is kept.' : ''
        return await documents.fail(id, [`${result.reason}${kept}`])
      }
    }
  }

  /** The thread and its memory go when nothing is left to read. */
  const restIfIdle = async (): Promise<void> => {
    if (readings.size === 0 && refreshes === 0) await reader.rest()
  }
  /** Resolves when it has been read, or was given up; never rejects. */
  const enqueue = (document: KeptDocument, path: string, outer?: AbortSignal): Promise<void> => {
    readings.get(document.id)?.abort.abort()
    const reading: Reading = { abort: new AbortController(), done: 0, total: 0, isRunning: false }
    readings.set(document.id, reading)
    const onAbort = (): void => reading.abort.abort()
    outer?.addEventListener('abort', onAbort, { once: true })
    if (isStopped || outer?.aborted === true) onAbort()
    const job = queue.then(async () => {
      try {
        await readOne(document, path, reading)
        if (document.origin === 'upload' && !reading.abort.signal.aborted) await rm(path, { force: true })
      } catch (error) {
        if (!reading.abort.signal.aborted) onFault(error)
      } finally {
        outer?.removeEventListener('abort', onAbort)
        if (readings.get(document.id) === reading) readings.delete(document.id)
        await restIfIdle()
      }
    })
    queue = job
    return job
  }

  const expectFile = (file: FoundFile): Promise<KeptDocument> =>
    documents.expect({
      id: newId(),
      organisation: folderOrganisation,
      client: file.client,
      origin: 'folder',
      name: file.name,
      sizeBytes: file.sizeBytes,
      modifiedAt: file.modifiedAt,
      addedAt: clock.now(),
      date: dayOf(file.modifiedAt)
    })

  const refresh = async (from: string, signal: AbortSignal): Promise<RefreshReport> => {
    const known = new Map((await documents.list(folderOrganisation)).filter(({ origin }) => origin === 'folder').map((kept) => [keyOf(kept), kept]))
    // Nobody has to have such a folder; one that was there and is gone is told.
    const { files, others, unlisted } = await findFiles(from, signal).catch((error: unknown) =>
      known.size === 0 ? nothingThere(error) : folderFault(error)
    )
    const problems = [
      ...others.map((name) => `${name}: documents of this kind can’t be read`),
      ...new Set(unlisted.map((client) => `${client === '' ? 'the folder' : client}: could not be listed as a whole; nothing was taken out`))
    ]
    const counts = { added: 0, changed: 0, removed: 0, unchanged: 0 }
    const seen = new Set<string>()
    for (const file of files) {
      signal.throwIfAborted()
      const key = keyOf(file)
      if (seen.has(key)) {
        problems.push(`${file.client}/${file.name}: another folder of this client has a file of the same name`)
        continue
      }
      seen.add(key)
      const before = known.get(key)
      if (before !== undefined && isSame(before, file)) {
        counts.unchanged += 1
        continue
      }
      await enqueue(await expectFile(file), file.path, signal)
      signal.throwIfAborted()
      const after = before === undefined ? undefined : await documents.get(before.id)
      if (before === undefined) counts.added += 1
      else if (after?.stage === 'ready' && after.hash === before.hash) counts.unchanged += 1
      else counts.changed += 1
    }
    const incomplete = new Set(unlisted.map(clientKey))
    for (const [key, { id, client }] of known) {
      if (seen.has(key) || incomplete.has(clientKey(client))) continue
      readings.get(id)?.abort.abort()
      await documents.remove(id)
      counts.removed += 1
    }
    for (const { origin, stage, client, name, remarks } of await documents.list(folderOrganisation)) {
      if (origin === 'folder' && stage === 'failed') problems.push(`${client === '' ? '' : `${client}/`}${name}: ${remarks.join(' ')}`)
    }
    return { ...counts, problems }
  }

  const refreshInTurn = async (from: string, signal: AbortSignal, before: Promise<unknown>): Promise<RefreshReport> => {
    await before
    try {
      return await refresh(from, signal)
    } finally {
      refreshes -= 1
      await restIfIdle()
    }
  }

  return {
    async add({ organisation, actor, client: rawClient, name: rawName, content }, signal) {
      const client = checkedClient(rawClient)
      const name = checkedName(rawName)
      if (isStopped)
        throw new CopilotError('unavailable', 'The service is stopping. Nothing was taken; add it again in a moment.', { retryAfterMs: 2_000 })
      const arriving = await arrivalPath(inbox, newId())
      try {
        const sizeBytes = await save(content, arriving, mostBytes, signal)
        const now = clock.now()
        const kept = await documents.expect({
          id: newId(),
          organisation,
          client,
          origin: 'upload',
          name,
          sizeBytes,
          modifiedAt: now,
          addedAt: now,
          date: dayOf(now)
        })
        const path = uploadPath(inbox, kept.id)
        await rename(arriving, path)
        await audit.record({ actor, action: 'document.added', subject: kept.id })
        void enqueue(kept, path)
        return stateOf(kept)
      } catch (error) {
        await rm(arriving, { force: true })
        throw error
      }
    },
    list: async (organisation) => (await documents.list(organisation)).map(stateOf),
    async remove({ organisation, actor, id }) {
      const document = await documents.get(id)
      if (document === null || document.organisation !== organisation) throw new CopilotError('not_found', 'There is no such document.')
      if (document.origin === 'folder') {
        throw new CopilotError('conflict', 'This document lies in the knowledge folder. Remove the file there; it leaves the index with it.')
      }
      readings.get(id)?.abort.abort()
      await documents.remove(id)
      await rm(uploadPath(inbox, id), { force: true })
      await audit.record({ actor, action: 'document.removed', subject: id })
    },
    refresh(signal) {
      if (folder === null) return Promise.resolve({ added: 0, changed: 0, removed: 0, unchanged: 0, problems: [] })
      refreshes += 1
      const next = refreshInTurn(folder, signal, refreshing)
      refreshing = next.catch(() => undefined)
      return next
    },
    async resume() {
      // What never arrived as a whole was never accepted.
      await removeArrivals(inbox)
      for (const document of await documents.waiting()) if (document.origin === 'upload') void enqueue(document, uploadPath(inbox, document.id))
    },
    async settled() {
      while (readings.size > 0) await queue
    },
    async stop() {
      isStopped = true
      for (const { abort } of readings.values()) abort.abort()
      await refreshing
      await queue
      await reader.rest()
    }
  }
}

function keyOf({ client, name }: { readonly client: string; readonly name: string }): string {
  return `${clientKey(client)}\n${name}`
}

/** A touched file may say what it said: its hash decides then. One that failed is tried again when it changes. */
function isSame(kept: KeptDocument, file: FoundFile): boolean {
  const isCurrent = kept.stage === 'failed' || (kept.stage === 'ready' && kept.hash?.startsWith(`${READER_VERSION}:`) === true)
  return isCurrent && kept.sizeBytes === file.sizeBytes && kept.modifiedAt === file.modifiedAt
}

function nothingThere(error: unknown): FoundFiles {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { files: [], others: [], unlisted: [] }
  return folderFault(error)
}

/** A folder that is not there, such as on a disk that is not: what was read from it stays. */
function folderFault(error: unknown): never {
  if (!isFileFault(error)) throw error
  throw new CopilotError('not_found', 'The knowledge folder could not be opened. What was read from it stays.', { cause: error })
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
