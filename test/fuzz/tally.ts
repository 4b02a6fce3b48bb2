// Replies of a connection that stays open, counted: every message that has a reply gets exactly one, whatever is wrong with it.
import { checkReplies, GOOD_MS, within, type Replies } from './fuzz.ts'

export interface Tally {
  /** A message has gone out: `due` replies, and perhaps `open` more. */
  sent(due: number, open?: number): void
  came(): void
  /** A message was kept, and is to be answered once; again is once. */
  kept(key: string): void
  /** Throws when it was answered before. */
  answered(key: string): void
  /** Something was heard that must not be; told by `settled`. */
  fault(error: Error): void
  /** Resolves when everything that is due has come. Throws the first fault, and what came too often. */
  settled(): Promise<void>
  readonly replies: Replies
}

export function createTally(patienceMs = GOOD_MS): Tally {
  let due = 0
  let open = 0
  let came = 0
  /** Replies that came though the wire left it open: they must not stand in for one that is due. */
  let extra = 0
  let broken: Error | null = null
  let wake = (): void => undefined
  const kept = new Set<string>()
  const answered = new Set<string>()
  const isComplete = (): boolean => broken !== null || (came - extra >= due && answered.size >= kept.size)
  const replies = (): Replies => ({ due: due + kept.size, open, came: came + answered.size })
  return {
    sent(more, perhaps = 0) {
      due += more
      open += perhaps
    },
    came() {
      came += 1
      wake()
    },
    kept(key) {
      kept.add(key)
    },
    answered(key) {
      if (answered.has(key)) broken ??= new Error(`${key} was answered twice`)
      answered.add(key)
      wake()
    },
    fault(error) {
      broken ??= error
      wake()
    },
    async settled() {
      const complete = new Promise<void>((resolve) => {
        wake = () => isComplete() && resolve()
        wake()
      })
      await within(patienceMs, () => `${came} of ${due} replies and ${answered.size} of ${kept.size} answers have come`, complete)
      if (broken !== null) throw broken
      for (const key of answered) if (!kept.has(key)) throw new Error(`${key} was answered and never kept`)
      checkReplies(replies())
      extra = came - due
    },
    get replies() {
      return replies()
    }
  }
}
