import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CopilotError } from '../../shared/errors.ts'
import type { Vault } from '../auth/vault.ts'
import { KEY_COPY, KEY_FILE, loadOrCreateKey, storeKeys, type KeysOpen } from './key.ts'

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
const copy = (): string => join(dataDir, KEY_COPY)
const BOTH = [KEY_FILE, KEY_COPY]
async function load(vault: Vault): Promise<KeysOpen> {
  const loaded = await loadOrCreateKey({ dataDir, vault, clock })
  if (loaded.state === 'locked') throw new Error('It is locked')
  return loaded
}

describe('the key of the history', () => {
  it('is made once and the same ever after', async () => {
    const first = await load(vaultOf(1))
    expect(first).toMatchObject({ kind: 'vault', incident: null })
    expect(first.keys.map((key) => key.byteLength)).toEqual([32])
    expect(await load(vaultOf(1))).toEqual(first)
    expect(readdirSync(dataDir)).toEqual(BOTH)
  })

  it('differs from one history to the next', async () => {
    const first = await load(vaultOf(1))
    for (const name of BOTH) rmSync(join(dataDir, name))
    expect((await load(vaultOf(1))).keys).not.toEqual(first.keys)
  })

  it('lies sealed, for its owner only', async () => {
    const {
      keys: [key]
    } = await load(vaultOf(5, 'file'))
    const stored = readFileSync(file(), 'utf8')
    expect(JSON.parse(stored)).toEqual({ version: 1, kind: 'file', sealed: expect.any(String) })
    for (const form of ['hex', 'base64', 'latin1'] as const) expect(stored).not.toContain(Buffer.from(key!).toString(form))
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
    if (content !== null) for (const name of BOTH) writeFileSync(join(dataDir, name), content)
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
    expect(readdirSync(dataDir)).toEqual(BOTH)
    expect(readFileSync(file(), 'utf8')).toBe(before)
  })

  it('is opened from its copy when the file is torn or gone, and the file is made whole again', async () => {
    const first = await load(vaultOf(1))
    const whole = readFileSync(file(), 'utf8')
    writeFileSync(file(), whole.slice(0, 20))
    expect(await load(vaultOf(1))).toEqual({ ...first, incident: expect.stringContaining('nothing was lost') })
    expect(readFileSync(file(), 'utf8')).toBe(whole)
    rmSync(file())
    expect((await load(vaultOf(1))).keys).toEqual(first.keys)
    rmSync(copy())
    expect(await load(vaultOf(1))).toEqual(first)
    expect(readFileSync(copy(), 'utf8')).toBe(whole)
  })

  it('is one key when two make it at once', async () => {
    const both = await Promise.all([load(vaultOf(1)), load(vaultOf(1))])
    expect(both[0].keys).toEqual(both[1].keys)
    expect(readdirSync(dataDir)).toEqual(BOTH)
  })

  it('says what to do when the folder cannot be written', async () => {
    writeFileSync(join(dataDir, 'file'), '')
    const blocked = loadOrCreateKey({ dataDir: join(dataDir, 'file', 'data'), vault: vaultOf(1), clock })
    await expect(blocked).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining("can't write") })
  })
})

describe('a passphrase', () => {
  const options = (vault = vaultOf(1)): Parameters<typeof storeKeys>[0] => ({ dataDir, vault, clock, scryptCost: 1_024 })
  async function locked(): Promise<(passphrase: string) => Promise<KeysOpen>> {
    const loaded = await loadOrCreateKey(options())
    if (loaded.state !== 'locked') throw new Error('It is open')
    return loaded.unlock
  }

  it('seals the keys: only it opens them, however it was typed, and a wrong one changes nothing', async () => {
    const { keys } = await load(vaultOf(1))
    expect(await storeKeys(options(), [...keys, new Uint8Array(32).fill(3)], 'caf\u00e9 au lait')).toBe('passphrase')
    const before = readFileSync(file(), 'utf8')
    for (const key of keys) expect(before).not.toContain(Buffer.from(key).toString('base64'))
    const unlock = await locked()
    await expect(unlock('cafe au lait')).rejects.toMatchObject({ code: 'unauthenticated', message: expect.stringContaining('Nothing was changed') })
    await expect(unlock('')).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(readFileSync(file(), 'utf8')).toBe(before)
    expect(await unlock('cafe\u0301 au lait')).toEqual({
      state: 'open',
      keys: [...keys, new Uint8Array(32).fill(3)],
      kind: 'passphrase',
      incident: null
    })
  })

  it('is changed and taken away, and the copy follows', async () => {
    const { keys } = await load(vaultOf(1))
    await storeKeys(options(), keys, 'one')
    await storeKeys(options(), keys, 'two')
    expect(readFileSync(copy(), 'utf8')).toBe(readFileSync(file(), 'utf8'))
    const unlock = await locked()
    await expect(unlock('one')).rejects.toMatchObject({ code: 'unauthenticated' })
    expect((await unlock('two')).keys).toEqual(keys)
    expect(await storeKeys(options(), keys, null)).toBe('vault')
    expect(await load(vaultOf(1))).toMatchObject({ keys, kind: 'vault' })
  })

  it('leaves the key as it was when what was written does not open', async () => {
    const { keys } = await load(vaultOf(1))
    const before = readFileSync(file(), 'utf8')
    const forgetful: Vault = { ...vaultOf(1), open: () => Promise.reject(new CopilotError('unauthenticated', 'Forgotten.')) }
    await expect(storeKeys(options(forgetful), keys, null)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('kept as it was')
    })
    expect(readFileSync(file(), 'utf8')).toBe(before)
    expect(readdirSync(dataDir)).toEqual(BOTH)
  })

  it('is asked for again when the file is torn, with the copy', async () => {
    const { keys } = await load(vaultOf(1))
    await storeKeys(options(), keys, 'secret')
    const whole = readFileSync(file(), 'utf8')
    writeFileSync(file(), whole.slice(0, 40))
    const unlock = await locked()
    expect(await unlock('secret')).toMatchObject({ keys, incident: expect.stringContaining('copy') })
    expect(readFileSync(file(), 'utf8')).toBe(whole)
  })

  it('does not spend any memory that a foreign file asks for', async () => {
    const scrypt = { salt: 'AAAA', cost: 1_048_576, blockSize: 32, parallelization: 16 }
    for (const name of BOTH) writeFileSync(join(dataDir, name), JSON.stringify({ version: 1, kind: 'passphrase', scrypt, sealed: 'AAAA' }))
    const unlock = await locked()
    await expect(unlock('x')).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
