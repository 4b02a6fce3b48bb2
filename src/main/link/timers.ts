// Timers as a port, so that waiting can be decided and tested without waiting.

export interface Timers {
  /** Runs `task` once after `ms`; returns the function that calls it off. */
  after(ms: number, task: () => void): () => void
}

export const systemTimers: Timers = {
  after(ms, task) {
    const handle = setTimeout(task, ms)
    return () => clearTimeout(handle)
  }
}
