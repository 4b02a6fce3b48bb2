// How one connection behaves: how fast it speaks, and how often in a row it had to be refused.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Bounds } from './bounds.ts'

export interface Conduct {
  /** Counts one message. Throws `rate_limited` when they come faster than is taken. */
  message(): void
  /** Counts one refusal; true when there were so many in a row that the connection ends. */
  refused(): boolean
  /** The last message was a good one. */
  accepted(): void
}

export function createConduct({ burst, perSecond, refusalsInARow }: Bounds, clock: Clock): Conduct {
  // A token bucket, full at the start.
  let tokens = burst
  let filledAt = clock.now()
  let refusals = 0
  return {
    message() {
      const now = clock.now()
      tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1_000) * perSecond)
      filledAt = now
      if (tokens < 1) {
        throw new CopilotError('rate_limited', 'Messages come faster than they are taken. This one was not; send it again in a moment.', {
          retryAfterMs: Math.ceil(((1 - tokens) / perSecond) * 1_000)
        })
      }
      tokens -= 1
    },
    refused() {
      refusals += 1
      return refusals >= refusalsInARow
    },
    accepted() {
      refusals = 0
    }
  }
}
