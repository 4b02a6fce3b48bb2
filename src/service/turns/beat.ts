// The beat to which answers under way are written to the log: what all turns have to say waits for the same moment, so that they share
// a commit, or a call of Redis, and a flush.

export interface Beat {
  /** Calls back once, at the next beat; the result ends the wait before. */
  next(listener: () => void): () => void
}

/** One frame, since no window paints more often. */
const LEAST_MS = 16
/** Text still seems to flow. */
const MOST_MS = 80
const MS_PER_TURN = 2

/** For pieces of text that somebody reads along: quick while few answers are under way, slower the more there are. */
export function pieceBeatMs(liveTurns: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, liveTurns * MS_PER_TURN))
}

/** For answers that nobody reads along. */
export const WHOLE_BEAT_MS = 50

/** `lengthMs`: from the first who waits to the beat. The timer runs only then. */
export function createBeat(lengthMs: () => number): Beat {
  let waiting = new Set<() => void>()
  let isRunning = false
  const strike = (): void => {
    const due = waiting
    waiting = new Set()
    isRunning = false
    for (const listener of due) listener()
  }
  return {
    next(listener) {
      const own = waiting.add(listener)
      if (!isRunning) setTimeout(strike, lengthMs())
      isRunning = true
      return () => own.delete(listener)
    }
  }
}
