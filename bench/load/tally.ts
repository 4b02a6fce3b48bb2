// Everything that is heard in answer to what was asked, checked and counted.
import type { Listener } from './connection.ts'
import { newTimes, percentiles, recordMs, type Percentiles, type Times } from './times.ts'
import { createTurnCheck, type TurnCheck } from './turnCheck.ts'

export interface Counts {
  readonly answered: number
  /** Refused, failed, or not what they should be. */
  readonly errors: number
  /** Without an end. */
  readonly open: number
  readonly connectionsLost: number
  /** Answered, of those that were due when it was measured. */
  readonly measured: number
  /** When the last of those ended, in ms since the run began. */
  readonly lastEnd: number
  /** Events of text in an answer: the service may join what waits. */
  readonly pieces: { readonly mean: number; readonly fewest: number }
  readonly acceptedMs: Percentiles
  readonly firstPieceMs: Percentiles
  readonly endMs: Percentiles
  /** How late questions were sent: the generator's own slowness, which is in all the other figures. */
  readonly sentLateMs: Percentiles
  /** What was wrong, for people. */
  readonly examples: readonly string[]
}

export interface Tally extends Listener {
  /** It is about to be asked; due so many ms after the run began. */
  expect(question: { readonly turnId: string; readonly dueAt: number; readonly expected: string }): void
  /** True when nothing was open in time. */
  settled(withinMs: number): Promise<boolean>
  counts(): Counts
}

export interface TallyOptions {
  /** Ms since the run began. */
  readonly now: () => number
  /** What was due before that is checked, not measured. */
  readonly measuredFrom: number
}

const MOST_EXAMPLES = 10

export function createTally({ now, measuredFrom }: TallyOptions): Tally {
  const checks = new Map<string, TurnCheck>()
  const [accepted, firstPiece, end, sentLate] = [newTimes(), newTimes(), newTimes(), newTimes()]
  const problems: string[] = []
  let [answered, errors, open, connectionsLost, measured, lastEnd] = [0, 0, 0, 0, 0, 0]
  let [pieces, fewest] = [0, Number.POSITIVE_INFINITY]
  let onSettled: (() => void) | null = null

  const record = (into: Times, { dueAt }: TurnCheck): void => {
    if (dueAt >= measuredFrom) recordMs(into, now() - dueAt)
  }
  const note = (about: string, problem: string | null): void => {
    if (problem === null) return
    errors += 1
    if (problems.length < MOST_EXAMPLES) problems.push(`${about}: ${problem}`)
  }
  const over = (check: TurnCheck): void => {
    open -= 1
    if (check.fault === null) {
      answered += 1
      pieces += check.pieces
      fewest = Math.min(fewest, check.pieces)
      record(end, check)
      if (check.dueAt >= measuredFrom) {
        measured += 1
        lastEnd = now()
      }
    }
    if (open === 0) onSettled?.()
  }
  /** Lets the turn's own check look at what was heard of it. */
  const look = (turnId: string | undefined, what: string, see: (check: TurnCheck) => string | null): TurnCheck | null => {
    const check = checks.get(turnId ?? '')
    if (check === undefined) {
      note(turnId ?? 'nobody', `${what}, and was never asked`)
      return null
    }
    const wasOver = check.isOver
    note(check.turnId, see(check))
    if (!wasOver && check.isOver) over(check)
    return check
  }

  return {
    expect(question) {
      const check = createTurnCheck(question)
      checks.set(question.turnId, check)
      open += 1
      record(sentLate, check)
    },
    acknowledged(turnId, ack) {
      const check = look(turnId, 'acknowledged', (one) => one.accepted(ack))
      if (check?.fault === null) record(accepted, check)
    },
    piece(piece) {
      const before = checks.get(piece.turn_id ?? '')?.pieces
      const check = look(piece.turn_id, 'answered', (one) => one.piece(piece))
      if (before === 0 && check?.pieces === 1) record(firstPiece, check)
    },
    told(error) {
      const problem = `error: ${error.message}`
      look(error.turn_id, problem, (one) => one.failed(problem))
    },
    lost(reason) {
      connectionsLost += 1
      note('a connection', `lost: ${reason}`)
    },
    async settled(withinMs) {
      if (open === 0) return true
      return await new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), withinMs)
        onSettled = () => {
          clearTimeout(timer)
          resolve(true)
        }
      })
    },
    counts: () => ({
      answered,
      errors,
      open,
      connectionsLost,
      measured,
      lastEnd,
      pieces: answered === 0 ? { mean: 0, fewest: 0 } : { mean: Math.round((pieces / answered) * 100) / 100, fewest },
      acceptedMs: percentiles(accepted),
      firstPieceMs: percentiles(firstPiece),
      endMs: percentiles(end),
      sentLateMs: percentiles(sentLate),
      examples: [...problems, ...[...checks.values()].filter(({ isOver }) => !isOver).map(({ turnId }) => `${turnId}: never ended`)].slice(
        0,
        MOST_EXAMPLES
      )
    })
  }
}
