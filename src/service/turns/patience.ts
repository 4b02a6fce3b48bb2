// Waits out a store that is away for a moment: what is tried again must be safe to repeat.
import { CopilotError } from '../../shared/errors.ts'

export interface Patience {
  /** Tries again while the store says `unavailable`, up to the end of its time; then that is thrown. */
  <T>(attempt: () => Promise<T>): Promise<T>
}

export interface PatienceOptions {
  readonly forMs: number
  /** Ends all waiting: the next `unavailable` is thrown. */
  readonly signal: AbortSignal
  /** Calls back when it is worth trying again at once; the result ends it. */
  readonly onBack: (listener: () => void) => () => void
  readonly monotonic?: () => number
}

const TRY_EVERY_MS = 200

export function createPatience({ forMs, signal, onBack, monotonic = () => performance.now() }: PatienceOptions): Patience {
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer)
        endBack()
        signal.removeEventListener('abort', go)
        resolve()
      }
      const timer = setTimeout(go, TRY_EVERY_MS)
      const endBack = onBack(go)
      signal.addEventListener('abort', go, { once: true })
    })
  return async (attempt) => {
    const until = monotonic() + forMs
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof CopilotError && error.code === 'unavailable') || signal.aborted || monotonic() >= until) throw error
        await pause()
      }
    }
  }
}
