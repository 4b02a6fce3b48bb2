// Time, ids and randomness are injected: these are the ports.

export interface Clock {
  /** Unix ms. */
  now(): number
}
export const systemClock: Clock = { now: () => Date.now() }

/** A new UUIDv7: sorts by time, unique across machines. */
export type NewId = () => string
/** Uniform in [0, 1). */
export type Random = () => number
