// The knowledge of the service put together: the pack that ships with it, and the library of clients' documents.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { ServiceConfig } from '../config.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { Resources } from '../resources.ts'
import type { Store } from '../store/store.ts'
import { createThreadReader } from './documentReader.thread.ts'
import type { Documents } from './documents.ts'
import { ingest } from './ingest.ts'
import type { KnowledgeIndex } from './knowledge.ts'
import { createLibrary, type Library } from './library.ts'
import { createMeaning, type Meaning } from './meaning.ts'
import { createThreadModel } from './model.thread.ts'
import { startRefreshing, type Refreshing } from './refreshing.ts'
import { createSqliteVectors } from './vectors.sqlite.ts'

/** What finds passages by meaning in a store; null where that is off. Nothing runs for it until somebody asks. The caller stops it. */
export function meaningOf({ config, logger }: Pick<LibraryParts, 'config' | 'logger'>): (store: Store) => Meaning | null {
  if (!config.embeddings) return () => null
  return (store) =>
    createMeaning({
      model: createThreadModel(),
      vectors: createSqliteVectors(store),
      onLeftToWords: (reason) => logger.debug({ reason }, 'knowledge.words'),
      onFault: (error) => logger.error(errorFields(error), 'knowledge.meaning.fault')
    })
}

/** Brings the pack into the index; only what changed is read. */
export async function learnPack(knowledge: KnowledgeIndex, resources: Resources | null, logger: Logger): Promise<void> {
  if (resources === null || !existsSync(resources.knowledge)) return
  const { problems, ...counts } = await ingest(resources.knowledge, knowledge, new AbortController().signal)
  logger.info(counts, 'knowledge.ingested')
  for (const problem of problems) logger.warn({ problem }, 'knowledge.problem')
}

export interface LibraryParts {
  readonly config: ServiceConfig
  readonly documents: Documents
  readonly meaning: Meaning | null
  readonly audit: Audit
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
}

/** The documents of clients: read beside the answers, so that nothing waits for them. */
export async function openLibrary(
  { config, documents, meaning, audit, clock, newId, logger }: LibraryParts,
  started: AsyncDisposableStack
): Promise<{ readonly library: Library; readonly refreshing: Refreshing }> {
  const { folder, organisation } = config.knowledge
  const onFault = (error: unknown): void => logger.error(errorFields(error), 'knowledge.fault')
  const library = createLibrary({
    documents,
    reader: createThreadReader(),
    inbox: join(config.dataDir, 'inbox'),
    folder,
    folderOrganisation: organisation,
    clock,
    newId,
    audit,
    onRead: () => meaning?.catchUp(),
    onFault
  })
  if (!existsSync(folder)) logger.info({}, 'knowledge.folder.none')
  started.defer(() => library.stop())
  await library.resume()
  const refreshing = startRefreshing(library, {
    onFault,
    // Names of clients and documents stay out of the log.
    onReport: ({ problems, ...counts }) => logger.info({ ...counts, problems: problems.length }, 'knowledge.refreshed')
  })
  started.defer(() => refreshing.stop())
  return { library, refreshing }
}
