// `BrowserWindow`: a top-level window of Chromium's. The app's calls take effect at once for the app and in order for Chromium.
import type { BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { app } from './app.ts'
import { ChromiumMissing } from './browser.ts'
import { ignoreGone } from './cdp.ts'
import type { PageLink } from './pageLink.ts'
import type { WindowNews } from './page/protocol.ts'
import { primaryDisplay } from './screen.ts'
import { electronEvent, state, unsupported, violation, type StandinEvent } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'
import { WebContents } from './webContents.ts'
import { WindowAppearance } from './windowAppearance.ts'
import { centered, limitSize, needWholeNumbers, samePosition, sameSize, type SizeLimits } from './windowGeometry.ts'
import type { WindowState } from './windowManager.ts'
import { addWindow, focusedWindow, nextWindowId, openWindows, removeWindow, setFocusedWindow, windowById } from './windows.ts'

const EVENTS = [
  'always-on-top-changed',
  'blur',
  'close',
  'closed',
  'enter-full-screen',
  'focus',
  'hide',
  'leave-full-screen',
  'maximize',
  'minimize',
  'move',
  'moved',
  'page-title-updated',
  'ready-to-show',
  'resize',
  'resized',
  'responsive',
  'restore',
  'show',
  'unmaximize',
  'unresponsive',
  // Never fire on Linux, where Electron has them for other systems.
  'session-end',
  'query-session-end',
  'will-move',
  'will-resize'
]
const DEFAULT_SIZE = { width: 800, height: 600 }

type Shape = 'normal' | 'minimized' | 'maximized' | 'fullscreen'

export class BrowserWindow extends WindowAppearance {
  readonly id: number
  readonly webContents: WebContents
  readonly #options: BrowserWindowConstructorOptions
  readonly #opened: Promise<PageLink>
  #queue: Promise<unknown>
  #bounds: Rectangle
  #limits: SizeLimits
  #visible: boolean
  #shape: Shape = 'normal'
  #title: string
  #painted = false
  #closing = false
  #dead = false

  static getAllWindows(): BrowserWindow[] {
    return openWindows() as BrowserWindow[]
  }

  static getFocusedWindow(): BrowserWindow | null {
    return focusedWindow() as BrowserWindow | null
  }

  static fromId(id: number): BrowserWindow | null {
    return (windowById(id) as BrowserWindow | undefined) ?? null
  }

  static fromWebContents(contents: WebContents | null | undefined): BrowserWindow | null {
    return BrowserWindow.getAllWindows().find((window) => window.webContents === contents) ?? null
  }

  constructor(options: BrowserWindowConstructorOptions = {}) {
    if (!state.ready) throw new Error('Cannot create BrowserWindow before app is ready')
    if (options.parent) unsupported('BrowserWindow with a parent')
    super(options)
    this.id = nextWindowId()
    this.#options = options
    this.#title = options.title ?? app.name
    this.#visible = options.show !== false
    this.#limits = { min: [options.minWidth ?? 0, options.minHeight ?? 0], max: [options.maxWidth ?? 0, options.maxHeight ?? 0] }
    const size = limitSize({ width: options.width ?? DEFAULT_SIZE.width, height: options.height ?? DEFAULT_SIZE.height }, this.#limits)
    const { x, y } = options
    this.#bounds = x === undefined || y === undefined ? centered(size, primaryDisplay().workArea) : { x, y, ...size }
    this.webContents = new WebContents(
      {
        isFocused: () => this.isFocused(),
        focus: () => this.focus(),
        close: () => this.close(),
        onNews: (news) => this.#onNews(news),
        onTitle: (event, title) => this.#onTitle(event, title),
        onGone: () => this.#onGone(),
        onZoom: () => this.#run((link) => this.#place(link))
      },
      options.webPreferences ?? {}
    )
    addWindow(this)
    watchListeners(this, 'BrowserWindow', EVENTS)
    this.#opened = this.#open()
    this.#queue = this.#opened
    this.#opened.catch((error: unknown) => this.#onOpenFailed(error))
    queueMicrotask(() => {
      app.emit('browser-window-created', electronEvent(), this)
      app.emit('web-contents-created', electronEvent(), this.webContents)
    })
  }

  // ---- Chromium's side ----

  async #open(): Promise<PageLink> {
    const link = await WebContents.open(this.webContents, this.#bounds)
    const { windowManager } = link.browser
    if (this.#options.frame === false) await windowManager.removeFrame(link.targetId)
    await this.#place(link)
    if (this.isDestroyed()) return link
    if (this.isAlwaysOnTop()) await windowManager.setState(link.targetId, true, 'above')
    if (this.#options.skipTaskbar) await windowManager.setState(link.targetId, true, 'skip_taskbar', 'skip_pager')
    // As in Electron, a page of a window that was made with show:false is 'visible' to itself and paints once.
    if (!this.#visible) await windowManager.setMapped(link.targetId, false)
    else if (this.#options.show !== false) this.#setFocused()
    return link
  }

  #onOpenFailed(error: unknown): void {
    if (this.#dead || state.exiting) return
    console.error(error instanceof ChromiumMissing ? error.message : error)
    app.exit(1)
  }

  /** Commands to Chromium run in order, once the window is there, and not any more when it has gone. */
  #run(command: (link: PageLink) => Promise<unknown>): void {
    this.#queue = this.#queue
      .then(() => this.#opened)
      .then((link) => (this.#dead ? undefined : command(link)))
      .catch(ignoreGone)
  }

  async #setWindow(link: PageLink, bounds: { left?: number; top?: number; width?: number; height?: number; windowState?: Shape }): Promise<void> {
    const { windowId } = await link.browser.cdp.send('Browser.getWindowForTarget', { targetId: link.targetId })
    await link.browser.cdp.send('Browser.setWindowBounds', { windowId, bounds })
  }

  /** Headless Chromium adds a toolbar and refuses widths under 500: there the page's size is set by emulation. */
  async #place(link: PageLink): Promise<void> {
    const { x, y, width, height } = this.#bounds
    await this.#setWindow(link, { left: x, top: y, width, height })
    if (!link.browser.headless) return
    const zoom = this.webContents.getZoomFactor()
    await link.cdp.send('Emulation.setDeviceMetricsOverride', {
      width: Math.round(width / zoom),
      height: Math.round(height / zoom),
      deviceScaleFactor: zoom === 1 ? 0 : zoom,
      mobile: false
    })
  }

  protected override setManagedState(on: boolean, ...states: WindowState[]): void {
    this.#run((link) => link.browser.windowManager.setState(link.targetId, on, ...states))
  }

  protected override showOpacity(opacity: number): void {
    this.#run((link) => link.browser.windowManager.setOpacity(link.targetId, opacity))
  }

  #onNews(news: WindowNews): void {
    if (this.#dead) return
    if (news === 'painted') this.#onPainted()
    else if (news === 'focus') this.#setFocused()
    else if (news === 'blur') this.#loseFocus()
    else this.#run((link) => this.#readBounds(link))
  }

  #onPainted(): void {
    if (this.#painted || this.webContents.getURL() === '') return
    this.#painted = true
    this.emit('ready-to-show')
  }

  /** Somebody else moved or sized the window. */
  async #readBounds(link: PageLink): Promise<void> {
    if (link.browser.headless) return
    const { bounds } = await link.browser.cdp.send('Browser.getWindowForTarget', { targetId: link.targetId })
    if (bounds.windowState !== 'normal') return
    const before = this.#bounds
    this.#bounds = {
      x: bounds.left ?? before.x,
      y: bounds.top ?? before.y,
      width: bounds.width ?? before.width,
      height: bounds.height ?? before.height
    }
    this.#emitChanges(before, true)
  }

  #emitChanges(before: Rectangle, finished: boolean): void {
    if (!sameSize(before, this.#bounds)) {
      this.emit('resize')
      if (finished) this.emit('resized')
    }
    if (!samePosition(before, this.#bounds)) {
      this.emit('move')
      if (finished) this.emit('moved')
    }
  }

  #onTitle(event: StandinEvent, title: string): void {
    this.emit('page-title-updated', event, title, true)
    if (!event.defaultPrevented) this.#title = title
  }

  #setFocused(): void {
    if (this.#dead || this.isFocused()) return
    const before = setFocusedWindow(this) as BrowserWindow | null
    before?.emit('blur')
    if (before) app.emit('browser-window-blur', electronEvent(), before)
    this.emit('focus')
    app.emit('browser-window-focus', electronEvent(), this)
  }

  #loseFocus(): void {
    if (!this.isFocused()) return
    setFocusedWindow(null)
    this.emit('blur')
    app.emit('browser-window-blur', electronEvent(), this)
  }

  #onGone(): void {
    if (this.#dead) return
    if (!this.#closing) this.#onClosedByUser()
    this.#dead = true
    removeWindow(this)
    this.emit('closed')
    app.onWindowGone()
  }

  /** By its title bar: the event comes when it is too late to keep the window. */
  #onClosedByUser(): void {
    const event = electronEvent()
    this.emit('close', event)
    if (event.defaultPrevented) violation("a window closed by the user cannot be kept in the stand-in: 'close' came too late for preventDefault")
  }

  protected override needAlive(): void {
    if (this.#dead) throw new TypeError('Object has been destroyed')
  }

  // ---- life ----

  loadURL(url: string): Promise<void> {
    this.needAlive()
    const loaded = this.webContents.loadURL(url)
    // Electron does not crash an app that ignores the promise: 'did-fail-load' tells it as well.
    loaded.catch(() => undefined)
    return loaded
  }

  loadFile(path: string): Promise<void> {
    this.needAlive()
    return this.webContents.loadFile(path)
  }

  reload(): void {
    this.webContents.reload()
  }

  capturePage(...args: Parameters<WebContents['capturePage']>): ReturnType<WebContents['capturePage']> {
    return this.webContents.capturePage(...args)
  }

  close(): void {
    this.needAlive()
    if (this.#closing) return
    const event = electronEvent()
    this.emit('close', event)
    if (event.defaultPrevented) {
      state.quitting = false
      return
    }
    this.#closing = true
    this.#run((link) => link.cdp.send('Page.close'))
  }

  destroy(): void {
    if (this.#dead) return
    this.#closing = true
    this.#opened.then((link) => link.browser.cdp.send('Target.closeTarget', { targetId: link.targetId })).catch(ignoreGone)
    WebContents.end(this.webContents)
  }

  isDestroyed(): boolean {
    return this.#dead
  }

  // ---- visibility ----

  show(): void {
    this.#reveal(true)
  }

  showInactive(): void {
    this.#reveal(false)
  }

  #reveal(activate: boolean): void {
    this.needAlive()
    const wasVisible = this.#visible
    this.#visible = true
    if (this.#shape === 'minimized') this.#shape = 'normal'
    this.#run(async (link) => {
      const { windowManager } = link.browser
      await windowManager.setMapped(link.targetId, true)
      await this.#setWindow(link, { windowState: 'normal' })
      await this.#place(link)
      if (this.isAlwaysOnTop()) await windowManager.setState(link.targetId, true, 'above')
      if (activate) await this.#activate(link)
    })
    if (!wasVisible) this.emit('show')
  }

  async #activate(link: PageLink): Promise<void> {
    await link.browser.cdp.send('Target.activateTarget', { targetId: link.targetId })
    await link.browser.windowManager.activate(link.targetId)
    this.#setFocused()
  }

  hide(): void {
    this.needAlive()
    if (!this.#visible) return
    this.#visible = false
    this.#run(async (link) => {
      await this.#setWindow(link, { windowState: 'minimized' })
      await link.browser.windowManager.setMapped(link.targetId, false)
    })
    this.#loseFocus()
    this.emit('hide')
  }

  isVisible(): boolean {
    this.needAlive()
    return this.#visible
  }

  focus(): void {
    this.needAlive()
    this.#run((link) => this.#activate(link))
  }

  blur(): void {
    this.needAlive()
    this.#loseFocus()
  }

  isFocused(): boolean {
    return focusedWindow() === this
  }

  moveTop(): void {
    this.#run((link) => link.browser.windowManager.activate(link.targetId))
  }

  #setShape(shape: Shape, event: string): void {
    this.needAlive()
    if (this.#shape === shape) return
    this.#shape = shape
    this.#run((link) => this.#setWindow(link, { windowState: shape }))
    this.emit(event)
  }

  minimize(): void {
    this.#setShape('minimized', 'minimize')
  }

  restore(): void {
    this.#setShape('normal', 'restore')
  }

  maximize(): void {
    this.#setShape('maximized', 'maximize')
  }

  unmaximize(): void {
    if (this.#shape === 'maximized') this.#setShape('normal', 'unmaximize')
  }

  setFullScreen(on: boolean): void {
    if (on) this.#setShape('fullscreen', 'enter-full-screen')
    else if (this.#shape === 'fullscreen') this.#setShape('normal', 'leave-full-screen')
  }

  isMinimized(): boolean {
    return this.#shape === 'minimized'
  }

  isMaximized(): boolean {
    return this.#shape === 'maximized'
  }

  isFullScreen(): boolean {
    return this.#shape === 'fullscreen'
  }

  isNormal(): boolean {
    return this.#shape === 'normal'
  }

  // ---- geometry: content and window are the same, there is no frame to count ----

  setBounds(bounds: Partial<Rectangle>): void {
    this.needAlive()
    needWholeNumbers(bounds)
    const before = this.#bounds
    this.#bounds = limitSize({ ...before, ...bounds }, this.#limits)
    this.#run((link) => this.#place(link))
    this.#emitChanges(before, false)
  }

  getBounds(): Rectangle {
    this.needAlive()
    return { ...this.#bounds }
  }

  setContentBounds(bounds: Rectangle): void {
    this.setBounds(bounds)
  }

  getContentBounds(): Rectangle {
    return this.getBounds()
  }

  getNormalBounds(): Rectangle {
    return this.getBounds()
  }

  setSize(width: number, height: number): void {
    this.setBounds({ width, height })
  }

  getSize(): number[] {
    return [this.#bounds.width, this.#bounds.height]
  }

  setContentSize(width: number, height: number): void {
    this.setSize(width, height)
  }

  getContentSize(): number[] {
    return this.getSize()
  }

  setPosition(x: number, y: number): void {
    this.setBounds({ x, y })
  }

  getPosition(): number[] {
    return [this.#bounds.x, this.#bounds.y]
  }

  setMinimumSize(width: number, height: number): void {
    this.#limits = { ...this.#limits, min: [width, height] }
  }

  getMinimumSize(): number[] {
    return [...this.#limits.min]
  }

  setMaximumSize(width: number, height: number): void {
    this.#limits = { ...this.#limits, max: [width, height] }
  }

  getMaximumSize(): number[] {
    return [...this.#limits.max]
  }

  center(): void {
    const { x, y } = centered(this.#bounds, primaryDisplay().workArea)
    this.setPosition(x, y)
  }

  // ---- title and relations ----

  setTitle(title: string): void {
    this.needAlive()
    this.#title = title
  }

  getTitle(): string {
    return this.#title
  }

  get title(): string {
    return this.#title
  }

  set title(title: string) {
    this.setTitle(title)
  }

  getParentWindow(): null {
    return null
  }

  getChildWindows(): BrowserWindow[] {
    return []
  }

  isModal(): boolean {
    return false
  }
}
strictInstances(BrowserWindow, 'BrowserWindow')
