// The built app under Playwright: the same on real Electron and on the stand-in.
import { once } from 'node:events'
import { execFileSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { _electron, expect, test as base, type ElectronApplication, type Page } from '@playwright/test'

const require = createRequire(import.meta.url)
const realBinary = existsSync(join('node_modules', 'electron', 'path.txt'))
export const onStandin = process.env['STANDIN'] === '1' || (process.env['STANDIN'] !== '0' && !realBinary)
// Electron's own variable: `require('electron')` and Playwright both honour it.
if (onStandin) process.env['ELECTRON_OVERRIDE_DIST_PATH'] = resolve('tools/electron-standin/dist')

/** What the stand-in puts on the main process's global object; absent on real Electron. */
interface StandinHooks {
  readonly violations: readonly unknown[]
  triggerShortcut(accelerator: string): boolean
}
type WithStandin = typeof globalThis & { readonly __standin?: StandinHooks }

export interface Running {
  readonly app: ElectronApplication
  readonly process: ChildProcess
  readonly main: Page
  /** Everything the app wrote to its standard error so far. */
  readonly log: () => string
  window(kind: 'main' | 'overlay'): Promise<Page>
  hotkey(): Promise<void>
  /** Quits as a person would; then nothing may have been done that real Electron would treat otherwise. */
  quit(): Promise<void>
}

export interface LaunchOptions {
  readonly dataDir: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const pageOf = { main: /\/index\.html$/, overlay: /\/overlay\.html$/ }

export async function launch({ dataDir, args = [], env = {} }: LaunchOptions): Promise<Running> {
  const root = process.getuid?.() === 0 && !onStandin ? ['--no-sandbox'] : []
  const app = await _electron.launch({
    args: [...root, '.', ...args],
    env: {
      ...(process.env as Record<string, string>),
      STANDIN_HEADLESS: process.env['STANDIN_HEADLESS'] ?? '1',
      ASIDE_FIND_OLLAMA: '0',
      ASIDE_DATA_DIR: dataDir,
      ...env
    }
  })
  // Playwright forgets it once the app is gone.
  const child = app.process()
  let log = ''
  child.stderr?.on('data', (text: Buffer) => {
    log += text.toString()
  })
  const window = async (kind: 'main' | 'overlay'): Promise<Page> => {
    const find = (): Page | undefined => app.windows().find((page) => pageOf[kind].test(page.url()))
    await expect.poll(() => find() !== undefined, { timeout: 20_000, message: `the ${kind} window is there` }).toBe(true)
    return find()!
  }
  const quit = async (): Promise<void> => {
    const violations = await app.evaluate(() => (globalThis as WithStandin).__standin?.violations ?? [])
    // Not by `app.close()`: it was seen to wait for ever for an app whose own end had come. Here the end is awaited from before it begins.
    const gone = once(child, 'exit')
    // Its answer may never come: the app is going.
    app.evaluate(({ app: electron }) => electron.quit()).catch(() => undefined)
    await gone
    expect(violations, 'the app used something that Electron would treat otherwise').toEqual([])
  }
  return { app, process: child, main: await window('main'), log: () => log, window, hotkey: () => pressHotkey(app, dataDir), quit }
}

/** The overlay's shortcut, as near to the real keys as each system allows. */
async function pressHotkey(app: ElectronApplication, dataDir: string): Promise<void> {
  const registered = (): Promise<boolean> => app.evaluate(({ globalShortcut }) => globalShortcut.isRegistered('CommandOrControl+Shift+Space'))
  await expect.poll(registered, { message: 'the shortcut is registered' }).toBe(true)
  if (onStandin) {
    const known = await app.evaluate(
      (_electron, accelerator) => (globalThis as WithStandin).__standin?.triggerShortcut(accelerator),
      'CommandOrControl+Shift+Space'
    )
    expect(known, 'the shortcut is registered').toBe(true)
  } else if (process.platform === 'linux') {
    execFileSync('xdotool', ['key', 'ctrl+shift+space'])
  } else {
    // No way to press a system-wide shortcut from here: the launcher's door does the same.
    execFileSync(require('electron') as unknown as string, ['.', '--toggle'], { env: { ...process.env, ASIDE_DATA_DIR: dataDir } })
  }
}

export const test = base.extend<{ dataDir: string; start: (options?: Partial<LaunchOptions>) => Promise<Running> }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names from this pattern
  dataDir: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'aside-e2e-'))
    await use(dir)
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  },
  start: async ({ dataDir }, use) => {
    const running: Running[] = []
    await use(async (options = {}) => {
      const one = await launch({ dataDir, ...options })
      running.push(one)
      return one
    })
    for (const { app, process: child } of running) {
      const { exitCode, signalCode } = child
      if (exitCode === null && signalCode === null) await app.close().catch((error: unknown) => console.error('closing the app:', error))
    }
  }
})
export { expect }

/** Everything in a file, as bytes, for a look at what is on the disk. */
export const bytesOf = (path: string): Buffer => readFileSync(path)
