// Keeps the bearer token of the AI service: asked for by every connection, fetched and refreshed once for all of them.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { abortable } from '../link/abort.ts'

export interface Token {
  readonly value: string
  /** Unix ms; null: it does not say. */
  readonly expiresAt: number | null
}

/** Where tokens come from: a fixed one, the embedded service, later an OpenID provider. */
export interface TokenSource {
  /**
   * The token as it is now; null where the service needs none. `refused` is the one that the service did not take: then
   * another one must come, or `unauthenticated` with words for the person.
   */
  obtain(options: { readonly refused: Token | null; readonly signal: AbortSignal }): Promise<Token | null>
}

export interface TokenKeeper {
  /** Shaped for `ServiceAddress.token`. Callers at the same time share one request. @throws CopilotError */
  token(options: { readonly refresh: boolean; readonly signal: AbortSignal }): Promise<string | null>
  /** Ends a request under way. */
  stop(): void
}

/** Fetched anew this long before it expires, so that no call leaves with a token that ends on its way. */
const AHEAD_MS = 60_000

export function createTokenKeeper(source: TokenSource, clock: Clock): TokenKeeper {
  const ended = new AbortController()
  let held: Token | null = null
  let known = false
  let fetching: Promise<Token | null> | null = null

  async function obtain(refused: Token | null): Promise<Token | null> {
    const token = await source.obtain({ refused, signal: ended.signal })
    held = token
    known = true
    return token
  }
  const fresh = (): boolean => known && (held === null || held.expiresAt === null || held.expiresAt - AHEAD_MS > clock.now())

  return {
    async token({ refresh, signal }) {
      if (fetching === null && !refresh && fresh()) return held?.value ?? null
      fetching ??= obtain(refresh ? held : null).finally(() => (fetching = null))
      return (await abortable(fetching, signal))?.value ?? null
    },
    stop: () => ended.abort()
  }
}

/** A token that was given to us, such as ASIDE_TOKEN; there is no second one to try. null: the service needs none. */
export function fixedToken(value: string | null): TokenSource {
  return {
    obtain({ refused }) {
      if (refused === null) return Promise.resolve(value === null ? null : { value, expiresAt: null })
      const error = new CopilotError(
        'unauthenticated',
        'The AI service did not accept the token in ASIDE_TOKEN. Set a valid one and start Aside again; your questions are kept.'
      )
      return Promise.reject(error)
    }
  }
}

/** The token of the embedded service, made anew at each of its starts; read whenever it is needed. */
export function launchToken(current: () => string | null): TokenSource {
  return {
    obtain() {
      const value = current()
      return Promise.resolve(value === null ? null : { value, expiresAt: null })
    }
  }
}
