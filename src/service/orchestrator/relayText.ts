// What people read when providers change or nobody is left. Pure.
import { CopilotError } from '../../shared/errors.ts'
import { ProviderFailure } from '../providers/failure.ts'
import type { Provider } from '../providers/provider.ts'

type Named = Pick<Provider, 'name' | 'kind'>

export interface FailedAttempt {
  readonly member: { readonly provider: Named }
  readonly error: unknown
}

export interface Switch {
  /** Who fell or stood still since somebody was last heard. */
  readonly left: readonly { readonly provider: Named }[]
  readonly failures: readonly FailedAttempt[]
  readonly midAnswer: boolean
}

/** The words about who answers; null: nothing to say. */
export function failoverText(winner: Named, { left, failures, midAnswer }: Switch): string | null {
  if (left.length === 0) {
    return winner.kind === 'local' && !midAnswer ? 'Answered from the built-in knowledge; no language model was asked.' : null
  }
  const names = [...new Set(left.map(({ provider }) => provider.name))]
  const reasons = names.map((name) => {
    const { error } = failures.findLast(({ member }) => member.provider.name === name) ?? {}
    return error instanceof CopilotError ? error.message : `${name} was quiet for too long.`
  })
  const who = winner.kind === 'local' ? 'from the built-in knowledge, without a language model,' : `by ${winner.name}`
  return `${midAnswer ? 'Continued' : 'Answered'} ${who} after ${listed(names)} failed: ${reasons.join(' ')}`
}

/** What the caller is told when nobody is left to try. A bug stays what it is. */
export function nobodyLeft(failures: readonly FailedAttempt[], said: string): unknown {
  const last = failures.at(-1)?.error
  if (failures.length > 0 && !(last instanceof CopilotError)) return last
  const error =
    last instanceof CopilotError
      ? last
      : new CopilotError('unavailable', 'Nobody can answer right now. The question is kept; try again.', { retryAfterMs: 5_000 })
  if (said === '') return error
  const { code, message, ...rest } = error.toWire()
  return new CopilotError(code, `${message} What arrived is kept; ask again for the rest.`, { ...rest, cause: error })
}

export function brokenOff({ provider }: { readonly provider: Named }): ProviderFailure {
  return new ProviderFailure('cut', `${provider.name} broke off before its answer was complete.`)
}

export function answeredNothing({ provider }: { readonly provider: Named }): ProviderFailure {
  return new ProviderFailure('unavailable', `${provider.name} answered with nothing.`)
}

export function standsStill({ provider }: { readonly provider: Named }): ProviderFailure {
  return new ProviderFailure('timeout', `${provider.name} was quiet for too long.`)
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}
