// `safeStorage`: Chromium's own 'basic_text' format (v10, a password that is no secret), the only one that Linux has without a keychain.
import type { SafeStorage } from 'electron'
import { createCipheriv, createDecipheriv, pbkdf2Sync } from 'node:crypto'
import { hooks } from './hooks.ts'
import { needReady, state } from './state.ts'
import { strictModule } from './strict.ts'

const PREFIX = 'v10'
const KEY = pbkdf2Sync('peanuts', 'saltysalt', 1, 16, 'sha1')
const IV = Buffer.alloc(16, ' ')
const READY = 'safeStorage cannot be used before app is ready'
let plainTextAllowed = false

function isAvailable(): boolean {
  needReady(READY)
  return process.platform !== 'linux' || plainTextAllowed || hooks.keychain
}

function encrypt(text: string): Buffer {
  if (!isAvailable()) throw new Error('Error while encrypting the text provided to safeStorage.encryptString. Encryption is not available.')
  const cipher = createCipheriv('aes-128-cbc', KEY, IV)
  return Buffer.concat([Buffer.from(PREFIX), cipher.update(text, 'utf8'), cipher.final()])
}

function decrypt(encrypted: Buffer): string {
  const failed = 'Error while decrypting the ciphertext provided to safeStorage.decryptString.'
  if (!isAvailable()) throw new Error(`${failed} Decryption is not available.`)
  if (!Buffer.isBuffer(encrypted) || encrypted.toString('latin1', 0, PREFIX.length) !== PREFIX)
    throw new Error(`${failed} Ciphertext does not appear to be encrypted.`)
  const decipher = createDecipheriv('aes-128-cbc', KEY, IV)
  return Buffer.concat([decipher.update(encrypted.subarray(PREFIX.length)), decipher.final()]).toString('utf8')
}

export const safeStorage = strictModule('safeStorage', 'SafeStorage', {
  isEncryptionAvailable: (): boolean => state.ready && isAvailable(),
  encryptString: encrypt,
  decryptString: decrypt,
  isAsyncEncryptionAvailable: async (): Promise<boolean> => isAvailable(),
  encryptStringAsync: async (text: string): Promise<Buffer> => encrypt(text),
  decryptStringAsync: async (encrypted: Buffer): Promise<{ result: string; shouldReEncrypt: boolean }> => ({
    result: decrypt(encrypted),
    shouldReEncrypt: false
  }),
  getSelectedStorageBackend(): 'unknown' | 'gnome_libsecret' | 'basic_text' {
    if (!state.ready) return 'unknown'
    return hooks.keychain ? 'gnome_libsecret' : 'basic_text'
  },
  setUsePlainTextEncryption(allowed: boolean): void {
    plainTextAllowed = allowed
  }
} satisfies Partial<SafeStorage>)
