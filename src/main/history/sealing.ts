// Sealing of keys with AES-256-GCM: by a key derived from a person's passphrase, or by another key. Used for the key of the
// history and for backups.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt, scryptSync } from 'node:crypto'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'

/** How hard a guess is. Stored beside what was sealed, so that it can be raised one day without locking anybody out. */
export const scryptSchema = z.object({
  salt: z.base64(),
  cost: z
    .number()
    .int()
    .min(2)
    .max(1_048_576)
    .refine((cost) => Number.isInteger(Math.log2(cost))),
  blockSize: z.number().int().min(1).max(32),
  parallelization: z.number().int().min(1).max(16)
})
export type ScryptParameters = z.infer<typeof scryptSchema>

/** 128 MiB and 0.35 s of one core for each guess (OWASP's first recommendation for scrypt). Argon2 is not in Electron's BoringSSL. */
const COST = { cost: 131_072, blockSize: 8, parallelization: 1 } as const
/** More memory than this is not spent on anybody's file, bytes. */
const MOST_MEMORY = 1_073_741_824
const WRAP_LENGTH = 32
const NONCE_LENGTH = 12
const TAG_LENGTH = 16

export type Randomness = (length: number) => Uint8Array

export function newScrypt(random: Randomness = randomBytes, cost: number = COST.cost): ScryptParameters {
  return { salt: Buffer.from(random(16)).toString('base64'), ...COST, cost }
}

function scryptOptions({ cost, blockSize, parallelization }: ScryptParameters): { N: number; r: number; p: number; maxmem: number } {
  const memory = 128 * cost * blockSize * parallelization
  if (memory > MOST_MEMORY)
    throw new CopilotError('invalid_request', 'This file asks for more memory than Aside spends on a passphrase. Nothing was changed.')
  return { N: cost, r: blockSize, p: parallelization, maxmem: memory + 33_554_432 }
}

/** The same passphrase typed on another keyboard may come in other code points. */
const bytesOf = (passphrase: string): Buffer => Buffer.from(passphrase.normalize('NFKC'), 'utf8')

/** In the thread pool: 0.35 s. */
export function wrapKeyOf(passphrase: string, parameters: ScryptParameters): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(bytesOf(passphrase), Buffer.from(parameters.salt, 'base64'), WRAP_LENGTH, scryptOptions(parameters), (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

/** For threads that have nothing else to do. */
export function wrapKeyOfSync(passphrase: string, parameters: ScryptParameters): Uint8Array {
  return scryptSync(bytesOf(passphrase), Buffer.from(parameters.salt, 'base64'), WRAP_LENGTH, scryptOptions(parameters))
}

/** A key for one purpose made of another. */
export function derivedKey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), purpose, WRAP_LENGTH))
}

/** `about` is not secret, but must be the same when it is opened. */
export function seal(secret: Uint8Array, wrapKey: Uint8Array, about: string, random: Randomness = randomBytes): Uint8Array {
  const nonce = random(NONCE_LENGTH)
  const cipher = createCipheriv('aes-256-gcm', wrapKey, nonce)
  cipher.setAAD(Buffer.from(about))
  const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
  return Uint8Array.from(Buffer.concat([nonce, cipher.getAuthTag(), sealed]))
}

/** Null when it was sealed with another key, or is not what was sealed. */
export function unseal(sealed: Uint8Array, wrapKey: Uint8Array, about: string): Uint8Array | null {
  if (sealed.byteLength < NONCE_LENGTH + TAG_LENGTH) return null
  const decipher = createDecipheriv('aes-256-gcm', wrapKey, sealed.subarray(0, NONCE_LENGTH), { authTagLength: TAG_LENGTH })
  decipher.setAAD(Buffer.from(about))
  decipher.setAuthTag(sealed.subarray(NONCE_LENGTH, NONCE_LENGTH + TAG_LENGTH))
  const opened = decipher.update(sealed.subarray(NONCE_LENGTH + TAG_LENGTH))
  try {
    return Uint8Array.from(Buffer.concat([opened, decipher.final()]))
  } catch (error) {
    // OpenSSL says nothing more than that it does not fit.
    if (error instanceof Error && /auth|unable/i.test(error.message)) return null
    throw error
  }
}
