// The stores of services that share a PostgreSQL. Beside it each has its own encrypted SQLite file, for what is its own: the words of the
// knowledge it has indexed, and, without Redis, the log of the turns it answers.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { CopilotError } from '../../shared/errors.ts'
import { openPostgresOutbox } from '../actions/outbox.postgres.ts'
import { createPostgresWorklist } from '../actions/worklist.postgres.ts'
import { createPostgresConversation } from '../agent/conversation.postgres.ts'
import { openPostgresAudit } from '../audit/audit.postgres.ts'
import type { SigningKeys } from '../auth/keys.ts'
import { createPostgresLedger } from '../cost/ledger.postgres.ts'
import { createPostgresDecisions, createPostgresMessageModels } from '../decisions/decisions.postgres.ts'
import { createPostgresExternalEvents } from '../events/externalEvents.postgres.ts'
import { createPostgresDocuments } from '../knowledge/documents.postgres.ts'
import { followKnowledge } from '../knowledge/knowledge.postgres.ts'
import { createSqliteDocuments } from '../knowledge/documents.sqlite.ts'
import { createSqliteKnowledge } from '../knowledge/knowledge.sqlite.ts'
import { createPostgresAccounts, createPostgresOverrides } from '../limits/limits.postgres.ts'
import { compactStore, createSqlitePersonalStores } from '../person/person.sqlite.ts'
import { createPostgresForgetting, createPostgresPersonalStores } from '../person/person.postgres.ts'
import { createPostgresSchedule } from '../schedule/schedule.postgres.ts'
import { createPostgresSessions } from '../sessions/sessions.postgres.ts'
import type { SessionKey } from '../sessions/sessions.ts'
import { openPostgres, type Postgres } from '../store/postgres.ts'
import { secretFile } from '../store/secretFile.ts'
import { openStore, type Store } from '../store/store.ts'
import { createSqliteTurnLog } from '../turns/turnLog.sqlite.ts'
import type { EmbeddedOptions } from './embedded.sqlite.ts'
import type { Stores } from './stores.ts'

export interface SharedOptions extends EmbeddedOptions {
  /** DATABASE_URL. */
  readonly url: string
  /** What goes wrong where nobody waits for it; told to the log. */
  readonly onFault: (error: unknown) => void
}

/** The caller stops them. Throws `CopilotError` with one sentence when the database or the data folder can't be used. */
export async function openSharedStores(options: SharedOptions): Promise<Stores> {
  const { dataDir, url, clock, newId, onFault } = options
  await using opened = new AsyncDisposableStack()
  // A folder of its own: what the service kept while it was alone stays as it is.
  const store = await openStore({ ...options, dataDir: join(dataDir, 'shared') })
  opened.defer(() => store.stop())
  // The data folder has one service at a time, and so has its name: what it held before a crash is its own again.
  const instance = await secretFile(join(dataDir, 'instance-id'), randomUUID)
  const postgres = await openPostgres({ url, instance, onFault })
  opened.defer(() => postgres.stop())
  const meaning = options.openMeaning(store)
  opened.defer(() => meaning?.stop())
  const index = createSqliteKnowledge(store, meaning)
  const following = followKnowledge({
    postgres,
    own: { knowledge: index, documents: createSqliteDocuments(store), hashes: hashesIn(store), onChanged: () => meaning?.catchUp() },
    clock,
    onFault
  })
  opened.defer(() => following.stop())
  const sessions = createPostgresSessions(postgres)
  const forgetTurns = turnsIn(store)
  const stores: Omit<Stores, 'stop'> = {
    turnLog: createSqliteTurnLog(store),
    conversation: createPostgresConversation(postgres),
    sessions: {
      ...sessions,
      async remove(key) {
        const isGone = await sessions.remove(key)
        await forgetTurns(key)
        return isGone
      }
    },
    events: createPostgresExternalEvents(postgres),
    ledger: createPostgresLedger(postgres),
    accounts: createPostgresAccounts(postgres),
    overrides: createPostgresOverrides(postgres),
    schedule: createPostgresSchedule(postgres),
    worklist: createPostgresWorklist(postgres),
    outbox: await openPostgresOutbox(postgres),
    models: createPostgresMessageModels(postgres),
    decisions: createPostgresDecisions(postgres),
    documents: createPostgresDocuments(postgres),
    knowledge: { ...index, find: following.find },
    meaning,
    personal: [...createSqlitePersonalStores(store, newId).filter(({ name }) => name === 'turns'), ...createPostgresPersonalStores(postgres, newId)],
    forgetting: createPostgresForgetting(postgres),
    isShared: true,
    incident: store.incident,
    async openAudit(keys, onHeadFailed) {
      await requireSameKey(postgres, keys)
      return await openPostgresAudit({ postgres, dataDir, keys, clock, onHeadFailed })
    },
    compact: () => compactStore(store),
    async probe() {
      await postgres.probe()
      await store.probe()
    }
  }
  const parts = opened.move()
  return { ...stores, stop: () => parts.disposeAsync() }
}

function hashesIn({ database }: Pick<Store, 'database'>): () => Promise<ReadonlyMap<string, string | null>> {
  const select = database.prepare<[], { id: string; hash: string | null }>('SELECT document_id AS id, hash FROM document')
  return async () => new Map(select.all().map(({ id, hash }) => [id, hash]))
}

function turnsIn({ database, writer }: Pick<Store, 'database' | 'writer'>): (key: SessionKey) => Promise<void> {
  const remove = database.prepare<[string, string]>('DELETE FROM turn WHERE user_id = ? AND session_id = ?')
  return ({ userId, sessionId }) => writer.write(() => void remove.run(userId, sessionId))
}

/** A token that one service has issued must be good at all of them. */
async function requireSameKey(postgres: Postgres, keys: SigningKeys): Promise<void> {
  const fingerprint = await calculateJwkThumbprint(await exportJWK(keys.publicKey))
  await postgres.count('INSERT INTO service_key (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING', [fingerprint])
  const [first] = await postgres.rows<{ fingerprint: string }>('SELECT fingerprint FROM service_key')
  if (first?.fingerprint === fingerprint) return
  throw new CopilotError(
    'conflict',
    `The services on ${postgres.label} sign with another key than this one, so its tokens would be refused there. Let ASIDE_KEYS_DIR name the folder with the keys that they share (after a change of key: empty the table service_key).`
  )
}
