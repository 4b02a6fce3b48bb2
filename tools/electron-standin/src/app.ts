// `app`: the life of the process, its names and paths, and what the system is asked to remember about it.
import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import type { Menu, Settings } from 'electron'
import { runningBrowser } from './browser.ts'
import { hooks } from './hooks.ts'
import { getPath, setPath } from './paths.ts'
import { nodePath } from './runtime.ts'
import { requestInstanceLock, type InstanceLock } from './singleInstance.ts'
import { electronEvent, state, unsupported, violation } from './state.ts'
import { strictInstances, strictModule, watchListeners } from './strict.ts'
import { openWindows } from './windows.ts'

const EVENTS = [
  'activate',
  'before-quit',
  'browser-window-blur',
  'browser-window-created',
  'browser-window-focus',
  'open-url',
  'quit',
  'ready',
  'second-instance',
  'session-created',
  'web-contents-created',
  'will-finish-launching',
  'will-quit',
  'window-all-closed',
  // Nothing in the stand-in dies apart from the whole, and nothing asks for a certificate; apps listen for them all the same.
  'certificate-error',
  'child-process-gone',
  'open-file',
  'render-process-gone'
]

const commandLine = strictModule('app.commandLine', 'CommandLine', {
  appendSwitch(name: string, value = ''): void {
    if (state.ready) violation(`app.commandLine.appendSwitch('${name}') after ready has no effect`)
    state.switches.set(name, value)
  },
  appendArgument(): void {},
  hasSwitch: (name: string): boolean => state.switches.has(name),
  getSwitchValue: (name: string): string => state.switches.get(name) ?? '',
  removeSwitch: (name: string): void => void state.switches.delete(name)
})

/** Only macOS has it. */
const dock = strictModule('app.dock', 'Dock', {
  hide(): void {},
  show: async (): Promise<void> => undefined,
  isVisible: () => true,
  setMenu(): void {},
  setIcon(): void {},
  setBadge(): void {},
  getBadge: () => ''
})

function locale(): string {
  const [language = ''] = (process.env['LC_ALL'] || process.env['LANG'] || '').split('.')
  return language === '' || language === 'C' || language === 'POSIX' ? 'en-US' : language.replace('_', '-')
}

class App extends EventEmitter {
  name = 'Electron'
  readonly isPackaged = false
  readonly commandLine = commandLine
  readonly dock = process.platform === 'darwin' ? dock : undefined
  userAgentFallback = ''
  badgeCount = 0
  accessibilitySupportEnabled = false
  #ready = Promise.withResolvers<unknown>()
  #lock: InstanceLock | null = null
  #relaunch: { args: string[]; execPath: string } | null = null

  constructor() {
    super()
    watchListeners(this, 'App', EVENTS)
  }

  // ---- start ----

  whenReady(): Promise<unknown> {
    return this.#ready.promise
  }

  isReady(): boolean {
    return state.ready
  }

  /** @internal By the entry, once the app's main module has been evaluated. */
  static becomeReady(instance: App): void {
    instance.emit('will-finish-launching')
    state.ready = true
    instance.#ready.resolve({})
    instance.emit('ready', electronEvent(), {})
  }

  // ---- one instance ----

