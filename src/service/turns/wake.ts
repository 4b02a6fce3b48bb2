// A bell for one who waits: rung before it is waited for, it is not lost.
export interface Wake {
  ring(): void
  /** Resolves at the first ring since the last time; at once when there was one. */
  rung(): Promise<void>
}

export function createWake(): Wake {
  let isRung = false
  let waiting: (() => void) | null = null
  return {
    ring() {
      isRung = true
      waiting?.()
    },
    async rung() {
      if (!isRung) await new Promise<void>((resolve) => (waiting = resolve))
      isRung = false
      waiting = null
    }
  }
}
