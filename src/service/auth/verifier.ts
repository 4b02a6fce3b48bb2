// Reads bearer tokens: the service's own JWTs, and the per-launch token of the desktop that started it.
import { createHash, timingSafeEqual } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { requireFresh, type Caller } from './caller.ts'
import { ALGORITHM, AUDIENCE, ISSUER, type SigningKeys } from './keys.ts'

export interface TokenVerifier {
  /** Throws `unauthenticated`, with a reason a person can act on. A good token is remembered until it runs out. */
  verify(token: string | undefined): Promise<Caller>
}

export interface VerifierOptions {
  readonly keys: SigningKeys
  readonly launchToken: string | null
  readonly clock: Clock
}

/** Longer ones are refused unread. */
const LONGEST_TOKEN = 8_192
/** Signatures cost 100 µs and more: a connection that sends the same token with each call pays once. */
const REMEMBERED_TOKENS = 2_000

const claimsSchema = z.object({
  sub: z.string().min(1).max(128),
  exp: z.number(),
  role: z.string().min(1).max(64).default('user'),
  org: z.string().min(1).max(128).optional(),
  tier: z.string().max(64).optional()
})

export function createVerifier({ keys, launchToken, clock }: VerifierOptions): TokenVerifier {
  const remembered = new Map<string, Caller>()
  const launchDigest = launchToken === null ? null : digest(launchToken)

  const read = async (token: string): Promise<Caller> => {
    try {
      const { payload } = await jwtVerify(token, keys.publicKey, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'exp', 'jti'],
        currentDate: new Date(clock.now())
      })
      const claims = claimsSchema.parse(payload)
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
      const seen = digest(token)
      if (launchDigest !== null && timingSafeEqual(seen, launchDigest)) return { userId: 'local', role: 'admin', expiresAt: null }
      const key = seen.toString('base64')
      const known = remembered.get(key)
      if (known !== undefined) {
        requireFresh(known, clock.now())
        return known
      }
      const caller = await read(token)
      if (remembered.size >= REMEMBERED_TOKENS) remembered.delete(remembered.keys().next().value ?? '')
      remembered.set(key, caller)
      return caller
    }
  }
}

/** The token in an `Authorization` header, or undefined. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +([^\s]+)\s*$/i.exec(header)?.[1]
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function refused(message: string, cause?: unknown): CopilotError {
  return new CopilotError('unauthenticated', message, { cause })
}
