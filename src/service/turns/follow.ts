// Listens to a turn that is not answered here: reads on in the log whenever there is news of it, or what is left of it there.
import { isTerminal, type AskOptions, type TurnEvent } from '../../shared/turn.ts'
import type { TurnLog, TurnRecord } from './turnLog.ts'
import { faults } from './turnPolicy.ts'
import { createWake } from './wake.ts'

export interface FollowOptions {
  readonly log: Pick<TurnLog, 'read' | 'find'>
  /** Calls back when there may be more in the log, and now and then; the result ends it. */
  readonly watch: (turnId: string, listener: () => void) => () => void
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal
}

/** Every event after `afterSeq`, each once and in order; only what is in the log. */
export async function* follow({ turnId }: TurnRecord, { signal, afterSeq = 0 }: AskOptions, { log, watch, stopping }: FollowOptions) {
  const wake = createWake()
  const endWatch = watch(turnId, wake.ring)
  for (const each of [signal, stopping]) each.addEventListener('abort', wake.ring)
  const check = (): void => {
    if (signal.aborted) throw faults.left()
    if (stopping.aborted) throw faults.stopping()
  }
  try {
    for (let position = afterSeq; ;) {
      check()
      const fresh: readonly TurnEvent[] = await log.read(turnId, position)
      for (const event of fresh) {
        check()
        position = event.seq
        yield event
        if (isTerminal(event)) return
      }
      if (fresh.length === 0) {
        const known = await log.find(turnId)
        if (known === null) throw faults.notKept()
        // Asked for from behind its end.
        if (known.ended && known.lastSeq <= position) return
      }
      await wake.rung()
    }
  } finally {
    endWatch()
    for (const each of [signal, stopping]) each.removeEventListener('abort', wake.ring)
  }
}

/** What is in the log of a turn that has ended. */
export async function* replay({ turnId }: TurnRecord, { signal, afterSeq = 0 }: AskOptions, log: Pick<TurnLog, 'read'>) {
  for (const event of await log.read(turnId, afterSeq)) {
    if (signal.aborted) throw faults.left()
    yield event
  }
}
