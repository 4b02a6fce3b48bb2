// Makes bearer tokens that this service accepts, for the command line and for tests.
import { SignJWT } from 'jose'
import { ALGORITHM, AUDIENCE, ISSUER, type SigningKeys } from './keys.ts'

export interface TokenOrder {
  readonly userId: string
  readonly role: string
  /** Who pays; absent: the one of all callers without a name. */
  readonly organisation?: string
  /** Of the limits file; absent: the default one. */
  readonly tier?: string
  readonly ttlMs: number
  /** Unix ms. */
  readonly now: number
  /** Unique id of the token. */
  readonly tokenId: string
}

export async function issueToken(keys: SigningKeys, order: TokenOrder): Promise<string> {
  const { role, organisation: org, tier } = order
  return await new SignJWT({ role, ...(org === undefined ? {} : { org }), ...(tier === undefined ? {} : { tier }) })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(order.userId)
    .setJti(order.tokenId)
    .setIssuedAt(Math.floor(order.now / 1_000))
    .setExpirationTime(Math.floor((order.now + order.ttlMs) / 1_000))
    .sign(keys.privateKey)
}
