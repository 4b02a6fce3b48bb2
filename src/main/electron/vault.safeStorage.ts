// The vault on Electron's safeStorage. Where Linux has only its plain-text back end nothing is pretended: the secret is
// kept as it is, in a file that only this account can read, and the person is told.
import { safeStorage } from 'electron'
import { CopilotError } from '../../shared/errors.ts'
import type { Vault } from '../auth/vault.ts'

const PLAIN = 'plain:'
const SEALED = 'vault:'
const LOCKED =
  'The key of your history is locked by the system’s keychain of another account or machine. Nothing was deleted. Sign in as the person who made it, or move the data folder aside to start afresh.'

/** After `ready` only: before it the back end is not known. */
export async function createSafeStorageVault(platform: NodeJS.Platform): Promise<Vault> {
  const plainOnly = platform === 'linux' && ['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend())
  const usable = !plainOnly && (await safeStorage.isAsyncEncryptionAvailable())
  return {
    kind: usable ? 'vault' : 'file',
    async seal(secret) {
      const text = Buffer.from(secret).toString('base64')
      if (!usable) return Buffer.from(PLAIN + text)
      return Buffer.from(SEALED + (await safeStorage.encryptStringAsync(text)).toString('base64'))
    },
    async open(sealed) {
      const text = Buffer.from(sealed).toString('utf8')
      if (text.startsWith(PLAIN)) return Buffer.from(text.slice(PLAIN.length), 'base64')
      if (!text.startsWith(SEALED) || !usable) throw new CopilotError('unauthenticated', LOCKED)
      try {
        const { result } = await safeStorage.decryptStringAsync(Buffer.from(text.slice(SEALED.length), 'base64'))
        return Buffer.from(result, 'base64')
      } catch (error) {
        throw new CopilotError('unauthenticated', LOCKED, { cause: error })
      }
    }
  }
}
