// New ids of the service: UUIDv7 as everywhere, with randomness that is drawn for many of them at once.
import { v7 } from 'uuid'
import { systemClock, type Clock, type NewId } from '../shared/kit/clock.ts'

export interface IdsOptions {
  readonly clock?: Clock
  /** Fills with randomness that nobody can foretell. */
  readonly fill?: (bytes: Uint8Array) => void
}

/** Randomness for so many ids is drawn at once: a draw is a call of the system, which costs more than all else about an id. */
const DRAWN_AT_ONCE = 256
const RANDOM_BYTES = 16

/** Each id of the result sorts after those before it, also within a millisecond and when the clock is set back (RFC 9562, 6.2, method 1). */
export function createIds({ clock = systemClock, fill = drawn }: IdsOptions = {}): NewId {
  const pool = new Uint8Array(DRAWN_AT_ONCE * RANDOM_BYTES)
  const view = new DataView(pool.buffer)
  let at = pool.length
  let msecs = Number.NEGATIVE_INFINITY
  let seq = 0
  return () => {
    if (at === pool.length) {
      fill(pool)
      at = 0
    }
    const now = clock.now()
    if (now > msecs) {
      msecs = now
      // 31 bits: the highest stays free, so that counting on from there does not run over.
      seq = view.getUint32(at + 6) >>> 1
    } else {
      seq = (seq + 1) >>> 0
      if (seq === 0) msecs += 1
    }
    const random = pool.subarray(at, at + RANDOM_BYTES)
    at += RANDOM_BYTES
    return v7({ random, msecs, seq })
  }
}

function drawn(bytes: Uint8Array): void {
  crypto.getRandomValues(bytes)
}
