// Tokens that must not get in, made with the service's own key where that makes them harder to tell from good ones.
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { AUDIENCE, ISSUER, signingKeys } from '../../src/service/auth/keys.ts'

/** By what is wrong with them. */
export async function badTokens(dataDir: string): Promise<Readonly<Record<string, string>>> {
  const keys = await signingKeys(dataDir)
  const other = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  const now = Math.floor(Date.now() / 1_000)
  const claims = { role: 'admin', jti: 'j', sub: 'anna', iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 600 }
  const signed = async (changed: Partial<typeof claims>, key = keys.privateKey): Promise<string> =>
    await new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg: 'EdDSA' }).sign(key)
  const good = await signed({})
  const [head = '', body = '', signature = ''] = good.split('.')
  const as = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  return {
    expired: await signed({ exp: now - 1 }),
    forged: await signed({}, other.privateKey),
    'alg:none': new UnsecuredJWT(claims).encode(),
    'alg:none with a signature': [as({ alg: 'none' }), body, signature].join('.'),
    'alg:HS256 with the public key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(JSON.stringify(keys.publicKey))),
    'wrong audience': await signed({ aud: 'someone-else' }),
    'wrong issuer': await signed({ iss: 'someone-else' }),
    'another subject under an old signature': [head, as({ ...claims, sub: 'boss' }), signature].join('.'),
    'no token at all': 'x'
  }
}
