// The part of a BrowserWindow that is only remembered, or told to the window manager: no page behind it.
import { EventEmitter } from 'node:events'
import type { BrowserWindowConstructorOptions, Menu } from 'electron'
import type { WindowState } from './windowManager.ts'
import { hooks } from './hooks.ts'
import { electronEvent } from './state.ts'

/** Options that are a plain property with a setter and a getter, with their defaults. */
const FLAGS = {
  resizable: true,
  movable: true,
  minimizable: true,
  maximizable: true,
  closable: true,
  focusable: true,
  fullScreenable: true,
  enabled: true,
  documentEdited: false,
  hiddenInMissionControl: false
}
type Flag = keyof typeof FLAGS
const FLAG_NAMES = Object.keys(FLAGS) as Flag[]

/** Methods that change nothing anybody could see in the stand-in. */
const WITHOUT_EFFECT = [
  'flashFrame',
  'invalidateShadow',
  'setAppDetails',
  'setAspectRatio',
  'setAutoHideCursor',
  'setBackgroundMaterial',
  'setIcon',
  'setOverlayIcon',
  'setProgressBar',
  'setShape',
  'setTitleBarOverlay',
  'setVibrancy',
  'setWindowButtonPosition',
  'setWindowButtonVisibility'
]

export abstract class WindowAppearance extends EventEmitter {
  abstract readonly id: number
  readonly #flags = { ...FLAGS }
  #alwaysOnTop: boolean
  #allWorkspaces = false
  #contentProtected = false
  #opacity: number
  #hasShadow: boolean
  #backgroundColor: string
  #menuBarVisible = true
  #autoHideMenuBar: boolean
  #kiosk: boolean
  #representedFilename = ''
  accessibleTitle = ''
  excludedFromShownWindowsMenu = false

  constructor(options: BrowserWindowConstructorOptions) {
    super()
    for (const name of FLAG_NAMES) {
      const wanted = name === 'fullScreenable' ? options.fullscreenable : (options as Record<string, unknown>)[name]
      if (typeof wanted === 'boolean') this.#flags[name] = wanted
    }
    this.#alwaysOnTop = options.alwaysOnTop ?? false
    this.#opacity = options.opacity ?? 1
    this.#hasShadow = options.hasShadow ?? true
    this.#backgroundColor = options.backgroundColor ?? '#FFFFFF'
    this.#autoHideMenuBar = options.autoHideMenuBar ?? false
    this.#kiosk = options.kiosk ?? false
  }

  /** @throws TypeError when the window is destroyed */
  protected abstract needAlive(): void
  protected abstract setManagedState(on: boolean, ...states: WindowState[]): void
  protected abstract showOpacity(opacity: number): void
  abstract isVisible(): boolean

  static {
    const withoutEffect = (window: WindowAppearance): void => window.needAlive()
    const prototype = WindowAppearance.prototype as unknown as Record<string, unknown>
    for (const name of FLAG_NAMES) {
      const capital = name.charAt(0).toUpperCase() + name.slice(1)
      const set = function set(this: WindowAppearance, value: boolean): void {
        this.needAlive()
        this.#flags[name] = value
      }
      const get = function get(this: WindowAppearance): boolean {
        this.needAlive()
        return this.#flags[name]
      }
      prototype[`set${capital}`] = set
      prototype[`is${capital}`] = get
      if (name !== 'enabled' && name !== 'hiddenInMissionControl') Object.defineProperty(prototype, name, { get, set, configurable: true })
    }
    for (const name of WITHOUT_EFFECT) {
      prototype[name] = function (this: WindowAppearance) {
        withoutEffect(this)
      }
    }
  }

  setAlwaysOnTop(on: boolean, _level?: string): void {
    this.needAlive()
    const changed = this.#alwaysOnTop !== on
    this.#alwaysOnTop = on
    this.setManagedState(on, 'above')
    if (changed) this.emit('always-on-top-changed', electronEvent(), on)
  }

  isAlwaysOnTop(): boolean {
    this.needAlive()
    return this.#alwaysOnTop
  }

  setVisibleOnAllWorkspaces(visible: boolean): void {
    this.needAlive()
    this.#allWorkspaces = visible
    this.setManagedState(visible, 'sticky')
  }

  isVisibleOnAllWorkspaces(): boolean {
    return this.#allWorkspaces
  }

  setSkipTaskbar(skip: boolean): void {
    this.needAlive()
    this.setManagedState(skip, 'skip_taskbar', 'skip_pager')
  }

  setContentProtection(enabled: boolean): void {
    this.needAlive()
    this.#contentProtected = enabled
    hooks.contentProtection.push({ windowId: this.id, enabled, visible: this.isVisible() })
  }

  /** Linux can't protect, on Electron either. */
  isContentProtected(): boolean {
    return process.platform === 'linux' ? false : this.#contentProtected
  }

  setIgnoreMouseEvents(_ignore: boolean): void {
    this.needAlive()
  }

  setOpacity(opacity: number): void {
    this.needAlive()
    this.#opacity = Math.min(Math.max(opacity, 0), 1)
    this.showOpacity(this.#opacity)
  }

  getOpacity(): number {
    return this.#opacity
  }

  setHasShadow(hasShadow: boolean): void {
    this.#hasShadow = hasShadow
  }

  hasShadow(): boolean {
    return this.#hasShadow
  }

  setBackgroundColor(color: string): void {
    this.needAlive()
    this.#backgroundColor = color
  }

  getBackgroundColor(): string {
    return this.#backgroundColor
  }

  setMenu(_menu: Menu | null): void {
    this.needAlive()
  }

  removeMenu(): void {
    this.needAlive()
  }

  setMenuBarVisibility(visible: boolean): void {
    this.#menuBarVisible = visible
  }

  isMenuBarVisible(): boolean {
    return this.#menuBarVisible
  }

  setAutoHideMenuBar(hide: boolean): void {
    this.#autoHideMenuBar = hide
  }

  isMenuBarAutoHide(): boolean {
    return this.#autoHideMenuBar
  }

  setKiosk(kiosk: boolean): void {
    this.#kiosk = kiosk
  }

  isKiosk(): boolean {
    return this.#kiosk
  }

  setRepresentedFilename(filename: string): void {
    this.#representedFilename = filename
  }

  getRepresentedFilename(): string {
    return this.#representedFilename
  }

  getNativeWindowHandle(): Buffer {
    return Buffer.alloc(8)
  }

  getMediaSourceId(): string {
    return `window:${this.id}:0`
  }
}
