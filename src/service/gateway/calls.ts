// Calls under way over gRPC and HTTP, by who makes them: whoever is sent away is told why on each of them, as on their sockets.
import { CopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import { roomOf, type Dismissals } from './dismissals.ts'
import type { AiError } from './foreignErrors.ts'

export interface Calls {
  /** Adds one that is under way, until the result is called. Sent away, its controller is aborted with what the client is to be told. */
  begin(caller: Caller, controller: AbortController): () => void
  stop(): void
}

/** The caller stops it. */
export function createCalls(dismissals: Pick<Dismissals, 'attend'>): Calls {
  // By user id, not by room: the name of one costs a hash, which only a dismissal is worth.
  const underWay = new Map<string, Set<AbortController>>()
  const stop = dismissals.attend({
    reach: 'process',
    end(room, told) {
      for (const [userId, controllers] of underWay) {
        if (roomOf(userId) === room) for (const controller of controllers) controller.abort(reasonFrom(told))
      }
    }
  })
  return {
    begin({ userId }, controller) {
      const own = underWay.get(userId) ?? new Set()
      underWay.set(userId, own.add(controller))
      return () => {
        own.delete(controller)
        if (own.size === 0 && underWay.get(userId) === own) underWay.delete(userId)
      }
    },
    stop
  }
}

/** Why the signal of a client that has hung up is aborted: one for all, since nobody reads where it was made. */
export const clientGone = new CopilotError('cancelled', 'The client has gone.')

/** Why the client of this signal was sent away; null while it was not, also when it has gone by itself. */
export function sentAway(signal: AbortSignal): CopilotError | null {
  return signal.aborted && signal.reason !== clientGone && signal.reason instanceof CopilotError ? signal.reason : null
}

/** Each call has a correlation id of its own. */
function reasonFrom({ error, message }: AiError): CopilotError {
  if (error === undefined) return new CopilotError('unavailable', message)
  const { correlationId: _dismissal, ...own } = error
  return CopilotError.fromWire(own)
}
