// Sees to it that programs of the system are there: on Debian and Ubuntu as root they are installed, elsewhere one line says what to install.
import { execFile, execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findChromium } from '../electron-standin/src/chromium.ts'
import { PYTHON } from './python.ts'
import { runLauncher, SetupError } from './setupError.ts'

export interface Requirement {
  /** What it is, for people. */
  readonly name: string
  readonly isThere: () => boolean
  /** Debian packages that bring it. */
  readonly packages: readonly string[]
}

export interface ProvisionOptions {
  readonly uid?: number | undefined
  /** The text of /etc/os-release; empty where there is none. */
  readonly osRelease?: string
  readonly run?: (command: string, args: readonly string[]) => Promise<void>
  /** Where Debian looks whether a package may start its service. */
  readonly servicePolicy?: string
  readonly say?: (line: string) => void
}

const APT_MS = 10 * 60 * 1000
const LOG_KEPT = 2_000

/** A program that is on the PATH. */
export const command = (name: string, packages: readonly string[]): Requirement => ({
  name,
  packages,
  isThere: () => (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)))
})

/** A module that the Python of the tests finds. */
export const pythonModule = (name: string, packages: readonly string[]): Requirement => ({
  name: `Python's ${name}`,
  packages,
  isThere() {
    try {
      execFileSync(PYTHON, ['-c', `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(name)}) is None)`], {
        stdio: 'ignore'
      })
      return true
    } catch {
      // No python3, or no such module: both mean that it is not there.
      return false
    }
  }
})

/** The browser behind the stand-in's windows, with a typeface that looks right. */
export const chromium: Requirement = {
  name: 'Chromium',
  packages: ['chromium', 'fonts-liberation'],
  isThere: () => findChromium(process.env['STANDIN_CHROMIUM'] || undefined) !== undefined
}

/** What the foreign peers of the end-to-end tests are written with. */
export const foreignPeers: readonly Requirement[] = [
  pythonModule('grpc', ['python3-grpcio']),
  pythonModule('socketio', ['python3-socketio']),
  pythonModule('aiohttp', ['python3-aiohttp']),
  pythonModule('websockets', ['python3-websockets'])
]

/** What several processes share; the tests start their own. */
export const sharedServers: readonly Requirement[] = [
  command('redis-server', ['redis-server']),
  // Debian keeps PostgreSQL's programs off the PATH, in a folder for each version.
  { name: 'PostgreSQL', packages: ['postgresql'], isThere: () => hasPostgres('/usr/lib/postgresql') },
  { name: 'nginx', packages: ['nginx-light'], isThere: () => isExecutable('/usr/sbin/nginx') }
]

/** True when `root` holds a version with its server. */
export function hasPostgres(root: string): boolean {
  return existsSync(root) && readdirSync(root).some((version) => isExecutable(join(root, version, 'bin', 'postgres')))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    // Not a Linux, or an odd one.
    return ''
  }
}

const isDebian = (osRelease: string): boolean => /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(osRelease)

async function runQuietly(name: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(name, [...args], {
      timeout: APT_MS,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    })
  } catch (error) {
    const log = String((error as { stderr?: unknown }).stderr ?? error).trim()
    throw new SetupError(`${name} ${args.join(' ')} failed:\n${log.slice(-LOG_KEPT)}`, { cause: error })
  }
}

/**
 * Debian's packages start their services when they are installed: ours are never used, and one that finds its port taken, or no
 * systemd, would fail the whole installation. While `work` runs none is started; a policy of the machine's own is left as it is.
 */
async function withoutServices(policy: string, work: () => Promise<void>): Promise<void> {
  if (existsSync(policy)) return await work()
  // "Not allowed", as policy-rc.d has it.
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await work()
  } finally {
    rmSync(policy, { force: true })
  }
}

/**
 * Installs what is missing, or says what to install.
 * @throws SetupError: what is missing, and why it was not installed
 */
export async function provision(requirements: readonly Requirement[], options: ProvisionOptions = {}): Promise<void> {
  const {
    uid = process.getuid?.(),
    osRelease = readOsRelease(),
    run = runQuietly,
    servicePolicy = '/usr/sbin/policy-rc.d',
    say = (line: string) => void process.stderr.write(`${line}\n`)
  } = options
  const missing = requirements.filter((requirement) => !requirement.isThere())
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(', ')
  const packages = missing.flatMap((requirement) => requirement.packages)
  const byHand = isDebian(osRelease)
    ? `sudo apt-get install ${packages.join(' ')}`
    : `by your system's package manager (on Debian: ${packages.join(' ')})`
  if (uid !== 0 || !isDebian(osRelease)) throw new SetupError(`${names}: not installed, and Aside needs it here. Install it: ${byHand}`)
  say(`Installing ${packages.join(' ')} with apt-get (once) …`)
  await run('apt-get', ['update'])
  await withoutServices(servicePolicy, () => run('apt-get', ['install', '-y', '--no-install-recommends', ...packages]))
  const still = missing.filter((requirement) => !requirement.isThere())
  if (still.length > 0) {
    const chromiumHint = still.includes(chromium) ? ' Install Chromium or Google Chrome another way, or name one in STANDIN_CHROMIUM.' : ''
    throw new SetupError(`apt-get ran, but this is still missing: ${still.map(({ name }) => name).join(', ')}.${chromiumHint}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runLauncher(() => provision(process.argv.includes('--tests') ? [chromium, ...foreignPeers, ...sharedServers] : [chromium]))
}
