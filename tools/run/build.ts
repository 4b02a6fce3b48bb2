// Builds the app's bundles when their sources have changed since the last build. Quiet unless it fails.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ROOT } from './electron.ts'
import { runLauncher, SetupError } from './setupError.ts'

export interface BuildOptions {
  readonly root?: string
  /** Runs the build; the default is electron-vite's. */
  readonly run?: (root: string) => Promise<void>
  readonly signal?: AbortSignal
}

const SOURCES = ['src', 'electron.vite.config.ts', 'package.json', 'package-lock.json', 'tsconfig.base.json']
const STAMP = join('out', '.sources')
const LOCK_PAUSE_MS = 100
/** A lock that is older than any build is nobody's, whatever process has its id by now. */
const LOCK_STALE_MS = 5 * 60 * 1000

function files(path: string): string[] {
  if (!existsSync(path)) return []
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Tells one state of the sources from another. Contents count, not times: a fresh checkout has the times of the checkout. */
function fingerprint(root: string): string {
  const hash = createHash('sha256')
  const sources = SOURCES.flatMap((name) => files(join(root, name))).filter((path) => !/\.test\.tsx?$/.test(path))
  for (const path of sources.toSorted()) {
    hash.update(`${relative(root, path).replaceAll(sep, '/')}\0`)
    hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}

function isBuilt(root: string, sources: string): boolean {
  const stamp = join(root, STAMP)
  return existsSync(join(root, 'out', 'main', 'index.js')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources
}

async function runElectronVite(root: string): Promise<void> {
  const manifest = createRequire(join(root, 'package.json')).resolve('electron-vite/package.json')
  const cli = join(dirname(manifest), 'bin', 'electron-vite.js')
  try {
    await promisify(execFile)(process.execPath, [cli, 'build'], { cwd: root, maxBuffer: 64 * 1024 * 1024 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new SetupError(`The build failed:\n${`${stdout}\n${stderr}`.trim()}`, { cause: error })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // It is there, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether the holder of a lock has gone without taking it away. */
function isStale(lock: string): boolean {
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
  if (since === undefined) return false
  const pid = Number(readFileSync(lock, 'utf8'))
  return (pid > 0 && !isAlive(pid)) || Date.now() - since > LOCK_STALE_MS
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

/** Two commands that start at the same moment must not build into the same folder. */
async function withLock(root: string, signal: AbortSignal | undefined, act: () => Promise<void>): Promise<void> {
  const lock = join(root, 'node_modules', '.cache', 'aside-build.lock')
  mkdirSync(dirname(lock), { recursive: true })
  while (!takeLock(lock)) {
    if (isStale(lock)) rmSync(lock, { force: true })
    else await wait(LOCK_PAUSE_MS, undefined, signal ? { signal } : {})
  }
  try {
    await act()
  } finally {
    rmSync(lock, { force: true })
  }
}

/**
 * Builds unless `out/` is from these very sources. Resolves with whether it had to.
 * @throws SetupError with the build's output when it fails
 */
export async function ensureBuilt({ root = ROOT, run = runElectronVite, signal }: BuildOptions = {}): Promise<boolean> {
  const sources = fingerprint(root)
  if (isBuilt(root, sources)) return false
  let built = false
  await withLock(root, signal, async () => {
    // Another process may have built while this one waited.
    if (isBuilt(root, sources)) return
    await run(root)
    mkdirSync(join(root, 'out'), { recursive: true })
    writeFileSync(join(root, STAMP), sources)
    built = true
  })
  return built
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runLauncher(async () => {
    await ensureBuilt()
  })
}
