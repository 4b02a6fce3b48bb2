// Keys that the person entrusts to Aside (providers' keys, later refresh tokens): sealed by the vault, in one file that
// only this account can read.
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Vault } from './vault.ts'

export interface Secrets {
  /** @throws CopilotError `unauthenticated` when the vault can't open it: sealed by another account or machine. */
  get(name: string): Promise<string | null>
  /** Resolves when it is durable; null removes it. */
  set(name: string, value: string | null): Promise<void>
}

export interface SecretsOptions {
  readonly file: string
  readonly vault: Vault
  /** Names a damaged file that is set aside. */
  readonly clock: Clock
}

const fileSchema = z.object({ version: z.literal(1), sealed: z.record(z.string(), z.base64()) })
type Contents = z.infer<typeof fileSchema>
const empty: Contents = { version: 1, sealed: {} }

/** Opened by one process at a time: the host that holds the data folder. */
export function createSecrets({ file, vault, clock }: SecretsOptions): Secrets {
  /** One change after the other, so that none overwrites another. */
  let queue: Promise<unknown> = Promise.resolve()

  async function read(): Promise<Contents> {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return null
      throw trouble('read', file, error)
    })
    if (text === null) return empty
    const parsed = fileSchema.safeParse(jsonOf(text))
    if (parsed.success) return parsed.data
    const aside = `${file}.damaged-${clock.now()}`
    await rename(file, aside)
    throw new CopilotError('unavailable', `The file of keys was damaged. It is kept as ${aside}; enter the keys again in the settings.`, {
      cause: parsed.error
    })
  }

  return {
    async get(name) {
      const contents = await read()
      const sealed = Object.hasOwn(contents.sealed, name) ? contents.sealed[name] : undefined
      return sealed === undefined ? null : new TextDecoder().decode(await vault.open(Buffer.from(sealed, 'base64')))
    },
    set(name, value) {
      const change = async (): Promise<void> => {
        const { sealed } = await read()
        const others = Object.entries(sealed).filter(([other]) => other !== name)
        const mine = value === null ? [] : [[name, Buffer.from(await vault.seal(new TextEncoder().encode(value))).toString('base64')] as const]
        await replace(file, JSON.stringify({ version: 1, sealed: Object.fromEntries([...others, ...mine]) }))
      }
      const changed = queue.then(change, change)
      queue = changed
      return changed
    }
  }
}

/** Writes beside it and renames, so that a crash leaves the old file or the new one, whole. */
async function replace(file: string, text: string): Promise<void> {
  const beside = `${file}.new`
  try {
    await rm(beside, { force: true })
    const handle = await open(beside, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
    await syncFolder(dirname(file))
  } catch (error) {
    throw trouble('written', file, error)
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // folders can't be opened there; NTFS journals the rename
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // no JSON is a damaged file like any other: the schema refuses it
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

function trouble(what: 'read' | 'written', file: string, cause: unknown): CopilotError {
  return new CopilotError(
    'unavailable',
    `The file of keys (${file}) could not be ${what}. Check that the disk has room and the folder is yours, then try again.`,
    { cause }
  )
}
