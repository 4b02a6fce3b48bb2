// Everything that must last, by name: the ports that the service is put together from, whatever keeps them. One process keeps them in
// its own data folder (`embedded.sqlite.ts`), several share a PostgreSQL (`shared.postgres.ts`).
import type { Outbox } from '../actions/outbox.ts'
import type { Worklist } from '../actions/worklist.ts'
import type { Conversation } from '../agent/conversation.ts'
import type { AuditLog } from '../audit/reader.ts'
import type { SigningKeys } from '../auth/keys.ts'
import type { Ledger } from '../cost/ledger.ts'
import type { Decisions, MessageModels } from '../decisions/decisions.ts'
import type { ExternalEvents } from '../events/externalEvents.ts'
import type { Documents } from '../knowledge/documents.ts'
import type { Knowledge, KnowledgeIndex } from '../knowledge/knowledge.ts'
import type { Meaning } from '../knowledge/meaning.ts'
import type { Accounts } from '../limits/accounts.ts'
import type { OverrideStore } from '../limits/overrides.ts'
import type { PersonalStore } from '../person/person.ts'
import type { Forgetting } from '../person/retention.ts'
import type { Schedule } from '../schedule/schedule.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { TurnLog } from '../turns/turnLog.ts'

export interface Stores {
  readonly turnLog: TurnLog
  readonly conversation: Conversation
  readonly sessions: Sessions
  readonly events: ExternalEvents
  readonly ledger: Ledger
  readonly accounts: Accounts
  readonly overrides: OverrideStore
  readonly schedule: Schedule
  readonly worklist: Worklist
  readonly outbox: Outbox
  readonly models: MessageModels
  readonly decisions: Decisions
  readonly documents: Documents
  readonly knowledge: Knowledge & KnowledgeIndex
  /** What finds passages by meaning as well; null: words alone. */
  readonly meaning: Meaning | null
  /** Everything above that keeps something of persons. */
  readonly personal: readonly PersonalStore[]
  readonly forgetting: Forgetting
  /** Others use them too: what they do, and what they leave when they die, must be looked for. */
  readonly isShared: boolean
  /** What happened to what could not be opened, for people; null: nothing. */
  readonly incident: string | null
  /** The caller stops it before the stores. */
  openAudit(keys: SigningKeys, onHeadFailed: (error: unknown) => void): Promise<AuditLog>
  /** Removes what deleted rows have left behind. */
  compact(): Promise<void>
  /** Resolves when something can be kept just now. Rejects with `CopilotError` when not. */
  probe(): Promise<void>
  stop(): Promise<void>
}
