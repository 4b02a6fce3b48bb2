// Pure decisions about turns, and the words for what can go wrong with one.
import { CopilotError } from '../../shared/errors.ts'
import { isTerminal, type Question, type TurnEvent } from '../../shared/turn.ts'

/** A question that was being answered at so many ends of the service may well be their cause. */
export const MAX_RESTARTS = 8

/** Each restart leaves one notice in the turn. */
export function restartsOf(past: readonly TurnEvent[]): number {
  return past.filter((event) => event.type === 'notice' && event.kind === 'resumed').length
}

/** Whether a turn that a restart broke off is asked for once more; see retrace.ts for what becomes of what was said. */
export function canBeAskedAgain(past: readonly TurnEvent[]): boolean {
  return !past.some(isTerminal) && restartsOf(past) < MAX_RESTARTS
}

/** Whether a turn id was sent again with the same question. Context may have changed meanwhile; what was asked may not. */
export function matches(kept: Question, sent: Question): boolean {
  return kept.text === sent.text && kept.sessionId === sent.sessionId && kept.quickAction === sent.quickAction
}

export const faults = {
  notKept: () => new CopilotError('not_found', 'This answer is not kept here (any more). Ask the question again.'),
  otherQuestion: () => new CopilotError('conflict', 'This turn id was already used for another question. Send the question with a new one.'),
  stopping: () => new CopilotError('unavailable', 'The service is restarting. The question is kept; try again in a moment.', { retryAfterMs: 1_000 }),
  busy: () =>
    new CopilotError('unavailable', 'The service is answering as many questions as it can. This one was not taken; ask it again in a moment.', {
      retryAfterMs: 2_000
    }),
  interrupted: () =>
    new CopilotError('unavailable', 'The service was restarted before the answer was complete. What arrived is kept; ask again for the rest.'),
  stillAnswering: () =>
    new CopilotError('unavailable', 'An answer could not be stopped. Nothing was erased; try again in a moment.', { retryAfterMs: 5_000 }),
  takenOver: () =>
    new CopilotError('unavailable', 'Another process of the service goes on with this answer. What arrived is kept; ask again to read on.', {
      retryAfterMs: 500
    }),
  logLost: () => new CopilotError('unavailable', 'Redis has lost what was kept of this answer. Ask the question again.', { retryAfterMs: 1_000 }),
  notReadable: (cause: unknown) =>
    new CopilotError('conflict', 'This answer was kept by a process with another token-key.json. All processes need the same one.', { cause }),
  cancelled: () => new CopilotError('cancelled', 'Stopped. What arrived is kept.'),
  unheard: () => new CopilotError('unavailable', 'The answer could not be kept, so it was stopped. Ask again to read on.'),
  left: () => new CopilotError('cancelled', 'The listener has left.')
}
