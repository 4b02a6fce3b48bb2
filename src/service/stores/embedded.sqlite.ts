// The stores of a service that runs alone: one encrypted SQLite file in its data folder.
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import { createSqliteOutbox } from '../actions/outbox.sqlite.ts'
import { createSqliteWorklist } from '../actions/worklist.sqlite.ts'
import { createSqliteConversation } from '../agent/conversation.sqlite.ts'
import { openAudit } from '../audit/audit.sqlite.ts'
import { createSqliteLedger } from '../cost/ledger.sqlite.ts'
import { createSqliteDecisions, createSqliteMessageModels } from '../decisions/decisions.sqlite.ts'
import { createSqliteExternalEvents } from '../events/externalEvents.sqlite.ts'
import { createSqliteDocuments } from '../knowledge/documents.sqlite.ts'
import { createSqliteKnowledge } from '../knowledge/knowledge.sqlite.ts'
import type { Meaning } from '../knowledge/meaning.ts'
import { createSqliteAccounts, createSqliteOverrides } from '../limits/limits.sqlite.ts'
import { compactStore, createSqlitePersonalStores } from '../person/person.sqlite.ts'
import { createSqliteForgetting } from '../person/retention.sqlite.ts'
import { createSqliteSchedule } from '../schedule/schedule.sqlite.ts'
import { createSqliteSessions } from '../sessions/sessions.sqlite.ts'
import { openStore, type Store, type StoreOptions } from '../store/store.ts'
import { createSqliteTurnLog } from '../turns/turnLog.sqlite.ts'
import type { Stores } from './stores.ts'

export interface EmbeddedOptions extends StoreOptions {
  readonly clock: Clock
  readonly newId: NewId
  /** What finds passages of a store by meaning; null: words have to do. */
  readonly openMeaning: (store: Store) => Meaning | null
}

/** The caller stops them. Throws `CopilotError` with one sentence when the data folder can't be used. */
export async function openEmbeddedStores(options: EmbeddedOptions): Promise<Stores> {
  const { dataDir, clock, newId } = options
  const store = await openStore(options)
  const meaning = options.openMeaning(store)
  return {
    turnLog: createSqliteTurnLog(store),
    conversation: createSqliteConversation(store),
    sessions: createSqliteSessions(store),
    events: createSqliteExternalEvents(store),
    ledger: createSqliteLedger(store),
    accounts: createSqliteAccounts(store),
    overrides: createSqliteOverrides(store),
    schedule: createSqliteSchedule(store),
    worklist: createSqliteWorklist(store),
    outbox: createSqliteOutbox(store),
    models: createSqliteMessageModels(store),
    decisions: createSqliteDecisions(store),
    documents: createSqliteDocuments(store),
    knowledge: createSqliteKnowledge(store, meaning),
    meaning,
    personal: createSqlitePersonalStores(store, newId),
    forgetting: createSqliteForgetting(store),
    isShared: false,
    incident: store.incident,
    openAudit: (keys, onHeadFailed) => openAudit({ dataDir, keys, clock, onHeadFailed }),
    compact: () => compactStore(store),
    probe: store.probe,
    async stop() {
      await meaning?.stop()
      store.stop()
    }
  }
}
