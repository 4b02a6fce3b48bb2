// The connections that are open, counted by person: nobody can take all of them.
import { CopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import type { Bounds } from './bounds.ts'

export interface Places {
  /** Takes a place; the result gives it back, once. Throws `rate_limited` when there is none. */
  enter(caller: Caller): () => void
  readonly taken: number
}

/** How long to wait before trying again: connections end by themselves within this when their clients have gone. */
const RETRY_MS = 30_000

export function createPlaces({ connectionsPerUser, connections }: Pick<Bounds, 'connectionsPerUser' | 'connections'>): Places {
  const byUser = new Map<string, number>()
  let taken = 0
  return {
    enter({ userId }) {
      const own = byUser.get(userId) ?? 0
      if (own >= connectionsPerUser) {
        throw new CopilotError('rate_limited', `At most ${connectionsPerUser} connections of one person are open at a time. Close one.`, {
          retryAfterMs: RETRY_MS
        })
      }
      if (taken >= connections) {
        throw new CopilotError('rate_limited', 'The service has as many connections as it takes. Try again in a moment.', { retryAfterMs: RETRY_MS })
      }
      byUser.set(userId, own + 1)
      taken += 1
      let isOpen = true
      return () => {
        if (!isOpen) return
        isOpen = false
        taken -= 1
        const left = (byUser.get(userId) ?? 1) - 1
        if (left === 0) byUser.delete(userId)
        else byUser.set(userId, left)
      }
    },
    get taken() {
      return taken
    }
  }
}
