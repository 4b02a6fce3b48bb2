// Finds and runs Chromium, and opens bare top-level windows in it. Nothing here starts before somebody needs a page.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { connectCdp, type Cdp, type Events } from './cdp.ts'
import { createX11WindowManager, noWindowManager, type WindowManager } from './windowManager.ts'

export interface WindowBounds {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Chromium {
  readonly cdp: Cdp
  readonly headless: boolean
  /** For example `156.0.8078.79`. */
  readonly version: string
  readonly userAgent: string
  readonly pid: number
  readonly windowManager: WindowManager
  /** Opens an empty top-level window and returns its target id. */
  openWindow(bounds: WindowBounds): Promise<string>
  /** Asks Chromium to go, and makes it go after three seconds. */
  stop(): Promise<void>
  /** For the end of the process, when nothing can be awaited any more. */
  readonly kill: () => void
}

export interface ChromiumOptions {
  readonly executable: string
  /** Folder of the browser profile; made if it is missing. */
  readonly profile: string
  readonly headless: boolean
  readonly debug: boolean
  readonly appName: string
  /** `MAP *.suffix 127.0.0.1:port`, see origins.ts. */
  readonly hostRules: string
  readonly switches: ReadonlyMap<string, string>
}

const CANDIDATES = [
  '/usr/lib/chromium/chromium',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/snap/bin/chromium',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge'
]
const STOP_MS = 3_000
const STDERR_KEPT = 4_000
/** Switches that mean something to Electron or to us and that Chromium gets in our own words, or not at all. */
const OWN_SWITCHES = new Set([
  'inspect',
  'inspect-brk',
  'remote-debugging-port',
  'remote-debugging-pipe',
  'no-sandbox',
  'enable-features',
  'disable-features',
  'user-data-dir'
])
const FIXED_ARGUMENTS = [
  '--remote-debugging-pipe',
  '--no-startup-window',
  '--password-store=basic',
  '--use-mock-keychain',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--disable-extensions',
  '--disable-breakpad',
  '--metrics-recording-only',
  '--disable-features=Translate,MediaRouter,OptimizationHints,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,GlobalMediaControls,DialMediaRouteProvider',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--force-color-profile=srgb',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-popup-blocking'
]

/** The Chromium that would be used, or undefined when there is none. */
export function findChromium(preferred?: string, exists: (path: string) => boolean = existsSync): string | undefined {
  if (preferred !== undefined) return exists(preferred) ? preferred : undefined
  return CANDIDATES.find((path) => exists(path))
}

function commonArguments(options: ChromiumOptions): string[] {
  return [
    '--test-type',
    '--no-first-run',
    '--no-default-browser-check',
    `--user-data-dir=${options.profile}`,
    `--class=${options.appName}`,
    // Chromium's sandbox refuses to run as root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])
  ]
}

function launchArguments(options: ChromiumOptions): string[] {
  const port = options.switches.get('remote-debugging-port')
  return [
    ...commonArguments(options),
    ...FIXED_ARGUMENTS,
    `--host-resolver-rules=${options.hostRules}`,
    ...(port === undefined ? [] : [`--remote-debugging-port=${port}`]),
    ...(options.headless ? ['--headless=new', '--disable-gpu', '--screen-info={1920x1080}'] : []),
    ...[...options.switches].filter(([name]) => !OWN_SWITCHES.has(name)).map(([name, value]) => (value ? `--${name}=${value}` : `--${name}`))
  ]
}

/** Passes on the lines that a test driver waits for, and keeps the end of the rest for an error message. */
function followStderr(child: ChildProcess, debug: boolean): () => string {
  let kept = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-STDERR_KEPT)
    for (const line of text.split('\n')) {
      if (/^DevTools listening on|Unable to open X display|Missing X server/.test(line))
        process.stderr.write(`${line.replace('Missing X server', 'Unable to open X display: missing X server')}\n`)
      else if (debug && line) process.stderr.write(`[chromium] ${line}\n`)
    }
  })
  return () => kept
}

const exited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

/** @throws Error with the end of Chromium's own log when it does not start. */
export async function launchChromium(options: ChromiumOptions): Promise<Chromium> {
  mkdirSync(options.profile, { recursive: true })
  const child = spawn(options.executable, launchArguments(options), { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] })
  const stderr = followStderr(child, options.debug)
  const spawnFailed = new Promise<never>((_resolve, reject) => child.once('error', reject))
  const cdp = connectCdp(child.stdio[3] as Writable, child.stdio[4] as Readable)
  const version = await Promise.race([spawnFailed, cdp.send('Browser.getVersion')]).catch((error: unknown) => {
    throw new Error(`[standin] Chromium (${options.executable}) did not start. The end of its log:\n${stderr()}`, { cause: error })
  })
  const windowManager = options.headless || process.platform !== 'linux' ? noWindowManager : createX11WindowManager()
  let opened = 0

  async function openHeadless({ x, y, width, height }: WindowBounds): Promise<string> {
    const { targetId } = await cdp.send('Target.createTarget', { url: 'about:blank', newWindow: true, left: x, top: y, width, height })
    return targetId
  }

  /** Windows of --app have neither tabs nor an address bar. CDP cannot make them; a second launch on the same profile can. */
  async function openVisible(): Promise<string> {
    opened += 1
    const title = `standin-${process.pid}-${opened}.`
    const url = `${BLANK_PAGE}${title}</title>`
    const targetId = await new Promise<string>((resolve, reject) => {
      const found = ({ targetInfo }: Events['Target.targetCreated'][0]): void => {
        if (targetInfo.type !== 'page' || targetInfo.url !== url) return
        cdp.off('Target.targetCreated', found)
        cdp.off('Target.targetInfoChanged', found)
        resolve(targetInfo.targetId)
      }
      cdp.on('Target.targetCreated', found)
      cdp.on('Target.targetInfoChanged', found)
      cdp.gone.addEventListener('abort', () => reject(cdp.gone.reason as Error), { once: true })
      spawn(options.executable, [...commonArguments(options), `--app=${url}`], { stdio: 'ignore' }).once('error', reject)
    })
    await windowManager.identify(targetId, title)
    return targetId
  }

  return {
    cdp,
    headless: options.headless,
    version: version.product.slice(version.product.indexOf('/') + 1),
    userAgent: version.userAgent,
    pid: child.pid ?? 0,
    windowManager,
    openWindow: (bounds) => (options.headless ? openHeadless(bounds) : openVisible()),
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      cdp.send('Browser.close').catch(() => child.kill())
      await exited(child)
      clearTimeout(late)
    },
    kill: () => void child.kill('SIGKILL')
  }
}

const BLANK_PAGE = 'data:text/html,<title>'
/** Whether a URL is the empty page that a visible window starts with: no page of the app's. */
export const isBlankPage = (url: string): boolean => url.startsWith(`${BLANK_PAGE}standin-`)
