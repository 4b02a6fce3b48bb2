// The key of the history: 32 random bytes, wrapped by the operating system's vault or a passphrase, kept in `history.key`
// and, whole, in a copy beside it.
import { randomBytes } from 'node:crypto'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { HistoryStatus } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Vault } from '../auth/vault.ts'
import { linkPrivateFile, readIfThere, writePrivateFile } from './privateFile.ts'
import { newScrypt, scryptSchema, seal, unseal, wrapKeyOf } from './sealing.ts'
import { KEY_LENGTH } from './sqlite/connection.ts'
import { asStorageError } from './sqlite/failures.ts'
import { stampOf, syncFolder } from './sqlite/files.ts'

export const KEY_FILE = 'history.key'
/** The same again: a key that can't be read is a history that can't be read. */
export const KEY_COPY = 'history.key.copy'
/** Keys that the file holds at most: the present one, and former ones for older backups. */
const MOST_KEYS = 16

/**
 * What the file holds. `vault` and `file`: `sealed` is what the vault of that kind made of the keys. `passphrase`: the keys
 * wrapped with one derived from the person's passphrase by scrypt. The keys stand one behind the other, the present one first.
 */
const keyFileSchema = z.discriminatedUnion('kind', [
  z.object({ version: z.literal(1), kind: z.enum(['vault', 'file']), sealed: z.base64() }),
  z.object({ version: z.literal(1), kind: z.literal('passphrase'), scrypt: scryptSchema, sealed: z.base64() })
])
type KeyFile = z.infer<typeof keyFileSchema>
type SealedByPassphrase = Extract<KeyFile, { kind: 'passphrase' }>
export type KeyStorage = HistoryStatus['keyStorage']

export interface KeyOptions {
  readonly dataDir: string
  readonly vault: Vault
  readonly clock: Clock
  /** Cryptographically strong; replaced in tests only. */
  readonly random?: (length: number) => Uint8Array
  /** Of scrypt; lower in tests only. */
  readonly scryptCost?: number
}

export interface KeysOpen {
  readonly state: 'open'
  /** The present one first, then former ones, which open older backups. During a change of keys the next one is among them. */
  readonly keys: readonly Uint8Array[]
  /** How they are kept, for the person to see. */
  readonly kind: KeyStorage
  /** For people: set when there was a key that can't be opened any more; it was kept under another name. */
  readonly incident: string | null
}

export interface KeysLocked {
  readonly state: 'locked'
  /** @throws CopilotError `unauthenticated` for a wrong passphrase; nothing is changed by it. */
  unlock(passphrase: string): Promise<KeysOpen>
}

const WRONG = 'This is not the passphrase of the history. Nothing was changed; try again.'
const COPY_USED = 'The file of the history’s key was damaged or missing. Its copy was used, so nothing was lost.'

/**
 * The key of the history in this folder; makes it where there is none. A key that can't be opened is never overwritten.
 * @throws CopilotError `unavailable` when the folder can't be written; what the vault throws when it is only locked for
 *   the moment.
 */
export async function loadOrCreateKey(options: KeyOptions): Promise<KeysOpen | KeysLocked> {
  const { dataDir, vault, clock } = options
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const file = join(dataDir, KEY_FILE)
    const [stored, copied] = [await readIfThere(file), await readIfThere(join(dataDir, KEY_COPY))]
    const locked: SealedByPassphrase[] = []
    for (const text of stored === copied ? [stored] : [stored, copied]) {
      const parsed = text === null ? null : parseKeyFile(text)
      if (parsed === null) continue
      if (parsed.kind === 'passphrase') {
        locked.push(parsed)
        continue
      }
      const keys = await openByVault(parsed, vault)
      if (keys === null) continue
      const isCopy = text !== stored
      if (isCopy) await keepUnreadable(options)
      if (stored !== copied) await writeBoth(options, parsed)
      return { state: 'open', keys, kind: parsed.kind, incident: isCopy ? COPY_USED : null }
    }
    if (locked.length > 0) return { state: 'locked', unlock: (passphrase) => unlock(options, locked, passphrase) }
    if (stored === null && copied === null) return await create(options, null)
    const kept = await keepUnreadable(options)
    return await create(
      options,
      `The key of the history can't be opened: it was made by another account or computer, or its file is damaged. ` +
        `It is kept, unchanged, as ${kept} in ${dataDir}; a new key was made.`
    )
  } catch (error) {
    throw asStorageError(error, dataDir)
  }

  /** The name it is kept by. Only a file that can't be opened is moved; without one its copy is. */
  async function keepUnreadable({ dataDir: folder }: KeyOptions): Promise<string> {
    const name = `history-set-aside-${stampOf(clock.now())}.key`
    for (const [from, to] of [
      [KEY_FILE, name],
      [KEY_COPY, `${name}.copy`]
    ] as const) {
      if ((await readIfThere(join(folder, from))) !== null) await rename(join(folder, from), join(folder, to))
    }
    syncFolder(folder)
    return name
  }
}

