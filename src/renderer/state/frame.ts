// Collects work into one run per painted frame, so that streaming text costs at most one render per frame.

export interface FrameScheduler {
  /** Runs the work once, at the next frame; soon also where a hidden window paints none. Returns its cancellation. */
  request(work: () => void): () => void
}

/** A hidden window has no frames, but what it knows must stay current: its notifications and title use it. */
const HIDDEN_WINDOW_MS = 120

export function browserFrames(): FrameScheduler {
  return {
    request: (work) => {
      const run = (): void => {
        cancel()
        work()
      }
      const frame = requestAnimationFrame(run)
      const timer = setTimeout(run, HIDDEN_WINDOW_MS)
      const cancel = (): void => {
        cancelAnimationFrame(frame)
        clearTimeout(timer)
      }
      return cancel
    }
  }
}
