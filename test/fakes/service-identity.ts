// A small identity provider: its keys over HTTP, and tokens signed with them or with what they are mistaken for.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey } from 'jose'

export interface Identity extends AsyncDisposable {
  readonly issuer: string
  readonly audience: string
  readonly keyId: string
  readonly privateKey: CryptoKey
  /** The public key as text: what a confused service would take for a shared secret. */
  readonly publicKeyText: string
  /** Settings of a service that trusts it. */
  readonly environment: Readonly<Record<string, string>>
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>
}

export async function startIdentity(): Promise<Identity> {
  const keyId = 'k1'
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: keyId, alg: 'RS256', use: 'sig' }] })
  const server = createServer((_request, response) => response.setHeader('content-type', 'application/json').end(keys))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = 'https://login.example.com/'
  const audience = 'aside'
  return {
    issuer,
    audience,
    keyId,
    privateKey,
    publicKeyText: await exportSPKI(publicKey),
    environment: {
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: audience,
      AUTH_JWKS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    },
    token: async (claims = {}) =>
      await new SignJWT({ iss: issuer, aud: audience, sub: 'anna', exp: Math.floor(Date.now() / 1_000) + 600, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: keyId })
        .sign(privateKey),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
