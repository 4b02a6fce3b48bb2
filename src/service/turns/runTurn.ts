// One answer from its question to its end: what the agent says becomes the turn's events, and so does what goes wrong.
import { toCopilotError } from '../../shared/errors.ts'
import type { FinishReason, TurnEvent } from '../../shared/turn.ts'
import type { Agent, AgentEvent, Delivery } from '../agent/agent.ts'
import { errorFields, type Logger } from '../logging.ts'
import type { Bond } from '../store/bond.ts'
import type { LiveTurn } from './liveTurn.ts'
import { createRetrace } from './retrace.ts'
import { faults } from './turnPolicy.ts'

export interface RunOptions {
  /** Stops the agent; aborted here when the answer can't go on. */
  readonly controller: AbortController
  /** What was told of it before a restart. */
  readonly past: readonly TurnEvent[]
  readonly delivery: Delivery
  readonly agent: Agent
  readonly logger: Logger
  /** See `BrokerOptions.bonds`. */
  readonly bonds?: (() => Bond) | undefined
  readonly isStopping: () => boolean
}

/** Resolves when the turn's end is in the log, or the turn was abandoned; never rejects. */
export async function runTurn(turn: LiveTurn, { controller, past, delivery, agent, logger, bonds, isStopping }: RunOptions): Promise<void> {
  const { record } = turn
  const retrace = createRetrace(past)
  const interrupted = (): void => turn.emit({ type: 'failed', error: faults.interrupted().toWire() })
  const emit = (event: AgentEvent): void => {
    const fresh = retrace.take(event)
    if (fresh === 'parted') {
      interrupted()
      controller.abort(faults.interrupted())
    } else if (fresh !== null) {
      turn.emit(fresh)
    }
  }
  const end = (finish: FinishReason, bond?: Bond): void => {
    if (retrace.caughtUp) turn.emit({ type: 'done', messageId: record.messageId, finish }, bond)
    else interrupted()
  }
  const bond = bonds?.()
  const ending = bond === undefined ? undefined : { bond, tell: (finish: FinishReason) => end(finish, bond) }
  try {
    // Told already, it is not told twice: nothing comes after the end.
    end(await agent.answer(record, { signal: controller.signal, emit, delivery, ...(ending === undefined ? {} : { ending }) }))
  } catch (error) {
    const failure = toCopilotError(error)
    if (failure.code === 'internal') logger.error({ turnId: record.turnId, ...errorFields(error) }, 'turn.bug')
    // While stopping, a turn stays open in the log: the next start asks it again.
    if (isStopping()) turn.abandon(faults.stopping())
    else if (retrace.caughtUp) turn.emit({ type: 'failed', error: failure.toWire() })
    else interrupted()
  }
  await turn.settled()
}
