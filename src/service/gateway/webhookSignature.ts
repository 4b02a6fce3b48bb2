// Whether a webhook comes from who it says, and now: the signature of the Standard Webhooks specification
// (https://www.standardwebhooks.com), HMAC-SHA256 over `id.timestamp.body`. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { CopilotError } from '../../shared/errors.ts'

export interface SignedDelivery {
  /** Header `webhook-id`. */
  readonly id: string | undefined
  /** Header `webhook-timestamp`: Unix seconds. */
  readonly timestamp: string | undefined
  /** Header `webhook-signature`: `v1,BASE64`, several of them separated by spaces while a secret is changed. */
  readonly signature: string | undefined
  readonly body: Buffer
}

/** A delivery older than this, or as far in the future, is refused: it may be a recorded one. */
const TOLERANCE_MS = 300_000

/** Base64, without the version. A secret `whsec_…` stands for the bytes behind it in base64. */
export function signatureOf(secret: string, id: string, timestamp: string, body: Buffer): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
}

/** The delivery's id. Throws `unauthenticated` without saying which part was wrong; `invalid_request` for headers that are missing. */
export function verifyDelivery({ id, timestamp, signature, body }: SignedDelivery, secret: string, now: number): string {
  if (id === undefined || timestamp === undefined || signature === undefined) {
    throw new CopilotError('unauthenticated', 'A webhook needs the headers webhook-id, webhook-timestamp and webhook-signature.')
  }
  if (!/^[\x21-\x7e]{1,256}$/.test(id)) throw new CopilotError('invalid_request', 'webhook-id must have 1 to 256 visible characters.')
  const expected = Buffer.from(signatureOf(secret, id, timestamp, body))
  const isSigned = signature
    .split(' ')
    .slice(0, 10)
    .map((entry) => Buffer.from(entry.startsWith('v1,') ? entry.slice(3) : ''))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected))
  const isRecent = /^\d{1,12}$/.test(timestamp) && Math.abs(now - Number(timestamp) * 1_000) <= TOLERANCE_MS
  if (!isSigned || !isRecent) {
    throw new CopilotError(
      'unauthenticated',
      'The webhook’s signature does not fit, or it is older than five minutes. Check the secret and the clock of the sender.'
    )
  }
  return id
}