/** Seals the keys anew and puts them in the place of the old file, which stays until the new one is proven to open. */
export async function storeKeys(options: KeyOptions, keys: readonly Uint8Array[], passphrase: string | null): Promise<KeyStorage> {
  try {
    const content = passphrase === null ? await sealByVault(keys, options.vault) : await sealByPassphrase(keys, passphrase, options)
    await writeBoth(options, content, async (written) => {
      const parsed = parseKeyFile(written)
      const opened =
        parsed === null
          ? null
          : parsed.kind === 'passphrase'
            ? await openByPassphrase(parsed, passphrase ?? '')
            : await openByVault(parsed, options.vault)
      if (opened === null || !Buffer.concat(opened).equals(Buffer.concat(keys))) {
        throw new CopilotError(
          'unavailable',
          'The key of the history could not be sealed anew: what was written does not open. The key is kept as it was.'
        )
      }
    })
    return content.kind
  } catch (error) {
    throw asStorageError(error, options.dataDir)
  }
}

async function unlock(options: KeyOptions, candidates: readonly SealedByPassphrase[], passphrase: string): Promise<KeysOpen> {
  for (const [index, candidate] of candidates.entries()) {
    const keys = await openByPassphrase(candidate, passphrase)
    if (keys === null) continue
    const text = JSON.stringify(candidate)
    const [stored, copied] = [await readIfThere(join(options.dataDir, KEY_FILE)), await readIfThere(join(options.dataDir, KEY_COPY))]
    // The file itself counts; its copy only where the file is no key of this passphrase.
    if (stored !== text || copied !== text) await writeBoth(options, candidate)
    return { state: 'open', keys, kind: 'passphrase', incident: index > 0 || stored !== text ? COPY_USED : null }
  }
  throw new CopilotError('unauthenticated', WRONG)
}

function parseKeyFile(text: string): KeyFile | null {
  const parsed = keyFileSchema.safeParse(parseJson(text))
  return parsed.success ? parsed.data : null
}

/** Null when these keys can never be opened here. */
async function openByVault({ sealed }: KeyFile, vault: Vault): Promise<Uint8Array[] | null> {
  try {
    return keysIn(await vault.open(Uint8Array.from(Buffer.from(sealed, 'base64'))))
  } catch (error) {
    if (error instanceof CopilotError && error.code === 'unauthenticated') return null
    throw error
  }
}

async function openByPassphrase({ scrypt, sealed }: SealedByPassphrase, passphrase: string): Promise<Uint8Array[] | null> {
  const opened = unseal(Buffer.from(sealed, 'base64'), await wrapKeyOf(passphrase, scrypt), JSON.stringify(scrypt))
  return opened === null ? null : keysIn(opened)
}

async function sealByVault(keys: readonly Uint8Array[], vault: Vault): Promise<KeyFile> {
  return { version: 1, kind: vault.kind, sealed: Buffer.from(await vault.seal(Buffer.concat(keys))).toString('base64') }
}

async function sealByPassphrase(keys: readonly Uint8Array[], passphrase: string, { random = randomBytes, scryptCost }: KeyOptions): Promise<KeyFile> {
  const scrypt = newScrypt(random, scryptCost)
  const sealed = seal(Buffer.concat(keys), await wrapKeyOf(passphrase, scrypt), JSON.stringify(scrypt), random)
  return { version: 1, kind: 'passphrase', scrypt, sealed: Buffer.from(sealed).toString('base64') }
}

/** Copies: what a vault gives may be a part of a larger buffer, all of which would cross to the workers. */
function keysIn(bytes: Uint8Array): Uint8Array[] | null {
  const count = bytes.byteLength / KEY_LENGTH
  if (!Number.isInteger(count) || count < 1 || count > MOST_KEYS) return null
  return Array.from({ length: count }, (_, n) => Uint8Array.from(bytes.subarray(n * KEY_LENGTH, (n + 1) * KEY_LENGTH)))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // Not JSON is one more way of not being a key.
    if (error instanceof SyntaxError) return null
    throw error
  }
}

async function create(options: KeyOptions, incident: string | null): Promise<KeysOpen | KeysLocked> {
  const { dataDir, vault, random = randomBytes } = options
  const keys = [Uint8Array.from(random(KEY_LENGTH))]
  const content = await sealByVault(keys, vault)
  if (await linkPrivateFile(join(dataDir, KEY_FILE), JSON.stringify(content), random)) {
    await writePrivateFile(join(dataDir, KEY_COPY), JSON.stringify(content), random)
    return { state: 'open', keys, kind: content.kind, incident }
  }
  // Somebody else made one meanwhile: that one counts.
  const theirs = await loadOrCreateKey(options)
  return theirs.state === 'open' ? { ...theirs, incident: incident ?? theirs.incident } : theirs
}

/** The file first: should this be cut short, its copy is brought up to date at the next start. */
async function writeBoth({ dataDir, random = randomBytes }: KeyOptions, content: KeyFile, prove?: (written: string) => Promise<void>): Promise<void> {
  const text = JSON.stringify(content)
  await writePrivateFile(join(dataDir, KEY_FILE), text, random, prove)
  await writePrivateFile(join(dataDir, KEY_COPY), text, random)
}
