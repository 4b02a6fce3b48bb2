// The knowledge of the service put together: the pack that ships with it, and the library of clients' documents.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { ServiceConfig } from '../config.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { Resources } from '../resources.ts'
import { createThreadReader } from './documentReader.thread.ts'
import type { Documents } from './documents.ts'
import { ingest } from './ingest.ts'
import type { KnowledgeIndex } from './knowledge.ts'
import { createLibrary, type Library } from './library.ts'
import { startRefreshing, type Refreshing } from './refreshing.ts'

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
  readonly audit: Audit
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
}

/** The documents of clients: read beside the answers, so that nothing waits for them. */
export async function openLibrary(
  { config, documents, audit, clock, newId, logger }: LibraryParts,
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
