// Runs an Electron app's main module in Node, with `electron` replaced. Loaded by main.ts.
import { existsSync, readFileSync, statSync } from 'node:fs'
import inspector from 'node:inspector'
import { createRequire, registerHooks } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app, becomeReady } from './app.ts'
import { ensureBrowser, runningBrowser, wasLaunched } from './browser.ts'
import { parseCommandLine } from './commandLine.ts'
import { config } from './config.ts'
import { electronVersion } from './electronVersion.ts'
import { hooks } from './hooks.ts'
import { setPath } from './paths.ts'
import { reportAtExit } from './report.ts'
import { launcherPath } from './runtime.ts'
import { state, violation } from './state.ts'
import './electron.ts'

/** When a main module that does not come to its end is spoken of. */
const HANG_MS = 10_000
/** Exit code of Node when a top-level await never settles. */
const UNSETTLED_AWAIT: number = 13
const HANGS = "the main module was not evaluated to its end: a top-level 'await app.whenReady()' hangs Electron, too. Use app.whenReady().then(…)"
const ELECTRON = new URL('./electron.ts', import.meta.url).href

interface AppPackage {
  readonly folder: string
  readonly main: string
  readonly name: string
  readonly version: string
}

function milestone(what: string): void {
  if (config.timing) process.stderr.write(`[timing] ${what} ${Math.round(performance.now())} ms\n`)
}

/** The nearest folder with a package.json, else the one it began with. */
function packageFolder(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return from
  }
}

/** The app that a folder or a file is: its package.json is beside it or above. */
function findApp(entry: string): AppPackage {
  const target = resolve(entry)
  const isFolder = statSync(target).isDirectory()
  const folder = isFolder ? target : packageFolder(dirname(target))
  const file = join(folder, 'package.json')
  const manifest = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { name?: string; productName?: string; version?: string; main?: string })
    : {}
  return {
    folder,
    main: isFolder ? resolve(target, manifest.main ?? 'index.js') : target,
    name: manifest.productName ?? manifest.name ?? 'Electron',
    version: manifest.version ?? electronVersion()
  }
}

/** Makes this process look like Electron's main process. */
function dressProcess(found: AppPackage, argv: string[]): void {
  const properties = {
    type: 'browser',
    defaultApp: true,
    resourcesPath: join(found.folder, 'resources'),
    sandboxed: false,
    windowsStore: false,
    execPath: launcherPath
  }
  for (const [name, value] of Object.entries(properties))
    Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true })
  Object.defineProperty(process.versions, 'electron', { value: electronVersion(), enumerable: true })
  // Not known before there is a Chromium.
  Object.defineProperty(process.versions, 'chrome', { get: () => runningBrowser()?.version ?? '0.0.0.0', enumerable: true })
  process.argv = [launcherPath, ...argv]
  registerHooks({
    resolve: (specifier, context, next) =>
      /^electron(?:\/main|\/common)?$/.test(specifier) ? { url: ELECTRON, format: 'module', shortCircuit: true } : next(specifier, context)
  })
}

function watchProcess(): void {
  process.on('SIGTERM', () => app.quit())
  process.on('SIGINT', () => app.quit())
  process.on('uncaughtException', (error: Error) => {
    // Electron shows a dialog and goes on, unless the app listens itself.
    if (process.listenerCount('uncaughtException') > 1) return
    hooks.violations.push(`uncaught exception in main: ${error.message}`)
    console.error('A JavaScript error occurred in the main process\nUncaught Exception:\n', error)
  })
  process.on('unhandledRejection', (reason) => {
    if (process.listenerCount('unhandledRejection') > 1) return
    hooks.violations.push(`unhandled rejection in main: ${reason instanceof Error ? reason.message : String(reason)}`)
    console.error('(node) UnhandledPromiseRejectionWarning:', reason)
  })
  process.on('exit', (code) => {
    if (code === UNSETTLED_AWAIT) console.error(`[standin] ${HANGS}`)
  })
}

async function evaluate(main: string): Promise<void> {
  const hang = setTimeout(() => violation(HANGS), HANG_MS)
  hang.unref()
  await import(pathToFileURL(main).href)
  clearTimeout(hang)
}

async function start(): Promise<void> {
  const argv = process.argv.slice(2)
  const commandLine = parseCommandLine(argv)
  if (commandLine.version) {
    console.log(`v${electronVersion()}`)
    return
  }
  if (commandLine.inspect) inspector.open(commandLine.inspect.port, '127.0.0.1', commandLine.inspect.wait)
  const found = findApp(commandLine.entry ?? '.')
  dressProcess(found, argv)
  state.info = { path: found.folder, name: found.name, version: found.version }
  app.name = found.name
  for (const [name, value] of commandLine.switches) state.switches.set(name, value)
  const userData = state.switches.get('user-data-dir')
  if (userData !== undefined) setPath('userData', resolve(userData))
  reportAtExit(wasLaunched)
  watchProcess()
  milestone('stand-in loaded')

  const require = createRequire(join(process.cwd(), 'package.json'))
  for (const path of commandLine.preloads) require(resolve(path))
  // Electron lives until it is told to quit, with or without windows.
  setInterval(() => undefined, 2 ** 30)
  await evaluate(found.main)
  milestone('main module evaluated')
  if (state.exiting || state.quitting) return
  // A debugging port is waited for by whoever asked for it: a test driver.
  if (state.switches.has('remote-debugging-port')) await ensureBrowser()
  becomeReady()
  milestone('ready')
}

await start()
