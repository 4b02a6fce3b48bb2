// Why a provider failed: finer than our error table, so that a router can tell what another provider would answer better.
import { CopilotError, type CopilotErrorOptions, type ErrorCode } from '../../shared/errors.ts'

/**
 * `rate_limited` (see `retryAfterMs`), `overloaded`: later or elsewhere. `unauthenticated`: the service's key is refused.
 * `unavailable`: not reached, failing, or answering something that is not its protocol. `timeout`: quiet for too long.
 * `cut`: the answer broke off. `invalid`, `context_too_large`, `refused`: another provider of the same kind would say the same.
 */
export type FailureKind =
  'rate_limited' | 'overloaded' | 'unauthenticated' | 'invalid' | 'context_too_large' | 'refused' | 'unavailable' | 'timeout' | 'cut'

/** A refused key is the service's trouble and not the caller's: never `unauthenticated`, which would make clients sign in again. */
const codes: Readonly<Record<FailureKind, ErrorCode>> = {
  rate_limited: 'rate_limited',
  overloaded: 'unavailable',
  unauthenticated: 'unavailable',
  invalid: 'invalid_request',
  context_too_large: 'context_too_large',
  refused: 'refused',
  unavailable: 'unavailable',
  timeout: 'timeout',
  cut: 'unavailable'
}

/** An expected failure of a provider. Its message is for people and never holds a key or what an upstream wrote. */
export class ProviderFailure extends CopilotError {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, options: CopilotErrorOptions = {}) {
    super(codes[kind], message, options)
    this.kind = kind
  }
}
