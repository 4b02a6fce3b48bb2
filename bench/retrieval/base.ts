// A store of its own with the pack and the labelled documents in it, read as the service reads them.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createThreadReader } from '../../src/service/knowledge/documentReader.thread.ts'
import { createSqliteDocuments } from '../../src/service/knowledge/documents.sqlite.ts'
import { ingest } from '../../src/service/knowledge/ingest.ts'
import { createSqliteKnowledge } from '../../src/service/knowledge/knowledge.sqlite.ts'
import { createLibrary } from '../../src/service/knowledge/library.ts'
import { openStore, type Store } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import { documentsFolder } from './labelledSet.ts'

export const organisation = 'default'

export interface LabelledBase extends AsyncDisposable {
  readonly store: Store
  /** Goes away with it. */
  readonly folder: string
}

/** Throws when anything of it could not be read: figures over half a base would be wrong. */
export async function openLabelledBase(signal: AbortSignal): Promise<LabelledBase> {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'aside-retrieval-'))
  opened.defer(() => rm(folder, { recursive: true, force: true }))
  const store = await openStore({ dataDir: folder, clock: systemClock })
  opened.defer(() => store.stop())
  const pack = await ingest('resources/knowledge', createSqliteKnowledge(store), signal)
  const library = createLibrary({
    documents: createSqliteDocuments(store),
    reader: createThreadReader(),
    inbox: join(folder, 'inbox'),
    folder: documentsFolder,
    folderOrganisation: organisation,
    clock: systemClock,
    newId: randomUUID,
    audit: { record: () => Promise.resolve() },
    onFault: (error) => {
      throw error
    }
  })
  opened.defer(() => library.stop())
  const documents = await library.refresh(signal)
  const problems = [...pack.problems, ...documents.problems]
  if (problems.length > 0 || pack.added === 0 || documents.added === 0) throw new Error(`The labelled base could not be read: ${problems.join('; ')}`)
  const parts = opened.move()
  return { store, folder, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}
