// Work that may take longer than a moment is done in steps, so that whoever runs it can look at its messages in between.

/** Yields whenever some milliseconds have passed; returns the result. Closing it early gives up the work. */
export type Steps<T> = Generator<undefined, T, undefined>

/** All steps at once, where nobody waits. */
export function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** How long a step may take before it lets others in, ms. */
export const STEP_MS = 4

/** Says when a step has had its time; asking it after that begins the next one. */
export function stepTimer(now: () => number = () => performance.now()): () => boolean {
  let began = now()
  return () => {
    const at = now()
    if (at - began < STEP_MS) return false
    began = at
    return true
  }
}
