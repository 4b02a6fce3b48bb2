// What a failure means for who answers next. Pure.
import { CopilotError, isAbort } from '../../shared/errors.ts'
import { ProviderFailure, type FailureKind } from '../providers/failure.ts'

/**
 * `again`: another provider may answer, or the same one a moment later. `elsewhere`: only another one. `larger`: only one
 * that takes more. `final`: whoever is asked would say the same.
 */
export type Fate = 'again' | 'elsewhere' | 'larger' | 'final'

const fates: Readonly<Record<FailureKind, Fate>> = {
  rate_limited: 'again',
  overloaded: 'again',
  unavailable: 'again',
  timeout: 'elsewhere',
  cut: 'again',
  unauthenticated: 'elsewhere',
  context_too_large: 'larger',
  invalid: 'final',
  refused: 'final'
}

/** A bug, or a failure that is not a provider's (the ledger's, the caller's), is final. */
export function fateOf(error: unknown): Fate {
  return error instanceof ProviderFailure ? fates[error.kind] : 'final'
}

/** Whether the breaker and the health record hold it against the provider; a question nobody would answer is not its fault. */
export function isProvidersFault(error: unknown): boolean {
  const fate = fateOf(error)
  return fate === 'again' || fate === 'elsewhere'
}

/** What a provider throws becomes a failure with a kind. A bug in it is told as it is: it must not look like an outage. */
export function toProviderFailure(error: unknown, name: string): unknown {
  if (error instanceof ProviderFailure || isAbort(error) || !(error instanceof CopilotError)) return error
  const options = { cause: error, ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }) }
  switch (error.code) {
    case 'unavailable':
    case 'timeout':
    case 'rate_limited':
    case 'context_too_large':
    case 'refused':
      return new ProviderFailure(error.code, error.message, options)
    case 'invalid_request':
      return new ProviderFailure('invalid', error.message, options)
    case 'unauthenticated':
    case 'forbidden':
      return new ProviderFailure('unauthenticated', `${name} refused the service.`, options)
    default:
      return error
  }
}
