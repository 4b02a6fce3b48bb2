// Pure decisions about turns, and the words for what can go wrong with one.
import { CopilotError } from '../../shared/errors.ts'
import type { Question } from '../../shared/turn.ts'

/** A turn is asked again only while nobody can have read any of its answer: a second answer never continues a first one. */
export function canBeAskedAgain(turn: { readonly hasText: boolean; readonly ended: boolean }): boolean {
  return !turn.hasText && !turn.ended
}

/** Whether a turn id was sent again with the same question. Context may have changed meanwhile; what was asked may not. */
export function matches(kept: Question, sent: Question): boolean {
  return kept.text === sent.text && kept.sessionId === sent.sessionId && kept.quickAction === sent.quickAction
}

export const faults = {
  notKept: () => new CopilotError('not_found', 'This answer is not kept here (any more). Ask the question again.'),
  otherQuestion: () => new CopilotError('conflict', 'This turn id was already used for another question. Send the question with a new one.'),
  stopping: () => new CopilotError('unavailable', 'The service is restarting. The question is kept; try again in a moment.', { retryAfterMs: 1_000 }),
  interrupted: () =>
    new CopilotError('unavailable', 'The service was restarted before the answer was complete. What arrived is kept; ask again for the rest.'),
  cancelled: () => new CopilotError('cancelled', 'Stopped. What arrived is kept.'),
  left: () => new CopilotError('cancelled', 'The listener has left.')
}
