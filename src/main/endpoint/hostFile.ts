// host.json and the socket it names: written by the host that listens, read by whoever wants to talk to it.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HOST_FILE, hostSchema, type HostInfo } from './endpoint.ts'

/** `sun_path` has 104 bytes on macOS and 108 on Linux, with its end (unix(4), unix(7)). */
const MAX_SOCKET_PATH_BYTES = 100

export interface SocketPlace {
  readonly path: string
  /** A folder made for the socket alone, to be removed with it; null when it lies in the data folder. */
  readonly ownFolder: string | null
}

/** Where to listen: in the data folder, or in a private temporary one when that path is too long; a pipe on Windows. */
export async function chooseSocketPlace(dataDir: string, platform: NodeJS.Platform): Promise<SocketPlace> {
  if (platform === 'win32') {
    const name = createHash('sha256').update(dataDir.toLowerCase()).digest('hex').slice(0, 16)
    return { path: String.raw`\\.\pipe\aside-${name}-${randomBytes(8).toString('hex')}`, ownFolder: null }
  }
  const path = join(dataDir, 'host.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, ownFolder: null }
  const ownFolder = await mkdtemp(join(tmpdir(), 'aside-')) // mkdtemp makes it for this account only
  return { path: join(ownFolder, 'host.sock'), ownFolder }
}

/** What host.json says, or null when there is none that can be understood. */
export async function readHostFile(dataDir: string): Promise<HostInfo | null> {
  try {
    return hostSchema.parse(JSON.parse(await readFile(join(dataDir, HOST_FILE), 'utf8')))
  } catch {
    return null // missing, half-written or foreign: there is nobody to talk to by this file
  }
}

/** Replaces host.json in one step, so that a reader sees the old one or the new one. */
export async function writeHostFile(dataDir: string, host: HostInfo): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const beside = join(dataDir, `${HOST_FILE}.${host.pid}`)
  await rm(beside, { force: true })
  const handle = await open(beside, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(host)}\n`)
  } finally {
    await handle.close()
  }
  await rename(beside, join(dataDir, HOST_FILE))
}

/** Removes host.json, but only the one that this host wrote. */
export async function removeHostFile(dataDir: string, mine: HostInfo): Promise<void> {
  const there = await readHostFile(dataDir)
  if (there?.token === mine.token) await rm(join(dataDir, HOST_FILE), { force: true })
}
