// What tests may look at and trigger: `globalThis.__standin` inside the app's main process, absent on real Electron.
import type { Display, LoginItemSettings, Menu, Notification, Point, Settings } from 'electron'

/** One dialog that the app showed, with the options it gave. */
export interface ShownDialog {
  readonly kind: 'open' | 'save' | 'message' | 'error'
  readonly options: unknown
}

export interface StandinHooks {
  /** Everything real Electron would do differently or not at all. An end-to-end test asserts that this is empty. */
  readonly violations: string[]
  /** What main sent to a page that was not there (no document yet, or another one), by channel. Electron drops these as well. */
  readonly dropped: Record<string, number>
  /** URLs and paths handed to the shell. */
  readonly opened: string[]
  readonly notifications: Notification[]
  /** Every setContentProtection, in order, with whether the window was visible at that moment. */
  readonly contentProtection: { windowId: number; enabled: boolean; visible: boolean }[]
  readonly trays: Set<unknown>
  readonly shortcuts: Map<string, () => void>
  /** Accelerators that another program holds: registering one of these fails. Normalised, for example `control+shift+space`. */
  readonly takenShortcuts: Set<string>
  /** Answers of the dialogs to come, oldest first. */
  readonly dialogAnswers: unknown[]
  readonly dialogs: ShownDialog[]
  readonly clipboard: Map<string, string>
  /** Schemes the app asked to be the default client of, with the path and arguments given. */
  readonly protocolClients: Map<string, { path: string | undefined; args: string[] }>
  loginItem: Settings | LoginItemSettings | null
  applicationMenu: Menu | null
  popupMenu: Menu | null
  online: boolean
  /** Seconds since the last input, for powerMonitor. */
  idleSeconds: number
  onBattery: boolean
  /** true: a keychain is there, so safeStorage encrypts on Linux without asking for plain text. */
  keychain: boolean
  cursor: Point
  displays: Display[] | null
  /** Presses a global shortcut. Returns whether the app holds it. */
  triggerShortcut(accelerator: string): boolean
  /** Clicks an item of the application menu, or of the given menu, by its labels or roles from the top. */
  clickMenu(path: readonly string[], menu?: Menu): boolean
  /** Sends `event` to the first tray icon. Returns whether there is one. */
  triggerTray(event: 'click' | 'right-click' | 'double-click' | 'middle-click'): boolean
  setDisplays(displays: Display[]): void
  setSystemDark(dark: boolean): void
  /** Emits an event of powerMonitor: suspend, resume, lock-screen … */
  power(event: string): void
  /** What macOS does when a link of the app's scheme is followed. */
  openUrl(url: string): void
}

const unready = (name: string) => (): never => {
  throw new Error(`[standin] __standin.${name} is not there yet`)
}

/** Filled in by the modules that own each trigger. */
export const hooks: StandinHooks = {
  violations: [],
  dropped: {},
  opened: [],
  notifications: [],
  contentProtection: [],
  trays: new Set(),
  shortcuts: new Map(),
  takenShortcuts: new Set(),
  dialogAnswers: [],
  dialogs: [],
  clipboard: new Map(),
  protocolClients: new Map(),
  loginItem: null,
  applicationMenu: null,
  popupMenu: null,
  online: true,
  idleSeconds: 0,
  onBattery: false,
  keychain: false,
  cursor: { x: 0, y: 0 },
  displays: null,
  triggerShortcut: unready('triggerShortcut'),
  clickMenu: unready('clickMenu'),
  triggerTray: unready('triggerTray'),
  setDisplays: unready('setDisplays'),
  setSystemDark: unready('setSystemDark'),
  power: unready('power'),
  openUrl: unready('openUrl')
}

Object.defineProperty(globalThis, '__standin', { value: hooks, configurable: false, enumerable: false, writable: false })
