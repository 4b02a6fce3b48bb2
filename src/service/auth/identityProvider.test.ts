// Tokens of a real (small) identity provider over HTTP: keys are fetched, turned to new ones and withdrawn.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose'
import { describe, expect, it } from 'vitest'
import { fakeClock, tempFolder } from '../../../test/fakes/service-parts.ts'
import { createIdentityProvider } from './identityProvider.ts'
import { issueToken } from './issuer.ts'
import { AUDIENCE, ISSUER, signingKeys } from './keys.ts'
import { createVerifier } from './verifier.ts'

const issuer = 'https://login.example.com/'
const audience = 'aside'

interface Pair {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}
async function pair(kid: string, alg = 'RS256'): Promise<Pair> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) }
}

async function setUp(first: readonly Pair[], rolesClaim = 'roles', organisation: string | null = null) {
  let published = first
  let answers: 'keys' | 'fault' | 'nonsense' = 'keys'
  let fetched = 0
  const server = createServer((_, response) => {
    fetched += 1
    if (answers === 'fault') return void response.writeHead(500).end('no')
    if (answers === 'nonsense') return void response.end('{"keys":"none"}')
    void Promise.all(published.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }))).then((keys) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clock = fakeClock(Date.now())
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  const identityProvider = createIdentityProvider({ issuer, audience, jwksUrl, rolesClaim, organisation }, { clock, cooldownMs: 0 })
  const folder = await tempFolder()
  const keys = await signingKeys(folder.path)
  const verifier = createVerifier({ keys, launchToken: null, identityProvider, clock })
  const seconds = Math.floor(clock.now() / 1_000)
  const token = (by: Pair, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt, claims: Record<string, unknown> = {}): Promise<string> =>
    change(
      new SignJWT(claims)
        .setProtectedHeader({ alg: by.alg, kid: by.kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('anna')
        .setExpirationTime(seconds + 60)
    ).sign(by.privateKey)
  return {
    verifier, clock, keys, token, seconds,
    publish: (next: readonly Pair[]) => void (published = next),
    answer: (how: typeof answers) => void (answers = how),
    fetched: () => fetched,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await folder[Symbol.asyncDispose]()
    }
  } // prettier-ignore
}

describe('identity provider', () => {
  it('lets its people in beside the tokens of the service itself', async () => {
    const rsa = await pair('k1')
    await using idp = await setUp([rsa])
    expect(await idp.verifier.verify(await idp.token(rsa))).toEqual({
      userId: 'anna',
      role: 'user',
      organisation: 'user:anna',
      expiresAt: (idp.seconds + 60) * 1_000
    })
    const own = await issueToken(idp.keys, { userId: 'bob', role: 'admin', ttlMs: 60_000, now: idp.clock.now(), tokenId: 'j' })
    expect(await idp.verifier.verify(own)).toMatchObject({ userId: 'bob', role: 'admin' })
  })

  it.each([
    ['roles', { roles: ['user', 'manager'] }, 'manager'],
    ['roles', { roles: 'admin manager' }, 'admin'],
    ['realm_access.roles', { realm_access: { roles: ['admin'] } }, 'admin'],
    ['roles', { roles: ['superuser'] }, 'user'],
    ['roles', { role: 'admin' }, 'user'],
    ['__proto__.roles', {}, 'user'],
    ['roles', { roles: { admin: true } }, 'user']
  ])('reads roles from %s of %j', async (claim, claims, role) => {
    const rsa = await pair('k1')
    await using idp = await setUp([rsa], claim)
    expect(await idp.verifier.verify(await idp.token(rsa, (jwt) => jwt, claims))).toMatchObject({ role })
  })

  it('puts nobody into an organisation with strangers unasked', async () => {
    const rsa = await pair('k1')
    await using apart = await setUp([rsa])
    const of = async (idp: typeof apart, claims: Record<string, unknown>): Promise<string | undefined> =>
      (await idp.verifier.verify(await idp.token(rsa, (jwt) => jwt, claims))).organisation
    expect(await of(apart, {})).toBe('user:anna')
    expect(await of(apart, { org: 'contoso' })).toBe('contoso')
    for (const org of ['', 5, null]) expect(await of(apart, { org })).toBe('user:anna')
    // Whose name it is, and not who asks.
    await expect(of(apart, { org: 'user:bob' })).rejects.toMatchObject({ code: 'unauthenticated' })
    await using together = await setUp([rsa], 'roles', 'northwind')
    expect(await of(together, {})).toBe('northwind')
    expect(await of(together, { org: 'contoso' })).toBe('contoso')
  })

  it('follows the provider to new keys, and forgets those it withdraws', async () => {
    const [old, fresh] = await Promise.all([pair('k1'), pair('k2', 'ES256')])
    await using idp = await setUp([old])
    await idp.verifier.verify(await idp.token(old))
    idp.publish([fresh])
    expect(await idp.verifier.verify(await idp.token(fresh))).toMatchObject({ userId: 'anna' })
    await expect(idp.verifier.verify(await idp.token(old, (jwt) => jwt.setJti('new')))).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('asks once for the keys of many tokens', async () => {
    const rsa = await pair('k1')
    await using idp = await setUp([rsa])
    await Promise.all(Array.from({ length: 10 }, async (_, index) => idp.verifier.verify(await idp.token(rsa, (jwt) => jwt.setJti(String(index))))))
    expect(idp.fetched()).toBe(1)
  })

  it('says that it can’t tell, instead of sending somebody away, when the keys can’t be had', async () => {
    const rsa = await pair('k1')
    await using idp = await setUp([rsa])
    for (const how of ['fault', 'nonsense'] as const) {
      idp.answer(how)
      await expect(idp.verifier.verify(await idp.token(rsa))).rejects.toMatchObject({ code: 'unavailable' })
    }
    idp.answer('keys')
    expect(await idp.verifier.verify(await idp.token(rsa))).toMatchObject({ userId: 'anna' })
  })

  it('refuses forged, unsigned, misdirected, stale and presumptuous tokens', async () => {
    const [rsa, other] = await Promise.all([pair('k1'), pair('k1')])
    await using idp = await setUp([rsa])
    const publicPart = new TextEncoder().encode(JSON.stringify(await exportJWK(rsa.publicKey)))
    const bad: Record<string, string> = {
      forged: await idp.token(other),
      unsigned: new UnsecuredJWT({}).setIssuer(issuer).setAudience(audience).setSubject('anna').setExpirationTime(idp.seconds + 60).encode(),
      'public key as a secret': await new SignJWT({}).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).setIssuer(issuer).setAudience(audience).setSubject('anna').setExpirationTime(idp.seconds + 60).sign(publicPart),
      audience: await idp.token(rsa, (jwt) => jwt.setAudience('someone-else')),
      expired: await idp.token(rsa, (jwt) => jwt.setExpirationTime(idp.seconds - 60)),
      'not yet': await idp.token(rsa, (jwt) => jwt.setNotBefore(idp.seconds + 600)),
      'the desktop': await idp.token(rsa, (jwt) => jwt.setSubject('local')),
      'a client key': await idp.token(rsa, (jwt) => jwt.setSubject('client:abcdefgh')),
      'issued by the service': await idp.token(rsa, (jwt) => jwt.setIssuer(ISSUER).setAudience(AUDIENCE).setJti('j')),
      endless: await new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).setIssuer(issuer).setAudience(audience).setSubject('anna').sign(rsa.privateKey)
    } // prettier-ignore
    for (const [name, token] of Object.entries(bad)) {
      await expect(idp.verifier.verify(token).then(() => name)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('looks at a remembered token again after five minutes', async () => {
    const [old, fresh] = await Promise.all([pair('k1'), pair('k2')])
    await using idp = await setUp([old])
    const token = await idp.token(old, (jwt) => jwt.setExpirationTime(idp.seconds + 3_600))
    await idp.verifier.verify(token)
    idp.publish([fresh])
    await idp.verifier.verify(await idp.token(fresh))
    await expect(idp.verifier.verify(token)).resolves.toMatchObject({ userId: 'anna' })
    idp.clock.set(idp.clock.now() + 300_001)
    await expect(idp.verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})
