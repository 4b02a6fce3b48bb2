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
/** A lock that is older than any build is from a process that died. */
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

/** Two commands that start at the same moment must not build into the same folder. */
async function withLock(root: string, signal: AbortSignal | undefined, act: () => Promise<void>): Promise<void> {
  const lock = join(root, 'node_modules', '.cache', 'aside-build.lock')
  mkdirSync(dirname(lock), { recursive: true })
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
      if (since !== undefined && Date.now() - since > LOCK_STALE_MS) rmSync(lock, { recursive: true, force: true })
      else await wait(LOCK_PAUSE_MS, undefined, signal ? { signal } : {})
    }
  }
  try {
    await act()
  } finally {
    rmSync(lock, { recursive: true, force: true })
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
