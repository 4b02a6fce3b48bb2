// The key of the history: 32 random bytes, made once, wrapped by the operating system's vault, kept in `history.key`.
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Vault } from '../auth/vault.ts'
import { KEY_LENGTH } from './sqlite/connection.ts'
import { asStorageError } from './sqlite/failures.ts'
import { stampOf, syncFolder } from './sqlite/files.ts'

export const KEY_FILE = 'history.key'

/**
 * What the file holds. `vault` and `file`: `sealed` is what the vault of that kind made of the key. `passphrase`: the key
 * wrapped with one derived from the person's passphrase by scrypt.
 */
const keyFileSchema = z.discriminatedUnion('kind', [
  z.object({ version: z.literal(1), kind: z.enum(['vault', 'file']), sealed: z.base64() }),
  z.object({
    version: z.literal(1),
    kind: z.literal('passphrase'),
    scrypt: z.object({ salt: z.base64(), cost: z.number().int(), blockSize: z.number().int(), parallelization: z.number().int() }),
    sealed: z.base64()
  })
])
type KeyFile = z.infer<typeof keyFileSchema>

export interface KeyOptions {
  readonly dataDir: string
  readonly vault: Vault
  readonly clock: Clock
  /** Cryptographically strong; replaced in tests only. */
  readonly random?: (length: number) => Uint8Array
}

export interface KeyLoaded {
  readonly key: Uint8Array
  /** How it is kept, for the person to see. */
  readonly kind: KeyFile['kind']
  /** For people: set when there was a key that can't be opened any more; it was kept under another name. */
  readonly incident: string | null
}

/**
 * The key of the history in this folder; makes it where there is none. A key that can't be opened is never overwritten.
 * @throws CopilotError `unavailable` when the folder can't be written, `unauthenticated` when a passphrase is needed;
 *   what the vault throws when it is only locked for the moment.
 */
export async function loadOrCreateKey(options: KeyOptions): Promise<KeyLoaded> {
  try {
    await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
    const file = join(options.dataDir, KEY_FILE)
    const stored = await readIfThere(file)
    if (stored === null) return await create(file, options, null)
    const opened = await openKey(stored, options.vault)
    if (opened !== null) return { ...opened, incident: null }
    const name = `history-set-aside-${stampOf(options.clock.now())}.key`
    await rename(file, join(options.dataDir, name))
    syncFolder(options.dataDir)
    const incident =
      `The key of the history can't be opened: it was made by another account or computer, or its file is damaged. ` +
      `It is kept, unchanged, as ${name} in ${options.dataDir}; a new key was made.`
    return await create(file, options, incident)
  } catch (error) {
    throw asStorageError(error, options.dataDir)
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Null when this key can never be opened here. */
async function openKey(stored: string, vault: Vault): Promise<{ readonly key: Uint8Array; readonly kind: KeyFile['kind'] } | null> {
  const parsed = keyFileSchema.safeParse(parseJson(stored))
  if (!parsed.success) return null
  const { kind, sealed } = parsed.data
  if (kind === 'passphrase') throw new CopilotError('unauthenticated', 'The history is protected by a passphrase. Enter it to open the history.')
  try {
    // A copy: what the vault gives may be a part of a larger buffer, all of which would cross to the workers.
    const key = Uint8Array.from(await vault.open(Uint8Array.from(Buffer.from(sealed, 'base64'))))
    return key.byteLength === KEY_LENGTH ? { key, kind } : null
  } catch (error) {
    if (error instanceof CopilotError && error.code === 'unauthenticated') return null
    throw error
  }
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

async function create(file: string, { dataDir, vault, clock, random = randomBytes }: KeyOptions, incident: string | null): Promise<KeyLoaded> {
  const key = Uint8Array.from(random(KEY_LENGTH))
  const content: KeyFile = { version: 1, kind: vault.kind, sealed: Buffer.from(await vault.seal(key)).toString('base64') }
  const draft = `${file}.${Buffer.from(random(6)).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(JSON.stringify(content))
      await handle.sync()
    } finally {
      await handle.close()
    }
    const made = await putInPlace(draft, file)
    syncFolder(dataDir)
    // Somebody else made one meanwhile: that one counts.
    if (!made) {
      const theirs = await loadOrCreateKey({ dataDir, vault, clock, random })
      return { ...theirs, incident: incident ?? theirs.incident }
    }
    return { key, kind: vault.kind, incident }
  } finally {
    await rm(draft, { force: true })
  }
}

/** Gives the whole file its name in one step, and never takes the name from another file. False: the name was taken. */
async function putInPlace(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EMLINK')) throw error
    // A file system without hard links, such as FAT: renaming is as whole, and there was no such file a moment ago.
    await rename(draft, file)
    return true
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}
