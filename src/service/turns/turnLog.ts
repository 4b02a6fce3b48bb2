// The log of every turn's events: the port. What a listener sees has been written here first, so a restart loses nothing.
import type { Question, TurnEvent } from '../../shared/turn.ts'
import type { Bond } from '../store/bond.ts'

/** How long a turn can be replayed after it was asked. */
export const TURN_KEPT_MS = 24 * 3_600_000

export interface TurnRecord {
  readonly turnId: string
  readonly userId: string
  /** The assistant's message. */
  readonly messageId: string
  readonly question: Question
  /** Unix ms. */
  readonly createdAt: number
}

export type Accepted = Extract<TurnEvent, { type: 'accepted' }>

/** How far a turn has come. */
export interface TurnProgress {
  readonly turnId: string
  /** Number of the last event; 0: none. */
  readonly lastSeq: number
  /** Whether any text of the answer has been written. */
  readonly hasText: boolean
  readonly ended: boolean
}

export type LoggedTurn = TurnRecord & TurnProgress

/** Every promise resolves when what it says is durable, and rejects with `CopilotError` when the store refuses. */
export interface TurnLog {
  find(turnId: string): Promise<LoggedTurn | null>
  /** `accepted`: its first event, if it is known already. False when the turn is already there; it is then left as it is. */
  open(record: TurnRecord, accepted?: Accepted): Promise<boolean>
  /** The events continue the turn's numbers without a gap; anything else, or one after the end, is a bug and throws. `bond`: see `BrokerOptions.bonds`. */
  append(turnId: string, events: readonly TurnEvent[], bond?: Bond): Promise<void>
  /** In order, from the one after `afterSeq`. */
  read(turnId: string, afterSeq: number): Promise<readonly TurnEvent[]>
  /** Turns without an end, oldest first. */
  unfinished(): Promise<readonly LoggedTurn[]>
  /** Forgets turns asked before then (Unix ms), finished or not; returns how many. */
  prune(before: number): Promise<number>
}

/** What an append changes on its turn; throws when the numbers don't continue. */
export function afterAppend(turn: TurnProgress, events: readonly TurnEvent[]): TurnProgress {
  let next = turn
  for (const event of events) {
    if (next.ended || event.turnId !== turn.turnId || event.seq !== next.lastSeq + 1) {
      throw new RangeError(`turn ${turn.turnId}: event ${event.seq} does not follow ${next.lastSeq}${next.ended ? ' (ended)' : ''}`)
    }
    next = {
      turnId: turn.turnId,
      lastSeq: event.seq,
      hasText: next.hasText || event.type === 'delta',
      ended: event.type === 'done' || event.type === 'failed'
    }
  }
  return next
}
