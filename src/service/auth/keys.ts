// The service's own signing key: an Ed25519 pair kept in the data folder, made by whoever needs it first.
import { join } from 'node:path'
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import { CopilotError } from '../../shared/errors.ts'
import { secretFile } from '../store/secretFile.ts'

/** The only algorithm ever accepted: what a token says about its own is not asked. */
export const ALGORITHM = 'EdDSA'
export const ISSUER = 'aside'
export const AUDIENCE = 'aside-service'

export interface SigningKeys {
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

/** Throws `CopilotError` when the folder can't be used or the file is not a key. */
export async function signingKeys(dataDir: string): Promise<SigningKeys> {
  const path = join(dataDir, 'token-key.json')
  const content = await secretFile(path, async () => {
    const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true })
    return JSON.stringify(await exportJWK(pair.privateKey))
  })
  try {
    const { d, ...publicPart } = JSON.parse(content) as JWK
    const [privateKey, publicKey] = await Promise.all([importJWK({ ...publicPart, d }, ALGORITHM), importJWK(publicPart, ALGORITHM)])
    if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array || d === undefined) throw new TypeError('not a key pair')
    return { privateKey, publicKey }
  } catch (error) {
    throw new CopilotError(
      'unavailable',
      `The key file ${path} is damaged. Move it away and start again: a new key is made, and tokens made with the old one stop working.`,
      { cause: error }
    )
  }
}
