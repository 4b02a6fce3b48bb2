// Tokens of an organisation's identity provider, checked against its published keys (JWKS). Keys that the provider turns to
// are fetched when a token names one that is not known yet; keys that it withdraws stop working with the next fetch.
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { isReservedName, isSomebodysOwn, ownOrganisation, type Caller } from './caller.ts'
import { highestRole } from './permissions.ts'

export interface IdentityProviderSettings {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
  /** Where the roles stand in the token; dots go deeper, such as `realm_access.roles`. */
  readonly rolesClaim: string
  /** Of everybody whose token names none; null: each is one of their own, so that strangers share no budget (ADR 0051). */
  readonly organisation: string | null
}

export interface IdentityProvider {
  readonly issuer: string
  /** Throws `unauthenticated`, or `unavailable` when the provider's keys can't be had. */
  verify(token: string): Promise<Caller>
}

/** Only signatures with a public key: with a shared secret everybody who can check could also sign. `none` is not among them. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const FETCH_TIMEOUT_MS = 5_000
/** Unknown key ids ask for the keys again at most this often. */
const COOLDOWN_MS = 10_000
const KEYS_KEPT_MS = 600_000
const CLOCK_TOLERANCE_S = 5

const claimsSchema = z.object({
  sub: z.string().min(1).max(128),
  exp: z.number(),
  org: z.string().min(1).max(128).optional().catch(undefined),
  tier: z.string().max(64).optional().catch(undefined)
})

export function createIdentityProvider(
  settings: IdentityProviderSettings,
  { clock, cooldownMs = COOLDOWN_MS }: { readonly clock: Clock; readonly cooldownMs?: number }
): IdentityProvider {
  const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: cooldownMs,
    cacheMaxAge: KEYS_KEPT_MS
  })
  return {
    issuer: settings.issuer,
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms: ALGORITHMS,
          issuer: settings.issuer,
          audience: settings.audience,
          requiredClaims: ['sub', 'exp'],
          clockTolerance: CLOCK_TOLERANCE_S,
          currentDate: new Date(clock.now())
        })
        const claims = claimsSchema.parse(payload)
        if (isReservedName(claims.sub)) throw new CopilotError('unauthenticated', 'The token names a user that is reserved for the service itself.')
        if (claims.org !== undefined && isSomebodysOwn(claims.org))
          throw new CopilotError('unauthenticated', 'The token names an organisation that is reserved for one person.')
        return {
          userId: claims.sub,
          role: highestRole(rolesIn(payload, settings.rolesClaim)),
          expiresAt: claims.exp * 1_000,
          organisation: claims.org ?? settings.organisation ?? ownOrganisation(claims.sub),
          ...(claims.tier === undefined ? {} : { tier: claims.tier })
        }
      } catch (error) {
        throw faultOf(error)
      }
    }
  }
}

function rolesIn(payload: object, path: string): string[] {
  let found: unknown = payload
  for (const name of path.split('.')) {
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? (found as Record<string, unknown>)[name] : undefined
  }
  const named = typeof found === 'string' ? found.split(/[\s,]+/) : Array.isArray(found) ? found : []
  return named.filter((role): role is string => typeof role === 'string')
}

function faultOf(error: unknown): CopilotError {
  if (error instanceof CopilotError) return error
  if (error instanceof errors.JWTExpired) return new CopilotError('unauthenticated', 'The sign-in has expired. Sign in again.', { cause: error })
  // The service can't tell a good token from a bad one now; the client keeps the question and tries again.
  const isFetch =
    error instanceof TypeError || error instanceof errors.JWKSTimeout || (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC')
  if (isFetch || error instanceof errors.JWKSInvalid) {
    return new CopilotError('unavailable', 'The identity provider’s keys can’t be fetched right now. Your question is kept; try again in a moment.', {
      cause: error,
      retryAfterMs: COOLDOWN_MS
    })
  }
  return new CopilotError('unauthenticated', 'The token is not valid for this service. Sign in again.', { cause: error })
}
