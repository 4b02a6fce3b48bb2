// Seals secrets at rest: the port. Here a key file beside the store; a key management service fits behind the same two calls.
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto'
import { CopilotError } from '../../shared/errors.ts'

export interface Sealer {
  /** `context` is bound to the result: it opens only with the same one. */
  seal(secret: string, context: string): Promise<string>
  /** Throws `CopilotError` when it was sealed by another key, for another context, or changed since. */
  open(sealed: string, context: string): Promise<string>
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORM = 'v1.'

/** Random nonces are drawn by the hundred: drawing one costs as much as sealing a line. */
const POOL_BYTES = NONCE_BYTES * 256
const pool = Buffer.alloc(POOL_BYTES)
let drawn = POOL_BYTES

/** To be used at once: the pool is filled anew when it has been drawn. */
function newNonce(): Buffer {
  if (drawn === POOL_BYTES) {
    randomFillSync(pool)
    drawn = 0
  }
  drawn += NONCE_BYTES
  return pool.subarray(drawn - NONCE_BYTES, drawn)
}

/** AES-256-GCM with a random nonce for each seal. `key` is 32 bytes in hex. */
export function createKeyFileSealer(key: string): Sealer {
  const bytes = Buffer.from(key, 'hex')
  if (bytes.length !== 32) throw new RangeError('the sealing key must be 32 bytes in hex')
  // As a key object: Node looks 14 µs long at what plain bytes might be, each time.
  const secretKey = createSecretKey(bytes)
  return {
    async seal(secret, context) {
      const nonce = newNonce()
      const cipher = createCipheriv(ALGORITHM, secretKey, nonce).setAAD(Buffer.from(context))
      const sealed = cipher.update(secret, 'utf8')
      // In this mode nothing is left for the end.
      cipher.final()
      return FORM + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
    },
    async open(sealed, context) {
      const content = Buffer.from(sealed.startsWith(FORM) ? sealed.slice(FORM.length) : '', 'base64')
      try {
        const decipher = createDecipheriv(ALGORITHM, secretKey, content.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
          .setAAD(Buffer.from(context))
          .setAuthTag(content.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
        return Buffer.concat([decipher.update(content.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
      } catch (error) {
        throw new CopilotError('invalid_request', 'A sealed key can’t be opened: it was changed, or sealed by another key file. Set it again.', {
          cause: error
        })
      }
    }
  }
}
