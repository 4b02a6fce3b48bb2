// Which process of the service answers a turn: the port between the broker and whoever knows of the other processes.
import type { AskOptions, TurnEvent } from '../../shared/turn.ts'
import type { LoggedTurn, TurnLog, TurnRecord } from './turnLog.ts'

/** A new turn belongs to whoever opens it in the log; the rest is asked for here. */
export interface TurnOwnership {
  /** Whether others could go on with what is left here. */
  readonly isShared: boolean
  /** Unfinished turns that no living process answers, oldest first. */
  orphans(): Promise<readonly LoggedTurn[]>
  /** Takes the turn; from then on nobody else writes to it. False: another process that lives answers it, or it has ended. */
  claim(turnId: string): Promise<boolean>
  /** This process answers it no more; nothing of it is written after this. Unfinished, it goes to whoever takes it first. */
  release(turnId: string): void
  /** The events of a turn that another process answers, as they come into the log. Ends and throws like a live turn's. */
  follow(turn: TurnRecord, options: AskOptions): AsyncIterable<TurnEvent>
  /**
   * Has the turn ended where it is answered. Resolves when its end is in the log, with `letGo` also when nothing more comes of it;
   * false: it had another end. Throws `unavailable` when that takes too long.
   */
  end(turn: TurnRecord, options: { readonly letGo: boolean }): Promise<boolean>
  /** The process is stopping: takes nothing any more, and sends who follows to another process. */
  handOver(): void
}

/** A service of one process: every turn is its own. */
export function createLoneOwnership(log: Pick<TurnLog, 'unfinished'>): TurnOwnership {
  return {
    isShared: false,
    orphans: () => log.unfinished(),
    claim: () => Promise.resolve(true),
    release: () => undefined,
    follow({ turnId }) {
      throw new Error(`turn ${turnId} has no other process to be answered in`)
    },
    end: () => Promise.resolve(false),
    handOver: () => undefined
  }
}
