// How a provider has done lately: its share of failures and its time to first text, both fading with time, so that an old
// fault is forgiven.
import type { Clock } from '../../shared/kit/clock.ts'

export interface Health {
  /** 0 to 1; fades to 0 while nothing is heard. */
  readonly errorRate: number
  /** Ms; null: nothing was measured lately. */
  readonly firstTextMs: number | null
}

export interface HealthRecord {
  readonly health: Health
  /** `firstTextMs` null: it came to no text. */
  sample(ok: boolean, firstTextMs: number | null): void
}

const HALF_LIFE_MS = 30_000
/** Weight of one sample. */
const WEIGHT = 0.2
/** A measurement this old (in half lives) is as good as none. */
const FORGOTTEN = 20

export function createHealthRecord(clock: Clock, halfLifeMs = HALF_LIFE_MS): HealthRecord {
  let errorRate = 0
  let errorsAt = clock.now()
  let firstTextMs: number | null = null
  let latencyAt = errorsAt

  const fadedErrors = (now: number): number => errorRate * 2 ** (-Math.max(0, now - errorsAt) / halfLifeMs)

  return {
    get health() {
      const now = clock.now()
      return { errorRate: fadedErrors(now), firstTextMs: now - latencyAt > FORGOTTEN * halfLifeMs ? null : firstTextMs }
    },
    sample(ok, sampleMs) {
      const now = clock.now()
      const faded = fadedErrors(now)
      errorRate = faded + WEIGHT * ((ok ? 0 : 1) - faded)
      errorsAt = now
      if (sampleMs === null) return
      firstTextMs = firstTextMs === null ? sampleMs : firstTextMs + WEIGHT * (sampleMs - firstTextMs)
      latencyAt = now
    }
  }
}
