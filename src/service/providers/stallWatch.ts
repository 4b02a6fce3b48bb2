// Aborts an upstream that has gone quiet: no first piece in time, or too long between two.
export interface StallWatch {
  readonly signal: AbortSignal
  /** Something came: the wait starts again. */
  readonly progress: () => void
  readonly stop: () => void
}

export function createStallWatch(timeoutMs: number): StallWatch {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), timeoutMs)
  return { signal: controller.signal, progress: () => timer.refresh(), stop: () => clearTimeout(timer) }
}
