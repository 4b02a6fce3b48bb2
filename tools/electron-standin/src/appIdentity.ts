// The part of `app` that is only remembered: names and paths, and what the system is asked to remember about the app.
import { EventEmitter } from 'node:events'
import type { CommandLine, Menu, Settings } from 'electron'
import { hooks } from './hooks.ts'
import { getPath, setPath } from './paths.ts'
import { misuse, state, violation } from './state.ts'
import { strictModule } from './strict.ts'

const commandLine = strictModule('app.commandLine', 'CommandLine', {
  appendSwitch(name: string, value = ''): void {
    if (state.ready) violation(`app.commandLine.appendSwitch('${name}') after ready has no effect`)
    state.switches.set(name, value)
  },
  appendArgument(): void {},
  hasSwitch: (name: string): boolean => state.switches.has(name),
  getSwitchValue: (name: string): string => state.switches.get(name) ?? '',
  removeSwitch: (name: string): void => void state.switches.delete(name)
} satisfies Partial<CommandLine>)

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

export abstract class AppIdentity extends EventEmitter {
  name = 'Electron'
  readonly isPackaged = false
  readonly commandLine = commandLine
  readonly dock = process.platform === 'darwin' ? dock : undefined
  userAgentFallback = ''
  badgeCount = 0
  accessibilitySupportEnabled = false

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
    if (state.ready) misuse('app.disableHardwareAcceleration() can only be called before app is ready')
    state.switches.set('disable-gpu', '')
  }

  isHardwareAccelerationEnabled(): boolean {
    return !state.switches.has('disable-gpu')
  }

  /** Every page of the stand-in is sandboxed anyway. */
  enableSandbox(): void {
    if (state.ready) misuse('app.enableSandbox() can only be called before app is ready')
  }

  getGPUFeatureStatus(): object {
    return {}
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
