// Which tokens get in.
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { fakeClock, tempFolder } from '../../../test/fakes/service-parts.ts'
import { requireFresh, requireSameUser } from './caller.ts'
import { issueToken } from './issuer.ts'
import { AUDIENCE, ISSUER, signingKeys, type SigningKeys } from './keys.ts'
import { bearerToken, createVerifier, protocolToken, refuseTokenInUrl } from './verifier.ts'

const clock = fakeClock()
const order = { userId: 'anna', role: 'user', ttlMs: 60_000, now: clock.now(), tokenId: 'j1' }
let keys: SigningKeys
beforeAll(async () => {
  await using folder = await tempFolder()
  keys = await signingKeys(folder.path)
})
const verifier = (launchToken: string | null = null) => createVerifier({ keys, launchToken, clock })

describe('verifier', () => {
  it('reads who it is from its own token', async () => {
    const token = await issueToken(keys, order)
    expect(await verifier().verify(token)).toEqual({ userId: 'anna', role: 'user', expiresAt: clock.now() + 60_000 })
  })

  it('accepts the launch token as the local admin, and nothing near it', async () => {
    expect(await verifier('launch-me').verify('launch-me')).toEqual({ userId: 'local', role: 'admin', isOwner: true, expiresAt: null })
    for (const wrong of ['launch-m', 'launch-me ', 'Launch-me', 'launch-mee']) {
      await expect(verifier('launch-me').verify(wrong)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('refuses a remembered token once it has expired', async () => {
    const own = fakeClock()
    const remembering = createVerifier({ keys, launchToken: null, clock: own })
    const token = await issueToken(keys, order)
    await remembering.verify(token)
    own.set(own.now() + 60_000)
    await expect(remembering.verify(token)).rejects.toMatchObject({ code: 'unauthenticated', message: expect.stringContaining('expired') })
  })

  it.each(['', undefined, 'x', 'a.b.c', '\u0000', 'x'.repeat(9_000)])('refuses what is no token (%#)', async (token) => {
    await expect(verifier().verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('refuses forged, unsigned, misdirected, stale and incomplete ones', async () => {
    const other = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
    const seconds = Math.floor(clock.now() / 1_000)
    const claims = () =>
      new SignJWT({ role: 'admin' })
        .setSubject('anna')
        .setJti('j')
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setExpirationTime(seconds + 60)
    const sign = (jwt: SignJWT, key = keys.privateKey) => jwt.setProtectedHeader({ alg: 'EdDSA' }).sign(key)
    const unsigned = new UnsecuredJWT({ role: 'admin' })
      .setSubject('anna')
      .setJti('j')
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(seconds + 60)
      .encode()
    const good = await sign(claims())
    const [head, , signature] = good.split('.')
    const tampered = [
      head,
      Buffer.from(JSON.stringify({ sub: 'boss', exp: seconds + 60, jti: 'j', iss: ISSUER, aud: AUDIENCE })).toString('base64url'),
      signature
    ].join('.')
    const hmac = await new SignJWT({})
      .setSubject('anna')
      .setJti('j')
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(seconds + 60)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32))
    const bad = {
      forged: await sign(claims(), other.privateKey),
      unsigned,
      tampered,
      hmac,
      expired: await sign(claims().setExpirationTime(seconds - 1)),
      audience: await sign(claims().setAudience('someone-else')),
      issuer: await sign(claims().setIssuer('someone-else')),
      endless: await sign(new SignJWT({}).setSubject('anna').setJti('j').setIssuer(ISSUER).setAudience(AUDIENCE)),
      nobody: await sign(
        new SignJWT({})
          .setJti('j')
          .setIssuer(ISSUER)
          .setAudience(AUDIENCE)
          .setExpirationTime(seconds + 60)
      )
    }
    expect(await verifier().verify(good)).toMatchObject({ userId: 'anna' })
    for (const [name, token] of Object.entries(bad)) {
      await expect(
        verifier()
          .verify(token)
          .then(() => name)
      ).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('says what is wrong with a key file instead of making tokens worthless in silence', async () => {
    await using folder = await tempFolder()
    const { writeFile } = await import('node:fs/promises')
    await writeFile(`${folder.path}/token-key.json`, '{"kty":"OKP"}')
    await expect(signingKeys(folder.path)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('damaged') })
  })
})

describe('caller', () => {
  it('speaks for itself only', () => {
    const caller = { userId: 'anna', role: 'user', expiresAt: 10 }
    expect(() => requireSameUser(caller, 'anna')).not.toThrow()
    expect(() => requireSameUser(caller, '')).not.toThrow()
    expect(() => requireSameUser(caller, 'bob')).toThrow(expect.objectContaining({ code: 'forbidden' }))
    expect(() => requireFresh(caller, 9)).not.toThrow()
    expect(() => requireFresh(caller, 10)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  })

  it('is read from a protocol entry, which the answer does not repeat where anything else was offered', () => {
    expect(protocolToken(['erp', 'bearer.abc'])).toEqual({ token: 'abc', protocol: 'erp' })
    expect(protocolToken(['bearer', 'a.b.c'])).toEqual({ token: 'a.b.c', protocol: 'bearer' })
    expect(protocolToken(['a.b.c'])).toEqual({ token: 'a.b.c', protocol: 'a.b.c' })
    expect(protocolToken(['a.b.c', 'erp.v1'])).toEqual({ token: 'a.b.c', protocol: 'erp.v1' })
    expect(protocolToken(['erp'])).toEqual({ token: undefined, protocol: 'erp' })
    expect(protocolToken([''])).toEqual({ token: undefined, protocol: '' })
  })

  it('is refused in an address under any of its names', () => {
    for (const url of ['/ws?token=x', '/ws?a=1&ACCESS_TOKEN=x', '/socket.io/?EIO=4&jwt=']) {
      expect(() => refuseTokenInUrl(url)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
    }
    for (const url of [undefined, '/ws', '/socket.io/?EIO=4&transport=polling&sid=token']) expect(() => refuseTokenInUrl(url)).not.toThrow()
  })

  it('is read from a bearer header only', () => {
    expect(bearerToken('Bearer abc')).toBe('abc')
    expect(bearerToken('bearer  abc ')).toBe('abc')
    for (const header of [undefined, '', 'abc', 'Basic abc', 'Bearer a b']) expect(bearerToken(header)).toBeUndefined()
  })
})
