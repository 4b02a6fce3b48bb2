import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import type { Vault } from '../auth/vault.ts'
import { KEY_FILE, loadOrCreateKey, type KeyLoaded } from './key.ts'

const clock = { now: () => Date.UTC(2026, 0, 15, 9) }

/** Wraps by its number; opens only what it wrapped itself. */
function vaultOf(account: number, kind: Vault['kind'] = 'vault'): Vault {
  const turn = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ account)
  return {
    kind,
    seal: (secret) => Promise.resolve(Uint8Array.of(account, ...turn(secret))),
    open: (sealed) =>
      sealed[0] === account
        ? Promise.resolve(turn(sealed.subarray(1)))
        : Promise.reject(new CopilotError('unauthenticated', 'Sealed by another account.'))
  }
}

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-key-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))
const file = (): string => join(dataDir, KEY_FILE)
const load = (vault: Vault): Promise<KeyLoaded> => loadOrCreateKey({ dataDir, vault, clock })

describe('the key of the history', () => {
  it('is made once and the same ever after', async () => {
    const first = await load(vaultOf(1))
    expect(first).toMatchObject({ kind: 'vault', incident: null })
    expect(first.key.byteLength).toBe(32)
    expect(await load(vaultOf(1))).toEqual(first)
    expect(readdirSync(dataDir)).toEqual([KEY_FILE])
  })

  it('differs from one history to the next', async () => {
    const first = await load(vaultOf(1))
    rmSync(file())
    expect((await load(vaultOf(1))).key).not.toEqual(first.key)
  })

  it('lies sealed, for its owner only', async () => {
    const { key } = await load(vaultOf(5, 'file'))
    const stored = readFileSync(file(), 'utf8')
    expect(JSON.parse(stored)).toEqual({ version: 1, kind: 'file', sealed: expect.any(String) })
    for (const form of ['hex', 'base64', 'latin1'] as const) expect(stored).not.toContain(Buffer.from(key).toString(form))
    // Windows knows no such modes; there the folder's own rights protect it.
    expect(process.platform === 'win32' || (statSync(file()).mode & 0o777) === 0o600).toBe(true)
  })

  it.each([
    ['sealed by another account', null],
    ['cut short', '{"version":1,"kind":"vau'],
    ['empty', ''],
    ['of the wrong length', JSON.stringify({ version: 1, kind: 'vault', sealed: Buffer.of(2, 9, 9).toString('base64') })]
  ])('is kept under another name when it is %s, and the person is told', async (_, content) => {
    await load(vaultOf(1))
    if (content !== null) writeFileSync(file(), content)
    const before = readFileSync(file(), 'utf8')
    const loaded = await load(vaultOf(2))
    const name = 'history-set-aside-2026-01-15T09-00-00-000Z.key'
    expect(loaded.incident).toContain(name)
    expect(readFileSync(join(dataDir, name), 'utf8')).toBe(before)
    expect(await load(vaultOf(2))).toEqual({ ...loaded, incident: null })
  })

  it('is not touched when the vault is only locked for the moment', async () => {
    await load(vaultOf(1))
    const before = readFileSync(file(), 'utf8')
    const locked: Vault = { ...vaultOf(1), open: () => Promise.reject(new CopilotError('unavailable', 'The keychain is locked.')) }
    await expect(load(locked)).rejects.toMatchObject({ code: 'unavailable' })
    expect(readdirSync(dataDir)).toEqual([KEY_FILE])
    expect(readFileSync(file(), 'utf8')).toBe(before)
  })

  it('asks for the passphrase it is protected by', async () => {
    const scrypt = { salt: 'AAAA', cost: 131_072, blockSize: 8, parallelization: 1 }
    writeFileSync(file(), JSON.stringify({ version: 1, kind: 'passphrase', scrypt, sealed: 'AAAA' }))
    await expect(load(vaultOf(1))).rejects.toMatchObject({ code: 'unauthenticated', message: expect.stringContaining('passphrase') })
  })

  it('is one key when two make it at once', async () => {
    const both = await Promise.all([load(vaultOf(1)), load(vaultOf(1))])
    expect(both[0].key).toEqual(both[1].key)
    expect(readdirSync(dataDir)).toEqual([KEY_FILE])
  })

  it('says what to do when the folder cannot be written', async () => {
    writeFileSync(join(dataDir, 'file'), '')
    const blocked = loadOrCreateKey({ dataDir: join(dataDir, 'file', 'data'), vault: vaultOf(1), clock })
    await expect(blocked).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining("can't write") })
  })
})
