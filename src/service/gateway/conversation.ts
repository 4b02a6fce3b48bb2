// What all dialects do with an admitted question: open its turn, listen, and let go of it the way its client expects.
import { CopilotError } from '../../shared/errors.ts'
import { isTerminal, type Citation, type FinishReason, type TurnEvent, type Usage } from '../../shared/turn.ts'
import type { Caller } from '../auth/caller.ts'
import type { Delivery } from '../agent/agent.ts'
import type { OpenTurn, TurnBroker } from '../turns/broker.ts'
import type { Admitted } from './admission.ts'
import { sentAway } from './calls.ts'
import { watched } from './watched.ts'

export interface Listening {
  readonly turn: OpenTurn
  /**
   * The turn's events. When the signal is aborted before the end it throws `cancelled`, or why the client was sent away, and a turn
   * that the client did not name is cancelled: nobody could ever come back for it.
   */
  events(): AsyncIterable<TurnEvent>
}

/** For an answer that is given whole: from its beginning, whatever the client has read of it before. */
export async function listenToAll(broker: TurnBroker, caller: Caller, admitted: Admitted, signal: AbortSignal): Promise<Listening> {
  return await listen(broker, caller, { ...admitted, afterSeq: 0 }, signal, 'whole')
}

/** Resolves when the question is durable. `delivery`: `whole` when nothing is said before all is there. */
export async function listen(
  broker: TurnBroker,
  caller: Caller,
  { question, afterSeq, isNamed }: Admitted,
  signal: AbortSignal,
  delivery: Delivery = 'stream'
): Promise<Listening> {
  const turn = await broker.open(caller, question, { resuming: afterSeq > 0, delivery })
  return {
    turn,
    events() {
      let isComplete = false
      return watched(turn.events({ signal, afterSeq }), {
        seen(event) {
          isComplete = isTerminal(event)
        },
        async ended({ how }) {
          if (how !== 'through' && !isComplete && !isNamed) await broker.cancel(caller, turn.turnId)
          const reason = how === 'failed' ? sentAway(signal) : null
          if (reason !== null) throw reason
        }
      })
    }
  }
}

export interface WholeAnswer {
  readonly text: string
  readonly citations: readonly Citation[]
  readonly usage: Usage | null
  readonly finish: FinishReason
  /** Unix ms. */
  readonly at: number
}

/** The answer when it is complete. Throws what the turn failed with. */
export async function whole(listening: Listening): Promise<WholeAnswer> {
  let text = ''
  let usage: Usage | null = null
  const citations: Citation[] = []
  for await (const event of listening.events()) {
    if (event.type === 'delta') text += event.text
    else if (event.type === 'failed') throw CopilotError.fromWire(event.error)
    else if (event.type === 'done') return { text, citations, usage, finish: event.finish, at: event.at }
    else if (event.type === 'citation' || event.type === 'usage') {
      const { turnId: _turnId, seq: _seq, at: _at, type, ...value } = event
      if (type === 'usage') usage = value as Usage
      else citations.push(value as Citation)
    }
  }
  throw new CopilotError('unavailable', 'The answer ended before it was complete. Ask again.')
}
