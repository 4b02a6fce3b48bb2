// What every fuzzed dialect is to the runner, and what a run of it finds.
import type { Chance } from './hostile.ts'

/** Somebody who fuzzes: each lane is another person, so that what one is told is its own. */
export interface Person {
  readonly userId: string
  readonly token: string
}

export interface Target {
  /** `host:port`. */
  readonly grpc: string
  readonly http: string
  readonly person: Person
  /** Somebody else, for what would disturb the first one’s count. */
  readonly other: Person
  /** A token that may everything. */
  readonly admin: string
  /** Of the webhook source `crm`. */
  readonly webhookSecret: string
  /** How long a reply may take; absent: a minute. */
  readonly patienceMs?: number
}

/** Something that must not happen, with the batch to see it again. */
export interface Finding {
  readonly batch: number
  readonly what: string
}

export interface FuzzedDialect {
  readonly name: string
  /** Opens what it needs; `close` gives everything back. */
  open(target: Target): Promise<Lane>
}

export interface Batch {
  readonly size: number
  readonly chance: Chance
  readonly number: number
}

/**
 * How many replies were due and how many came. `open` counts messages of which the wire leaves it open whether there is anything to
 * say: a named turn that the client says it has read to its end.
 */
export interface Replies {
  readonly due: number
  readonly open: number
  readonly came: number
}

export interface Lane {
  /**
   * Sends so many malformed messages, then a good one, and resolves when that has its answer. Throws what must not happen: an
   * answer that is not specified, one too many or too few, a good message that is not answered.
   */
  batch(batch: Batch): Promise<Replies>
  close(): Promise<void>
}

/** A busy machine is no defect of the service; an answer that never comes is. */
export const GOOD_MS = 60_000

export async function within<T>(ms: number, what: string | (() => string), promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${typeof what === 'string' ? what : what()}: not within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Throws when the count is not exact. */
export function checkReplies({ due, open, came }: Replies): void {
  if (came < due || came > due + open) throw new Error(`${came} replies came for ${due} to ${due + open} messages that have one`)
}
