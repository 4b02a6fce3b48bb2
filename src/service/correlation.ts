// The id under which everything that one message brings about can be found: in the logs, in errors, at the next service. It travels
// beside the calls, so that no room has to hand it on.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { NewId } from '../shared/kit/clock.ts'

/** Header and gRPC metadata, in and out. */
export const CORRELATION_HEADER = 'x-correlation-id'

const current = new AsyncLocalStorage<string>()
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Everything that `run` does, also later, belongs to this id. */
export function correlated<T>(id: string, run: () => T): T {
  return current.run(id, run)
}

/** Of what is being done; undefined: nobody asked for it. */
export function correlationId(): string | undefined {
  return current.getStore()
}

/** The client's own id, when it is a UUID; anything else would let a client write what it likes into the logs. */
export function acceptedId(offered: unknown, newId: NewId): string {
  return typeof offered === 'string' && UUID.test(offered) ? offered.toLowerCase() : newId()
}

/** `correlation_id` of a frame, its `data` or its `metadata`, unchecked. */
export function offeredIn(frame: unknown): unknown {
  if (typeof frame !== 'object' || frame === null) return undefined
  if ('correlation_id' in frame) return frame.correlation_id
  const inner = 'data' in frame ? frame.data : 'metadata' in frame ? frame.metadata : undefined
  return typeof inner === 'object' && inner !== null && 'correlation_id' in inner ? inner.correlation_id : undefined
}
