// The decisions of the link, apart from its doing: what to do with an event, after a failure, and which transport next.
import { CopilotError, type WireError } from '../../shared/errors.ts'
import type { TurnEvent } from '../../shared/turn.ts'

/**
 * An event as it comes in: `take` the next one, skip a `repeated` one, fetch again after a `gap`; `stray` belongs to
 * another turn.
 */
export type Admission = 'take' | 'repeated' | 'gap' | 'stray'

/** @param cursor number of the last event taken, 0 before the first. */
export function admit(turnId: string, cursor: number, event: TurnEvent): Admission {
  if (event.turnId !== turnId) return 'stray'
  if (event.seq <= cursor) return 'repeated'
  return event.seq === cursor + 1 ? 'take' : 'gap'
}

/** How often a turn may be taken up again without a single new event, before the outbox shall decide. */
export const MAX_FRUITLESS_RESUMES = 3

export interface Attempt {
  /** Of the peer: 0 knows no resuming. */
  readonly protocol: number
  readonly cursor: number
  /** Whether the token was refreshed in this turn already. */
  readonly refreshed: boolean
  /** Attempts since the last new event. */
  readonly fruitless: number
}

/** `end`: the turn is over, with this as its last event. `reject`: the station is lost; the outbox decides. */
export type NextStep =
  { readonly do: 'refresh' | 'resume' } | { readonly do: 'end'; readonly error: WireError } | { readonly do: 'reject'; readonly error: CopilotError }

const CUT_MESSAGE = 'The connection to the AI service broke in the middle of the answer. What had arrived is kept; ask again for the rest.'

/**
 * A base peer emits nothing before its first text (see basePieces.ts): two events or more mean that there was text, and
 * asking again would repeat it.
 */
export function mayAsk({ protocol, cursor }: Pick<Attempt, 'protocol' | 'cursor'>): boolean {
  return protocol > 0 || cursor < 2
}

export function cutError(): WireError {
  return { code: 'unavailable', message: CUT_MESSAGE }
}

export function afterFailure(error: CopilotError, attempt: Attempt): NextStep {
  if (error.code === 'cancelled') return { do: 'reject', error }
  if (error.code === 'unauthenticated' && !attempt.refreshed && mayAsk(attempt)) return { do: 'refresh' }
  if (attempt.protocol > 0) {
    return error.code === 'offline' && attempt.fruitless < MAX_FRUITLESS_RESUMES ? { do: 'resume' } : { do: 'reject', error }
  }
  if (mayAsk(attempt)) return { do: 'reject', error }
  return { do: 'end', error: error.code === 'offline' ? cutError() : error.toWire() }
}

/** What can be tried, best first. A transport that failed rests until `notBefore`; the one just lost comes last. */
export function orderToTry<T extends { readonly notBefore: number }>(
  all: readonly T[],
  { now, current, lost }: { now: number; current: T | null; lost: T | null }
): readonly T[] {
  const due = all.filter((one) => one.notBefore <= now || one === current)
  const rested = due.length > 0 ? due : all
  return lost !== null && rested.includes(lost) ? [...rested.filter((one) => one !== lost), lost] : rested
}

/**
 * A peer that knows only the base fields may be busy with our turn and answer a heartbeat late, and its turn could not be
 * resumed: while it works, a failed heartbeat counts for nothing.
 */
export function heartbeatCounts({ protocol, active }: { readonly protocol: number; readonly active: number }): boolean {
  return protocol > 0 || active === 0
}

/** Of several failures the one that says most: a door that answered, however badly, says more than a closed one. */
export function mostTelling(failures: readonly CopilotError[]): CopilotError {
  return (
    failures.find(({ code }) => code !== 'offline' && code !== 'timeout') ??
    failures[0] ??
    new CopilotError('offline', 'No way to the AI service is set up.')
  )
}

/** One sentence for people, or two: why there is no link, what happens to questions, what to do. */
export function reasonOf(error: CopilotError, service: { readonly embedded: boolean; readonly address: string }): string {
  switch (error.code) {
    case 'offline':
    case 'timeout':
      return service.embedded
        ? 'Aside’s own AI service does not answer right now. Questions are kept and sent when it does.'
        : `The AI service at ${service.address} can’t be reached. Questions are kept and sent when it can.`
    case 'unauthenticated':
      return `The AI service at ${service.address} did not accept the sign-in. Questions are kept; sign in again or check ASIDE_TOKEN.`
    default:
      return error.message
  }
}
