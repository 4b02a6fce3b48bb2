// Which Electron runs the app: the real one where its binary is to be had, else the stand-in, said in one line.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from './setupError.ts'

export interface ElectronChoice {
  readonly kind: 'electron' | 'standin'
  /** The program to start, with the app's folder as its first argument. */
  readonly executable: string
  /** To be added to the environment: the electron package, Playwright and electron-vite then choose the same. */
  readonly env: Readonly<Record<string, string>>
  /** One honest line for stderr; null: nothing to say. */
  readonly notice: string | null
}

export interface ResolveOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly platform?: NodeJS.Platform
  /** The folder of the `electron` package. */
  readonly electronFolder?: string
  /** Where a failed fetch is remembered. */
  readonly stampFile?: string
  /** Unix ms. */
  readonly now?: () => number
  /** Fetches the binary into the electron package; resolves with whether it is there. */
  readonly fetchBinary?: (electronFolder: string) => Promise<boolean>
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
export const STANDIN_FOLDER = join(ROOT, 'tools', 'electron-standin', 'dist')

const FETCH_MS = 120_000
/** A fetch that lasts longer than this is spoken of. */
const QUIET_MS = 2_000
const REMEMBER_FAILURE_MS = 24 * 60 * 60 * 1000
const NOTICE =
  "Electron's binary is not to be had here: Aside runs on its stand-in (Node and the system's Chromium); tools/electron-standin/README.md says what that lacks."

/** The executable of an electron package, or null when its binary was not fetched. */
function installedBinary(electronFolder: string): string | null {
  const pathFile = join(electronFolder, 'path.txt')
  if (!existsSync(pathFile)) return null
  const executable = join(electronFolder, 'dist', readFileSync(pathFile, 'utf8').trim())
  return existsSync(executable) ? executable : null
}

async function fetchWithInstaller(electronFolder: string): Promise<boolean> {
  const speak = setTimeout(() => process.stderr.write("Fetching Electron's binary (once, at most two minutes) …\n"), QUIET_MS)
  try {
    await new Promise<void>((resolve) => {
      // Its failure is no error: it is why there is a stand-in.
      execFile(process.execPath, [join(electronFolder, 'install.js')], { timeout: FETCH_MS, killSignal: 'SIGKILL' }, () => resolve())
    })
  } finally {
    clearTimeout(speak)
  }
  return installedBinary(electronFolder) !== null
}

const versionOf = (electronFolder: string): string =>
  (JSON.parse(readFileSync(join(electronFolder, 'package.json'), 'utf8')) as { version: string }).version

function failedLately(stampFile: string, version: string, now: number): boolean {
  if (!existsSync(stampFile)) return false
  try {
    const stamp = JSON.parse(readFileSync(stampFile, 'utf8')) as { version?: unknown; failedAt?: unknown }
    return stamp.version === version && typeof stamp.failedAt === 'number' && now - stamp.failedAt < REMEMBER_FAILURE_MS
  } catch {
    // A damaged stamp says nothing: fetch again.
    return false
  }
}

function rememberFailure(stampFile: string, version: string, now: number): void {
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, JSON.stringify({ version, failedAt: now }))
}

const real = (executable: string, env: Record<string, string> = {}): ElectronChoice => ({
  kind: 'electron',
  executable,
  env: { ELECTRON_EXEC_PATH: executable, ...env },
  notice: null
})

function standin(platform: NodeJS.Platform, notice: string | null): ElectronChoice {
  if (platform === 'win32')
    throw new SetupError(
      "Electron's binary could not be fetched, and the stand-in runs on Linux and macOS only. Run `npx install-electron` where there is a network, then start again."
    )
  const executable = join(STANDIN_FOLDER, 'electron')
  return { kind: 'standin', executable, env: { ELECTRON_OVERRIDE_DIST_PATH: STANDIN_FOLDER, ELECTRON_EXEC_PATH: executable }, notice }
}

/**
 * Decides by STANDIN=1 (stand-in) and STANDIN=0 (real) first, then by what is installed or can be fetched. CI does not fetch in
 * passing; a failed fetch is not repeated for a day.
 * @throws SetupError when what was asked for is not to be had
 */
export async function resolveElectron(options: ResolveOptions = {}): Promise<ElectronChoice> {
  const { env = process.env, platform = process.platform, now = Date.now, fetchBinary = fetchWithInstaller } = options
  const forced = env['STANDIN']
  if (forced === '1') return standin(platform, null)
  const override = env['ELECTRON_OVERRIDE_DIST_PATH']
  if (override && override !== STANDIN_FOLDER) return real(join(override, 'electron'), { ELECTRON_OVERRIDE_DIST_PATH: override })
  const folder = options.electronFolder ?? dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  const installed = installedBinary(folder)
  if (installed) return real(installed)
  const version = versionOf(folder)
  const stampFile = options.stampFile ?? join(ROOT, 'node_modules', '.cache', 'aside-electron-fetch.json')
  if (forced !== '0' && (env['CI'] || failedLately(stampFile, version, now()))) return standin(platform, NOTICE)
  const fetched = (await fetchBinary(folder)) ? installedBinary(folder) : null
  if (fetched) return real(fetched)
  if (forced === '0')
    throw new SetupError(
      'STANDIN=0 asks for the real Electron, and its binary could not be fetched. Run `npx install-electron` where there is a network, or start without STANDIN=0.'
    )
  rememberFailure(stampFile, version, now())
  return standin(platform, NOTICE)
}

export interface Surroundings {
  readonly platform: NodeJS.Platform
  /** Numeric user id; undefined on Windows. */
  readonly uid: number | undefined
  readonly hasDisplay: boolean
}

export const surroundings = (env: NodeJS.ProcessEnv = process.env): Surroundings => ({
  platform: process.platform,
  uid: process.getuid?.(),
  hasDisplay: process.platform !== 'linux' || Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY'])
})

/** Switches that go before the app's folder, and a line for each that a person should know of. Pure. */
export function electronSwitches(
  kind: ElectronChoice['kind'],
  { platform, uid, hasDisplay }: Surroundings
): { switches: string[]; notices: string[] } {
  if (kind === 'standin' || platform !== 'linux') return { switches: [], notices: [] }
  return {
    switches: [
      ...(uid === 0 ? ['--no-sandbox'] : []),
      // Without windows Electron would still look for a display, and end when there is none.
      ...(hasDisplay ? [] : ['--ozone-platform=headless', '--disable-gpu'])
    ],
    notices: uid === 0 ? ["Running as root: Chromium's sandbox refuses to, so it is off (--no-sandbox). Better run Aside as an ordinary user."] : []
  }
}
