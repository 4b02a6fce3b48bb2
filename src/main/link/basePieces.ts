// A peer that knows only the base fields sends bare pieces of text: here they become a numbered turn. Nothing is
// emitted before the first text, so that a turn cut earlier has left no trace and may be sent again.
import type { Clock } from '../../shared/kit/clock.ts'
import type { TurnEvent, TurnEventBody } from '../../shared/turn.ts'

export interface BasePiece {
  readonly content: string
  readonly isFinal: boolean
  readonly messageId: string
}

export interface BaseTurn {
  /** The events that this piece makes; the last of a turn is `done`. */
  take(piece: BasePiece): readonly TurnEvent[]
}

/** @param from `afterSeq` of the question: numbers go on after it, and `accepted` is not repeated. */
export function createBaseTurn(turnId: string, from: number, clock: Clock): BaseTurn {
  let seq = from
  let accepted = from > 0
  const number = (body: TurnEventBody): TurnEvent => ({ ...body, turnId, seq: ++seq, at: clock.now() })

  return {
    take({ content, isFinal, messageId }) {
      const events: TurnEvent[] = []
      if (content === '' && !isFinal) return events
      if (!accepted) {
        accepted = true
        events.push(number({ type: 'accepted', messageId }))
      }
      if (content !== '') events.push(number({ type: 'delta', text: content }))
      if (isFinal) events.push(number({ type: 'done', messageId, finish: 'stop' }))
      return events
    }
  }
}
