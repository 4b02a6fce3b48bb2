// Reads bearer tokens: the service's own JWTs, those of an organisation's identity provider, keys of other services, and the
// per-launch token of the desktop that started it.
import { hash, timingSafeEqual } from 'node:crypto'
import { decodeJwt, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { isReservedName, requireFresh, type Caller } from './caller.ts'
import type { ClientKeys } from './clientKeys.ts'
import type { IdentityProvider } from './identityProvider.ts'
import { ALGORITHM, AUDIENCE, ISSUER, type SigningKeys } from './keys.ts'

export interface TokenVerifier {
  /** Throws `unauthenticated`, with a reason a person can act on. A good token is remembered until it runs out. */
  verify(token: string | undefined): Promise<Caller>
}

export interface VerifierOptions {
  readonly keys: SigningKeys
  readonly launchToken: string | null
  /** Absent: only the service's own tokens get in. */
  readonly identityProvider?: IdentityProvider | null
  readonly clientKeys?: ClientKeys | null
  readonly clock: Clock
}

/** Longer ones are refused unread. */
const LONGEST_TOKEN = 8_192
/** Signatures cost 100 µs and more: a connection that sends the same token with each call pays once. */
const REMEMBERED_TOKENS = 2_000
/** A token is checked anew after this long: the key that signed it may have been withdrawn. */
const REMEMBERED_MS = 300_000

const claimsSchema = z.object({
  sub: z.string().min(1).max(128),
  exp: z.number(),
  role: z.string().min(1).max(64).default('user'),
  org: z.string().min(1).max(128).optional(),
  tier: z.string().max(64).optional()
})

export function createVerifier({ keys, launchToken, identityProvider = null, clientKeys = null, clock }: VerifierOptions): TokenVerifier {
  /** By the token itself, which is in memory with every call anyway: a digest for each of them is dearer than all else here. */
  const remembered = new Map<string, { readonly caller: Caller; readonly since: number }>()
  const launchDigest = launchToken === null ? null : digest(launchToken)

  const read = async (token: string): Promise<Caller> => {
    if (identityProvider !== null && issuerOf(token) === identityProvider.issuer) return await identityProvider.verify(token)
    try {
      const { payload } = await jwtVerify(token, keys.publicKey, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'exp', 'jti'],
        currentDate: new Date(clock.now())
      })
      const claims = claimsSchema.parse(payload)
      if (isReservedName(claims.sub)) throw new RangeError('a reserved name')
      return {
        userId: claims.sub,
        role: claims.role,
        expiresAt: claims.exp * 1_000,
        ...(claims.org === undefined ? {} : { organisation: claims.org }),
        ...(claims.tier === undefined ? {} : { tier: claims.tier })
      }
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw refused('The sign-in has expired. Sign in again.', error)
      throw refused('The token is not valid for this service. Sign in again.', error)
    }
  }

  return {
    async verify(token) {
      if (token === undefined || token === '') throw refused('No token was sent. Sign in, or send one as "Authorization: Bearer …".')
      if (token.length > LONGEST_TOKEN) throw refused('The token is too long to be one of this service.')
      const known = remembered.get(token)
      if (known !== undefined) {
        const now = clock.now()
        if (Math.abs(now - known.since) < REMEMBERED_MS) {
          requireFresh(known.caller, now)
          return known.caller
        }
        remembered.delete(token)
      }
      if (launchDigest !== null && timingSafeEqual(digest(token), launchDigest)) {
        return { userId: 'local', role: 'admin', isOwner: true, expiresAt: null }
      }
      const client = clientKeys?.verify(token) ?? null
      if (client !== null) return client
      const caller = await read(token)
      if (remembered.size >= REMEMBERED_TOKENS) remembered.delete(remembered.keys().next().value ?? '')
      remembered.set(token, { caller, since: clock.now() })
      return caller
    }
  }
}

/** What the token says of its issuer, unchecked: only to choose who checks it. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    // Not a JWT: whoever checks it says so.
    return undefined
  }
}

/** The token in an `Authorization` header, or undefined. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +([^\s]+)\s*$/i.exec(header)?.[1]
}

/**
 * The token among the entries of `Sec-WebSocket-Protocol`, where browsers can put one: `bearer.TOKEN`, or `bearer` and
 * the token after it, or an entry that has the form of a JWT. `protocol` is the entry that the answer names: never the token, where
 * anything else was offered.
 */
export function protocolToken(entries: Iterable<string>): { readonly token: string | undefined; readonly protocol: string | undefined } {
  const all = [...entries]
  const named = all.findIndex((entry) => /^(bearer|access_token)$/i.test(entry))
  const carrier =
    all.find((entry) => /^bearer\./i.test(entry)) ??
    (named === -1 ? undefined : all[named + 1]) ??
    all.find((entry) => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(entry))
  return { token: carrier?.replace(/^bearer\./i, ''), protocol: all.find((entry) => entry !== carrier) ?? carrier }
}

/** Names under which clients are known to put tokens into addresses. */
const tokenNames = /^(token|access_token|id_token|auth|auth_token|authorization|bearer|jwt|api_key)$/i

/** Throws `unauthenticated` when the address carries a token: addresses end up in logs, so such a token is spent. */
export function refuseTokenInUrl(url: string | undefined): void {
  const query = url?.split('?', 2)[1]
  if (query === undefined) return
  for (const name of new URLSearchParams(query).keys()) {
    if (!tokenNames.test(name)) continue
    throw refused('No token is taken from the address, where logs could keep it. Send it as "Authorization: Bearer …", and get a new one.')
  }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function refused(message: string, cause?: unknown): CopilotError {
  return new CopilotError('unauthenticated', message, { cause })
}
