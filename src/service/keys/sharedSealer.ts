// A sealer that every process with the same signing key has, without a further secret to hand out.
import { hkdfSync } from 'node:crypto'
import type { SigningKeys } from '../auth/keys.ts'
import { createKeyFileSealer, type Sealer } from './sealer.ts'

/**
 * Its key is drawn from an Ed25519 signature: that is the same each time, and nobody makes it without the private key. `purpose` is
 * signed for nothing else, and its signature goes nowhere.
 */
export async function sharedSealer({ privateKey }: SigningKeys, purpose: string): Promise<Sealer> {
  const drawn = await crypto.subtle.sign('Ed25519', privateKey, Buffer.from(`aside sealer: ${purpose}`))
  return createKeyFileSealer(Buffer.from(hkdfSync('sha256', Buffer.from(drawn), '', purpose, 32)).toString('hex'))
}
