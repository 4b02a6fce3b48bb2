// Keys by which other services ask: made here, shown once, kept as a hash. A key that was revoked stops working within a
// second, without a restart.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import { makeFolder } from '../store/folder.ts'
import { faultCode, toStoreFault } from '../store/faults.ts'
import type { Caller } from './caller.ts'

const keySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** SHA-256 of the whole key, hex. The key has 256 bits of chance, so a slow hash would protect nothing more. */
  hash: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  revokedAt: z.number().nullable()
})
export type ClientKey = z.infer<typeof keySchema>
const fileSchema = z.array(keySchema)

const FORM = /^aside_([a-z0-9]{8})_[A-Za-z0-9_-]{43}$/
const LOOK_EVERY_MS = 1_000

const pathOf = (dataDir: string): string => join(dataDir, 'client-keys.json')
/** What its caller is called everywhere. */
const nameOf = (id: string): string => `client:${id}`
const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest()

/** Throws `unavailable` for a file that can't be read: nobody gets in by a damaged file, and it is not overwritten. */
export function readClientKeys(dataDir: string): ClientKey[] {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(pathOf(dataDir), 'utf8')))
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return []
    throw new CopilotError('unavailable', `The file ${pathOf(dataDir)} can't be read. Repair it, or move it away and make new keys.`, {
      cause: error
    })
  }
}

async function writeClientKeys(dataDir: string, keys: readonly ClientKey[]): Promise<void> {
  const path = pathOf(dataDir)
  try {
    makeFolder(dataDir)
    await writeFile(`${path}.new`, JSON.stringify(keys, null, 2), { mode: 0o600, flush: true })
    await rename(`${path}.new`, path)
  } catch (error) {
    throw toStoreFault(error, path)
  }
}

/** The key is in the answer and nowhere else. */
export async function addClientKey(
  dataDir: string,
  order: { name: string; now: number; ttlMs: number | null }
): Promise<{ id: string; key: string }> {
  const id = randomBytes(5).toString('hex').slice(0, 8)
  const key = `aside_${id}_${randomBytes(32).toString('base64url')}`
  const expiresAt = order.ttlMs === null ? null : order.now + order.ttlMs
  const made = { id, name: order.name, hash: hashOf(key).toString('hex'), createdAt: order.now, expiresAt, revokedAt: null }
  await writeClientKeys(dataDir, [...readClientKeys(dataDir), made])
  return { id, key }
}

/** False when there is no such key that works. */
export async function revokeClientKey(dataDir: string, id: string, now: number): Promise<boolean> {
  const keys = readClientKeys(dataDir)
  const known = keys.find((key) => key.id === id && key.revokedAt === null)
  if (known === undefined) return false
  await writeClientKeys(
    dataDir,
    keys.map((key) => (key === known ? { ...key, revokedAt: now } : key))
  )
  return true
}

export interface ClientKeys {
  /** Null: not a client key at all. Throws `unauthenticated` for one that does not work. */
  verify(token: string): Caller | null
  /** Tells of each key that is revoked, or gone, within two seconds; until the result is called. */
  watch(watcher: KeyWatcher): () => void
}

export interface KeyWatcher {
  /** Never throws. */
  readonly revoked: (userId: string) => void
  /** The file can't be read; told once for each time. */
  readonly fault: (error: unknown) => void
}

export function createClientKeys({ dataDir, clock }: { readonly dataDir: string; readonly clock: Clock }): ClientKeys {
  let keys: readonly ClientKey[] = []
  let lookedAt = Number.NEGATIVE_INFINITY
  let version = ''
  const watchers = new Set<KeyWatcher>()

  const look = (): void => {
    if (clock.now() - lookedAt < LOOK_EVERY_MS && clock.now() >= lookedAt) return
    lookedAt = clock.now()
    const stat = statSync(pathOf(dataDir), { throwIfNoEntry: false })
    const next = stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`
    if (next === version) return
    const before = keys
    keys = readClientKeys(dataDir)
    version = next
    const working = new Set(keys.filter(({ revokedAt }) => revokedAt === null).map(({ id }) => id))
    for (const { id, revokedAt } of before) {
      if (revokedAt === null && !working.has(id)) for (const { revoked } of watchers) revoked(nameOf(id))
    }
  }
  return {
    verify(token) {
      const id = FORM.exec(token)?.[1]
      if (id === undefined) return null
      look()
      const hash = hashOf(token)
      const known = keys.find((key) => key.id === id && timingSafeEqual(Buffer.from(key.hash, 'hex'), hash))
      const now = clock.now()
      if (known === undefined || known.revokedAt !== null || (known.expiresAt !== null && known.expiresAt <= now)) {
        throw new CopilotError('unauthenticated', 'This client key does not work (any more). Ask an administrator of the service for a new one.')
      }
      return { userId: nameOf(id), role: 'service', expiresAt: known.expiresAt }
    },
    watch(watcher) {
      watchers.add(watcher)
      let isFaulty = false
      const timer = setInterval(() => {
        try {
          look()
          isFaulty = false
        } catch (error) {
          if (!isFaulty) watcher.fault(error)
          isFaulty = true
        }
      }, LOOK_EVERY_MS)
      timer.unref()
      return () => {
        clearInterval(timer)
        watchers.delete(watcher)
      }
    }
  }
}
