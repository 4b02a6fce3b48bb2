// The turns that this process answers, each with its fence: the number that Redis counts up whenever a turn changes hands, and
// without which nothing is appended to it.
export interface HeldTurns {
  /** This process, in its present life. */
  readonly owner: string
  readonly size: number
  fenceOf(turnId: string): number | undefined
  take(turnId: string, fence: number): void
  drop(turnId: string): void
  /** It was asked for, and the answer was lost: it may be ours without our knowing. */
  doubt(turnId: string): void
  /** What is doubtful and not held after all; forgets the doubts. */
  takeDoubts(): readonly string[]
}

export function createHeldTurns(owner: string): HeldTurns {
  const fences = new Map<string, number>()
  let doubts = new Set<string>()
  return {
    owner,
    get size() {
      return fences.size
    },
    fenceOf: (turnId) => fences.get(turnId),
    take: (turnId, fence) => void fences.set(turnId, fence),
    drop: (turnId) => void fences.delete(turnId),
    doubt: (turnId) => void doubts.add(turnId),
    takeDoubts() {
      const open = [...doubts].filter((turnId) => !fences.has(turnId))
      doubts = new Set()
      return open
    }
  }
}
