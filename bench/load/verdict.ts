// Whether a load was carried: pure, so that each bar can be shown to bite.
import type { Asked } from './generator.ts'
import type { Kept } from './kept.ts'

/** So far the last answers may lag behind the rate: what is kept up for longer than that is the rate. */
const LAG_SECONDS = 1
const FEWEST_PIECES = 5

export interface LoadAsked {
  readonly rate: number
  readonly seconds: number
  /** Of an answer, as the upstream says it. */
  readonly pieces: number
  readonly kept: Kept
  /** Before it, if at all. */
  readonly rehearsed: Asked | null
}

/** The bars that were missed, in words; none: the load was carried. */
export function missedBars(asked: Asked, { rate, seconds, pieces, kept, rehearsed }: LoadAsked): readonly string[] {
  const sent = asked.sent + (rehearsed?.sent ?? 0)
  const least = Math.floor((rate * seconds) / (seconds + LAG_SECONDS))
  return [
    ...[asked, ...(rehearsed === null ? [] : [rehearsed])].flatMap((one) => [
      one.errors > 0 && `${one.errors} errors`,
      one.lost > 0 && `${one.lost} questions without an end`,
      one.connectionsLost > 0 && `${one.connectionsLost} connections lost`,
      one.answered !== one.sent && `${one.sent} asked but ${one.answered} answered`
    ]),
    pieces < FEWEST_PIECES && `an upstream that answers in ${pieces} pieces`,
    asked.again.same !== asked.again.asked && `${asked.again.same} of ${asked.again.asked} asked again were answered the same`,
    asked.measured === 0 && 'nothing measured',
    asked.reachedPerSecond < least && `${asked.reachedPerSecond} answers/s of ${rate}`,
    kept.turns !== sent && `${kept.turns} questions in the store of ${sent}`,
    kept.ended !== sent && `${kept.ended} ended in the store of ${sent}`
  ].filter((missed) => missed !== false)
}
