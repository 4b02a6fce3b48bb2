// Tokens that must not get in, made with the service's own key where that makes them harder to tell from good ones.
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { addClientKey, revokeClientKey } from '../../src/service/auth/clientKeys.ts'
import { AUDIENCE, ISSUER, signingKeys } from '../../src/service/auth/keys.ts'
import type { Identity } from './service-identity.ts'

const as = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** By what is wrong with them. */
export async function badTokens(dataDir: string): Promise<Readonly<Record<string, string>>> {
  const keys = await signingKeys(dataDir)
  const other = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const now = Math.floor(Date.now() / 1_000)
  const claims = { role: 'admin', jti: 'j', sub: 'anna', iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 600 }
  const signed = async (changed: Record<string, unknown>, key = keys.privateKey, header: object = {}): Promise<string> =>
    await new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: 'EdDSA', ...header }).sign(key)
  const good = await signed({})
  const [head = '', body = '', signature = ''] = good.split('.')
  const revoked = await addClientKey(dataDir, { name: 'Gone', now: Date.now(), ttlMs: null })
  await revokeClientKey(dataDir, revoked.id, Date.now())
  const ended = await addClientKey(dataDir, { name: 'Ended', now: Date.now() - 120_000, ttlMs: 60_000 })
  return {
    expired: await signed({ exp: now - 1 }),
    'not yet valid': await signed({ nbf: now + 3_600 }),
    forged: await signed({}, other.privateKey),
    'alg:none': new UnsecuredJWT(claims).encode(),
    'alg:none with a signature': [as({ alg: 'none' }), body, signature].join('.'),
    'alg:nOnE': [as({ alg: 'nOnE' }), body, ''].join('.'),
    'alg:HS256 with the public key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(JSON.stringify(keys.publicKey))),
    'a key of its own in the header': await signed({}, other.privateKey, { jwk: await exportJWK(other.publicKey) }),
    'wrong audience': await signed({ aud: 'someone-else' }),
    'wrong issuer': await signed({ iss: 'someone-else' }),
    'without an end': await signed({ exp: undefined }),
    'a name that is the service’s own': await signed({ sub: 'local' }),
    'another subject under an old signature': [head, as({ ...claims, sub: 'boss' }), signature].join('.'),
    'a client key that was revoked': revoked.key,
    'a client key that has run out': ended.key,
    'a client key that nobody made': `aside_00000000_${'A'.repeat(43)}`,
    'no token at all': 'x',
    'nine thousand characters': `${good}${'x'.repeat(9_000)}`
  }
}

/** Tokens that go wrong only where an identity provider is trusted beside the service's own key. */
export async function badIdentityTokens(identity: Identity, dataDir: string): Promise<Readonly<Record<string, string>>> {
  const keys = await signingKeys(dataDir)
  const { issuer, audience, keyId, privateKey, publicKeyText, token } = identity
  const now = Math.floor(Date.now() / 1_000)
  const claims = { iss: issuer, aud: audience, sub: 'anna', jti: 'j', exp: now + 600, roles: ['admin'] }
  const own = { ...claims, iss: ISSUER, aud: AUDIENCE }
  const other = await generateKeyPair('RS256')
  return {
    'the provider’s: expired': await token({ exp: now - 60 }),
    'the provider’s: not yet valid': await token({ nbf: now + 3_600 }),
    'the provider’s: wrong audience': await token({ aud: AUDIENCE }),
    'the provider’s: for a reserved name': await token({ sub: 'client:abc' }),
    'the provider’s: alg:none': new UnsecuredJWT(claims).encode(),
    'the provider’s: forged under its key id': await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: keyId }).sign(other.privateKey),
    'the provider’s: a key id that it does not have': await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k9' }).sign(privateKey),
    'the provider’s: RS256 taken for HS256': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: keyId })
      .sign(Buffer.from(publicKeyText)),
    'our issuer, the provider’s key': await new SignJWT(own).setProtectedHeader({ alg: 'RS256', kid: keyId }).sign(privateKey),
    'the provider’s issuer, our key': await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid: keyId }).sign(keys.privateKey)
  }
}
