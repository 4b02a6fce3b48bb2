// What storing a batch of turn events means, before any database: which are new, what they make of the turn. Pure.
import { CopilotError } from '../../shared/errors.ts'
import { applyTurnEvent, isEnded, type TurnEvent, type TurnView } from '../../shared/turn.ts'

export interface Applied {
  readonly view: TurnView
  /** Those that were new, in order. */
  readonly events: readonly TurnEvent[]
}

/**
 * Events already in the view and those after its end are ignored. @throws CopilotError `invalid_request` for a gap and
 * for events of another turn; nothing may be stored then.
 */
export function applyNewEvents(view: TurnView, events: readonly TurnEvent[]): Applied {
  let next = view
  const applied: TurnEvent[] = []
  for (const event of events) {
    if (event.turnId !== view.turnId) throw new CopilotError('invalid_request', 'An event of another turn came with this one; nothing was stored.')
    if (isEnded(next) || event.seq <= next.lastSeq) continue
    if (event.seq > next.lastSeq + 1) {
      throw new CopilotError('invalid_request', `Event ${event.seq} came after ${next.lastSeq}; nothing was stored. Resume after ${view.lastSeq}.`)
    }
    next = applyTurnEvent(next, event)
    applied.push(event)
  }
  return { view: next, events: applied }
}

/** A turn that only failed has no answer to show: its error stands at the question. */
export function beginsAnswer(events: readonly TurnEvent[]): boolean {
  return events.some((event) => event.type !== 'failed')
}

/** The name the service gave the answer when it accepted the turn; one of our own where it gave none, or one that is taken. */
export function answerIdOf(turnId: string, events: readonly TurnEvent[], isTaken: (id: string) => boolean): string {
  const first = events[0]
  const given = first?.type === 'accepted' && first.seq === 1 ? first.messageId : ''
  return given !== '' && given.length <= 128 && !isTaken(given) ? given : `${turnId}-answer`
}

/**
 * Text for a database holds whole characters only. The first half of a surrogate pair is carried over until the other
 * half has come; `last`: nothing will come any more.
 */
export function splitCarry(text: string, last: boolean): { readonly text: string; readonly carry: number | null } {
  const end = text.charCodeAt(text.length - 1)
  if (last || !(end >= 0xd800 && end <= 0xdbff)) return { text: text.toWellFormed(), carry: null }
  return { text: text.slice(0, -1).toWellFormed(), carry: end }
}
