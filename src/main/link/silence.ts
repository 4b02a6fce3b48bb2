// Notices a peer that has stopped talking in mid-turn. Armed only while we wait, so a slow reader is not mistaken for
// a silent peer.
import type { Timers } from './timers.ts'

export const SILENCE_LIMIT_MS = 120_000

export interface SilenceWatch {
  arm(): void
  disarm(): void
  expired(): boolean
}

export function createSilenceWatch(timers: Timers, limitMs: number, onSilence: () => void): SilenceWatch {
  let callOff: (() => void) | null = null
  let expired = false
  return {
    arm() {
      callOff?.()
      callOff = timers.after(limitMs, () => {
        expired = true
        onSilence()
      })
    },
    disarm() {
      callOff?.()
      callOff = null
    },
    expired: () => expired
  }
}
