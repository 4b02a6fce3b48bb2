// The file of the providers' keys: names, ids and dates in plain, the keys sealed. Written whole, in one step, by the command
// `service:key`; read by the service whenever it has changed.
import { randomBytes, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import { faultCode, toStoreFault } from '../store/faults.ts'
import { makeFolder } from '../store/folder.ts'
import { secretFile } from '../store/secretFile.ts'
import { createKeyFileSealer, type Sealer } from './sealer.ts'

/** Whose key it is. `aws` is `accessKeyId:secretAccessKey` or `accessKeyId:secretAccessKey:sessionToken`. */
export const keyNames = ['openai', 'anthropic', 'gemini', 'aws', 'remote'] as const
export type KeyName = (typeof keyNames)[number]

const entrySchema = z.object({ id: z.string(), setAt: z.number(), sealed: z.string() })
const fileSchema = z.object({ version: z.literal(1), keys: z.partialRecord(z.enum(keyNames), entrySchema) })
type KeyEntries = z.infer<typeof fileSchema>['keys']

export interface KeyRecord {
  readonly name: KeyName
  /** Says which key it was, never what it is. */
  readonly id: string
  /** Unix ms. */
  readonly setAt: number
}

export interface KeyFile {
  readonly path: string
  list(): Promise<readonly KeyRecord[]>
  /** Every key in plain, for the service's memory. Throws `CopilotError` when one can't be opened. */
  openAll(): Promise<ReadonlyMap<KeyName, { readonly id: string; readonly secret: string }>>
  /** Takes the place of an earlier one. Durable when it resolves. */
  set(name: KeyName, secret: string, now: number): Promise<KeyRecord>
  /** False when there was none. */
  remove(name: KeyName): Promise<boolean>
}

const LONGEST_SECRET = 4_096

export async function openKeyFile(dataDir: string, sealer?: Sealer): Promise<KeyFile> {
  const path = join(dataDir, 'provider-keys.json')
  const using = sealer ?? createKeyFileSealer(await secretFile(join(dataDir, 'provider-keys.key'), () => randomBytes(32).toString('hex')))
  const contextOf = (name: KeyName, id: string): string => `aside provider key ${name} ${id}`

  const read = async (): Promise<KeyEntries> => {
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (error) {
      if (faultCode(error) === 'ENOENT') return {}
      throw toStoreFault(error, path)
    }
    const parsed = fileSchema.safeParse(jsonOf(text))
    if (parsed.success) return parsed.data.keys
    throw new CopilotError('invalid_request', `The file of provider keys, ${path}, can’t be read. Move it away and set the keys again.`)
  }

  const write = async (keys: KeyEntries): Promise<void> => {
    const draft = `${path}.${randomUUID()}`
    try {
      makeFolder(dirname(path))
      const file = await open(draft, 'wx', 0o600)
      try {
        await file.writeFile(`${JSON.stringify({ version: 1, keys }, null, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    } catch (error) {
      throw toStoreFault(error, path)
    } finally {
      await rm(draft, { force: true })
    }
  }

  return {
    path,
    async list() {
      const keys = await read()
      return keyNames.flatMap((name) => {
        const entry = keys[name]
        return entry === undefined ? [] : [{ name, id: entry.id, setAt: entry.setAt }]
      })
    },
    async openAll() {
      const keys = await read()
      const opened = new Map<KeyName, { id: string; secret: string }>()
      for (const name of keyNames) {
        const entry = keys[name]
        if (entry !== undefined) opened.set(name, { id: entry.id, secret: await using.open(entry.sealed, contextOf(name, entry.id)) })
      }
      return opened
    },
    async set(name, raw, now) {
      const secret = checkedSecret(name, raw)
      const id = `${name}-${randomBytes(4).toString('hex')}`
      const entry = { id, setAt: now, sealed: await using.seal(secret, contextOf(name, id)) }
      await write({ ...(await read()), [name]: entry })
      return { name, id, setAt: now }
    },
    async remove(name) {
      const { [name]: gone, ...rest } = await read()
      if (gone === undefined) return false
      await write(rest)
      return true
    }
  }
}

/** What can stand in a header. The message never repeats what was given. */
function checkedSecret(name: KeyName, raw: string): string {
  const secret = raw.trim()
  if (secret === '') throw new CopilotError('invalid_request', 'The key is empty. Give it on standard input.')
  if (secret.length > LONGEST_SECRET)
    throw new CopilotError('invalid_request', `The key is longer than ${LONGEST_SECRET} characters: that is no key.`)
  if (!/^[\u0021-\u007e]+$/.test(secret)) throw new CopilotError('invalid_request', 'The key must be one word of printable ASCII characters.')
  if (name === 'aws' && !/^[A-Z0-9]{16,128}:[^:]+(:[^:]+)?$/.test(secret)) {
    throw new CopilotError('invalid_request', 'The key of aws is accessKeyId:secretAccessKey, or accessKeyId:secretAccessKey:sessionToken.')
  }
  return secret
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