  requestSingleInstanceLock(additionalData: unknown = {}): boolean {
    const self = { argv: process.argv, workingDirectory: process.cwd(), additionalData }
    this.#lock ??= requestInstanceLock(getPath('userData'), self, {
      nodePath,
      onSecond: ({ argv, workingDirectory, additionalData: data }) => {
        void this.#ready.promise.then(() => this.emit('second-instance', electronEvent(), argv, workingDirectory, data))
      }
    })
    return this.#lock !== null
  }

  hasSingleInstanceLock(): boolean {
    return this.#lock !== null
  }

  releaseSingleInstanceLock(): void {
    this.#lock?.release()
    this.#lock = null
  }

  // ---- end ----

  quit(): void {
    if (state.quitting || state.exiting) return
    const event = electronEvent()
    this.emit('before-quit', event)
    if (event.defaultPrevented || state.exiting) return
    state.quitting = true
    for (const window of openWindows()) {
      // A window that prevents its closing ends the quitting.
      if (!state.quitting) return
      window.close()
    }
    this.#finishQuit()
  }

  /** @internal By each window that has closed. */
  onWindowGone(): void {
    if (openWindows().length > 0 || state.exiting) return
    if (state.quitting) this.#finishQuit()
    else if (this.listenerCount('window-all-closed') > 0) this.emit('window-all-closed')
    else this.quit()
  }

  #finishQuit(): void {
    if (!state.quitting || state.exiting || openWindows().length > 0) return
    const event = electronEvent()
    this.emit('will-quit', event)
    if (event.defaultPrevented) state.quitting = false
    else this.exit(0)
  }

  exit(code = 0): void {
    if (state.exiting) return
    state.exiting = true
    this.emit('quit', electronEvent(), code)
    void this.#end(code)
  }

  async #end(code: number): Promise<void> {
    await runningBrowser()?.stop()
    this.releaseSingleInstanceLock()
    if (this.#relaunch) spawn(this.#relaunch.execPath, this.#relaunch.args, { detached: true, stdio: 'ignore' }).unref()
    process.exit(code)
  }

  relaunch(options: { args?: string[]; execPath?: string } = {}): void {
    this.#relaunch = { args: options.args ?? process.argv.slice(1), execPath: options.execPath ?? process.execPath }
  }

  // ---- names and paths ----

  getName(): string {
    return this.name
  }

  setName(name: string): void {
    this.name = name
  }

  getVersion(): string {
    return state.info.version
  }

  getAppPath(): string {
    return state.info.path
  }

  getPath(name: string): string {
    return getPath(name)
  }

  setPath(name: string, path: string): void {
    setPath(name, path)
  }

  setAppLogsPath(path?: string): void {
    if (path !== undefined) setPath('logs', path)
  }

  /** Empty before ready, as in Electron. */
  getLocale(): string {
    return state.ready ? locale() : ''
  }

  getSystemLocale(): string {
    return this.getLocale()
  }

  getPreferredSystemLanguages(): string[] {
    return [locale()]
  }

  getLocaleCountryCode(): string {
    return locale().split('-')[1] ?? ''
  }

  // ---- what the system remembers ----

  setAsDefaultProtocolClient(scheme: string, path?: string, args: string[] = []): boolean {
    hooks.protocolClients.set(scheme, { path, args })
    return true
  }

  removeAsDefaultProtocolClient(scheme: string): boolean {
    return hooks.protocolClients.delete(scheme)
  }

  isDefaultProtocolClient(scheme: string): boolean {
    return hooks.protocolClients.has(scheme)
  }

  setLoginItemSettings(settings: Settings): void {
    hooks.loginItem = settings
  }

  getLoginItemSettings() {
    const openAtLogin = hooks.loginItem?.openAtLogin ?? false
    return {
      openAtLogin,
      openAsHidden: false,
      wasOpenedAtLogin: false,
      wasOpenedAsHidden: false,
      restoreState: false,
      executableWillLaunchAtLogin: openAtLogin,
      launchItems: []
    }
  }

  setBadgeCount(count = 0): boolean {
    this.badgeCount = count
    return true
  }

  getBadgeCount(): number {
    return this.badgeCount
  }

  get applicationMenu(): Menu | null {
    return hooks.applicationMenu
  }

  set applicationMenu(menu: Menu | null) {
    hooks.applicationMenu = menu
  }

  // ---- graphics and the rest ----

  disableHardwareAcceleration(): void {
    if (state.ready) throw new Error('app.disableHardwareAcceleration() can only be called before app is ready')
    state.switches.set('disable-gpu', '')
  }

  isHardwareAccelerationEnabled(): boolean {
    return !state.switches.has('disable-gpu')
  }

  /** Every page of the stand-in is sandboxed anyway. */
  enableSandbox(): void {
    if (state.ready) throw new Error('app.enableSandbox() can only be called before app is ready')
  }

  getGPUFeatureStatus(): object {
    return {}
  }

  getAppMetrics(): unknown {
    return unsupported('app.getAppMetrics')
  }

  isAccessibilitySupportEnabled(): boolean {
    return this.accessibilitySupportEnabled
  }

  setAccessibilitySupportEnabled(enabled: boolean): void {
    this.accessibilitySupportEnabled = enabled
  }

  isHidden(): boolean {
    return false
  }

  isActive(): boolean {
    return true
  }

  // Nothing that anybody could see in the stand-in.
  focus(): void {}
  hide(): void {}
  show(): void {}
  setAboutPanelOptions(): void {}
  setActivationPolicy(): void {}
  setAppUserModelId(): void {}
  setDesktopName(): void {}
  addRecentDocument(): void {}
  clearRecentDocuments(): void {}
}
strictInstances(App, 'App')

export const app = new App()
export const becomeReady = (): void => App.becomeReady(app)

hooks.openUrl = (url) => void app.emit('open-url', electronEvent(), url)
