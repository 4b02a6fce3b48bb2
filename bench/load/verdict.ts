// Whether a load was carried: pure, so that each bar can be shown to bite.
import type { Asked } from './generator.ts'
import type { Kept } from './kept.ts'

/** Of the rate that was asked for: what is left over is the edge of the window. */
const REACHED_SHARE = 0.98
export const FEWEST_PIECES = 5

/** The bars that were missed, in words; none: the load was carried. */
export function missedBars(asked: Asked, rate: number, kept: Kept): readonly string[] {
  return [
    asked.errors > 0 && `${asked.errors} errors`,
    asked.lost > 0 && `${asked.lost} questions without an end`,
    asked.connectionsLost > 0 && `${asked.connectionsLost} connections lost`,
    asked.answered !== asked.sent && `${asked.sent} asked but ${asked.answered} answered`,
    asked.fewestPieces < FEWEST_PIECES && `an answer of ${asked.fewestPieces} pieces`,
    asked.reachedPerSecond < rate * REACHED_SHARE && `${asked.reachedPerSecond} answers/s of ${rate}`,
    kept.turns !== asked.sent && `${kept.turns} questions in the store of ${asked.sent}`,
    kept.ended !== asked.sent && `${kept.ended} ended in the store of ${asked.sent}`
  ].filter((missed) => missed !== false)
}
