// What the service counts of itself: the port. Rooms report what happened; labels are closed lists and configured names, never
// anything of a person or of what was said.
import type { ErrorCode } from '../../shared/errors.ts'

/** How a message comes in. `desk`: questions of consultant chats and threads, which are kept first and asked after. */
export const dialects = ['grpc', 'rest', 'socketio', 'erp', 'consultant', 'desk'] as const
export type Dialect = (typeof dialects)[number]

export interface QuestionMeter {
  /** The question is durable. */
  kept(): void
  /** The first piece of text; later ones change nothing. */
  text(): void
  /** Once: `done`, or what it failed with. */
  ended(outcome: 'done' | ErrorCode): void
}

/** The meter of one door. */
export interface DialectMeter {
  readonly dialect: Dialect
  /** A connection, or a call where there are no connections of our own; the result ends it, once. */
  connected(): () => void
  /** Anything that a client sends and that is read. */
  message(): void
  question(): QuestionMeter
  /** A client was told this error. */
  refused(code: ErrorCode): void
}

export interface AttemptFigures {
  readonly provider: string
  readonly model: string
  readonly outcome: string
  readonly firstTextMs: number | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costMicros: number
}

/** What is looked up when somebody asks for the figures. */
export interface Snapshot {
  readonly liveTurns: number
  readonly queueDepth: number
  readonly isDraining: boolean
  readonly providers: readonly {
    readonly id: string
    readonly model: string | null
    readonly ready: boolean
    readonly breaker: string
    readonly inFlight: number
  }[]
}

/** The sums that alerts are made from. */
export interface Totals {
  readonly ended: number
  /** Ended in a way that is ours or an upstream's fault. */
  readonly broken: number
  /** By upper bound in seconds, ascending, each including those below; the last one is endless. Of the time to the end. */
  readonly totalSeconds: readonly { readonly le: number; readonly count: number }[]
}

export interface Metrics {
  at(dialect: Dialect): DialectMeter
  grpcCall(method: GrpcMethod, outcome: 'ok' | ErrorCode): void
  attempt(figures: AttemptFigures): void
  failover(midAnswer: boolean, switchMs: number): void
  queueLeft(waitedMs: number): void
  cache(hit: boolean): void
  /** An attempt at a model that no price book knows. */
  unpriced(provider: string, model: string): void
  /** One commit of the store, which turn logs are most of. */
  commit(jobs: number, tookMs: number): void
  /** A connection to Redis was lost or refused, or a command failed for a fault of Redis. */
  redisFault(kind: 'connection' | 'command'): void
  /** Turns that another process had left behind, and that this one took up. */
  takenUp(turns: number): void
  alert(rule: string, isFiring: boolean): void
  /** Where `render` looks for what is so now. */
  watch(look: (signal: AbortSignal) => Promise<Snapshot>): void
  totals(): Promise<Totals>
  render(signal: AbortSignal): Promise<{ readonly contentType: string; readonly text: string }>
}

export const grpcMethods = ['Chat', 'StreamChat', 'HealthCheck', 'CancelTurn'] as const
export type GrpcMethod = (typeof grpcMethods)[number]

/** Codes that say nothing bad of the service: the client's own fault, limit or wish. */
const EXPECTED: ReadonlySet<string> = new Set<ErrorCode | 'done'>([
  'done',
  'unauthenticated',
  'forbidden',
  'invalid_request',
  'context_invalid',
  'context_too_large',
  'rate_limited',
  'budget_exhausted',
  'not_found',
  'conflict',
  'refused',
  'cancelled'
])

export function isBroken(outcome: string): boolean {
  return !EXPECTED.has(outcome)
}

/**
 * At most so many different names; the rest are one. Models come from configuration and upstreams' lists, and a label that can grow
 * without end fills the memory of whoever keeps the series.
 */
export function boundedNames(most: number): (name: string) => string {
  const known = new Set<string>()
  return (name) => {
    if (known.has(name)) return name
    if (known.size >= most) return 'other'
    known.add(name)
    return name
  }
}
