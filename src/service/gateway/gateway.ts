// What a dialect is to the rest of the service, and what each of them needs.
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import type { Audit } from '../audit/audit.ts'
import type { AuditReader } from '../audit/reader.ts'
import type { TokenVerifier } from '../auth/verifier.ts'
import type { SocketAdapter } from '../cluster/socketAdapter.ts'
import type { ExternalEvents } from '../events/externalEvents.ts'
import type { Library } from '../knowledge/library.ts'
import type { Refreshing } from '../knowledge/refreshing.ts'
import type { InputDesk } from '../agent/inputDesk.ts'
import type { Overrides } from '../limits/overrides.ts'
import type { Logger } from '../logging.ts'
import type { DialectMeter, Metrics } from '../metrics/metrics.ts'
import type { Person } from '../person/person.ts'
import type { Readiness } from '../readiness.ts'
import type { ProviderStatus } from '../orchestrator/orchestrator.ts'
import type { Desk } from '../sessions/desk.ts'
import type { TurnBroker } from '../turns/broker.ts'
import type { Bounds } from './bounds.ts'
import type { Dismissals } from './dismissals.ts'
import type { Places } from './places.ts'

export interface ServiceStatus {
  readonly version: string
  readonly liveTurns: number
  /** Questions that wait for a free place at a provider. */
  readonly queueDepth: number
  readonly providers: readonly ProviderStatus[]
}

/** What the rooms of the gateway share. */
export interface GatewayParts {
  readonly broker: TurnBroker
  readonly verifier: TokenVerifier
  readonly status: (signal: AbortSignal) => Promise<ServiceStatus>
  readonly clock: Clock
  readonly newId: NewId
  readonly logger: Logger
  readonly version: string
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly person: Person
  readonly audit: Audit & AuditReader
  /** Of this door, or of the dialect. */
  readonly meter: DialectMeter
  /** Of chat sessions and threads. */
  readonly desk: Desk
  readonly events: ExternalEvents
  /** By source. */
  readonly webhookSecrets: ReadonlyMap<string, string>
  readonly bounds: Bounds
  /** Shared by all sockets of the service. */
  readonly places: Places
  readonly dismissals: Dismissals
  /** Null: this process is the only one. */
  readonly socketAdapter: SocketAdapter | null
  /** What this process is called among those of the service; Socket.IO's session ids begin with it. Null: it is the only one. */
  readonly node: string | null
  /** Lifting limits in an emergency; absent: there is no such door. */
  readonly overrides?: Overrides
  /** The documents of clients; absent: there is no such door. */
  readonly knowledge?: KnowledgeRoom
  /** The agent beside the chat; absent: there is no such door. */
  readonly inputDesk?: InputDesk
}

export interface KnowledgeRoom {
  readonly library: Library
  readonly refreshing: Pick<Refreshing, 'now'>
}

export interface Door {
  /** `host:port` as it was bound. */
  readonly address: string
  /** The process is about to go: clients hear that they should go elsewhere, and what is being said goes on. */
  drain(): void
  /** Takes nothing new; what is being said is finished. */
  close(): Promise<void>
}

/** What answers now, in words, for a greeting: the first provider that is ready. */
export function answeredBy(status: ServiceStatus): string | null {
  const first = status.providers.find((provider) => provider.ready)
  if (first === undefined) return null
  return first.kind === 'local' ? 'Local knowledge' : `${first.name}${first.model === null ? '' : ` (${first.model})`}`
}
