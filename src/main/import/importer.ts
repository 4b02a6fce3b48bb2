// An import in two steps: a file is read and checked whole, a person looks at what it holds, and only then is it written.
import { basename } from 'node:path'
import type { Counts, ImportPreview } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { NewId } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { History } from '../history/history.ts'
import type { JobRun, Jobs } from '../jobs.ts'
import type { ImportReader } from './reader.ts'

export interface Importer {
  /** @throws CopilotError `invalid_request` and others with a sentence for people; nothing is in the history then. */
  read(path: string): Promise<ImportPreview>
  /** All of it or nothing. `clientName`: for the sessions that name no client. @throws CopilotError `not_found`, `conflict` */
  confirm(id: string, clientName: string): Promise<Counts>
  discard(id: string): void
}

export interface ImporterOptions {
  readonly history: History
  readonly jobs: Jobs
  readonly reader: ImportReader
  readonly newId: NewId
  /** The history holds more than before. */
  readonly onImported: () => void
}

interface Read {
  readonly path: string
  readonly sha256: string
}

/** Previews that a person may still confirm; older ones are forgotten. */
const KEPT = 8
/** Ids asked for at a time. */
const IDS_AT_ONCE = 2_000
const MAX_REMARKS = 20
/** Of the progress, what reading is; the rest is making it findable. */
const READING_SHARE = 0.5

export function createImporter({ history, jobs, reader, newId, onImported }: ImporterOptions): Importer {
  const previews = new Map<string, Read>()

  async function knownOf(ids: readonly string[]): Promise<number> {
    let known = 0
    for (let at = 0; at < ids.length; at += IDS_AT_ONCE) known += (await history.knownSessions(ids.slice(at, at + IDS_AT_ONCE))).length
    return known
  }

  async function look(path: string, fileName: string, run: JobRun): Promise<ImportPreview> {
    const reading = await reader.read(path, { signal: run.signal, onProgress: (done, total) => run.progress(done, total) })
    const known = await knownOf(reading.sessionIds)
    run.signal.throwIfAborted()
    const id = newId()
    previews.set(id, { path, sha256: reading.sha256 })
    for (const old of [...previews.keys()].slice(0, -KEPT)) previews.delete(old)
    const { source, sessions, messages, from, to, remarks } = reading
    return { id, fileName, source, sessions, messages, known, from, to, remarks: remarks.slice(0, MAX_REMARKS) }
  }

  async function write({ path, sha256 }: Read, clientName: string, run: JobRun): Promise<Counts> {
    let whole = 0
    await history.beginImport()
    let counts: Counts
    try {
      const reading = await reader.read(path, {
        signal: run.signal,
        onProgress: (done, total) => {
          whole = total
          run.progress(done * READING_SHARE, total)
        },
        clientName,
        onRecords: (records) => history.importRecords(records)
      })
      if (reading.sha256 !== sha256) {
        throw new CopilotError('conflict', 'The file is another one than when it was read. Nothing was imported; read it again.')
      }
      run.signal.throwIfAborted()
      counts = await history.finishImport()
    } catch (error) {
      // Whatever could not be removed now is removed with the next start, and is seen by nobody until then.
      await history.dropImport().catch(() => undefined)
      throw error
    }
    onImported()
    await makeFindable(whole, run)
    return counts
  }

  /** It is in the history now, and can no longer be stopped. */
  async function makeFindable(whole: number, run: JobRun): Promise<void> {
    let most = 0
    for (;;) {
      const left = await history.indexImported().catch(laterFound)
      most = Math.max(most, left)
      if (left === 0) return
      run.progress(whole * (1 - (left / most) * (1 - READING_SHARE)), whole, 'Making it searchable')
    }
  }

  return {
    read(path) {
      const fileName = shownName(path)
      return jobs.run('import', `Reading ${fileName}`, (run) => look(path, fileName, run))
    },
    async confirm(id, clientName) {
      const read = previews.get(id)
      if (read === undefined) throw new CopilotError('not_found', 'This file was not read, or too long ago. Nothing was imported; choose it again.')
      const counts = await jobs.run('import', `Importing ${shownName(read.path)}`, (run) => write(read, cleanText(clientName).trim(), run))
      previews.delete(id)
      return counts
    },
    discard: (id) => void previews.delete(id)
  }
}

function shownName(path: string): string {
  return cleanText(basename(path)).slice(0, 200)
}

function laterFound(error: unknown): never {
  throw new CopilotError('unavailable', 'Everything was imported, but search does not find all of it yet. Aside goes on with that by itself.', {
    cause: error
  })
}
