// `BrowserWindow`: a top-level window of Chromium's with its page: life, visibility, focus, title.
import type { BrowserWindowConstructorOptions } from 'electron'
import { app } from './app.ts'
import { ChromiumMissing } from './browser.ts'
import { ignoreGone } from './cdp.ts'
import type { PageLink } from './pageLink.ts'
import type { WindowNews } from './page/protocol.ts'
import { electronEvent, needReady, state, unsupported, violation, type StandinEvent } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'
import { WebContents } from './webContents.ts'
import { WindowFrame } from './windowFrame.ts'
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
export class BrowserWindow extends WindowFrame {
  readonly id: number
  readonly webContents: WebContents
  readonly #options: BrowserWindowConstructorOptions
  protected override readonly opened: Promise<PageLink>
  #visible: boolean
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
    needReady('Cannot create BrowserWindow before app is ready')
    if (options.parent) unsupported('BrowserWindow with a parent')
    super(options)
    this.id = nextWindowId()
    this.#options = options
    this.#title = options.title ?? app.name
    this.#visible = options.show !== false
    this.webContents = new WebContents(
      {
        isFocused: () => this.isFocused(),
        focus: () => this.focus(),
        close: () => this.close(),
        onNews: (news) => this.#onNews(news),
        onTitle: (event, title) => this.#onTitle(event, title),
        onGone: () => this.#onGone(),
        drawn: (act) => this.#drawn(act),
        onZoom: () => this.run((link) => this.place(link))
      },
      options.webPreferences ?? {}
    )
    this.webContents.on('render-process-gone', (event: unknown, details: unknown) =>
      app.emit('render-process-gone', event, this.webContents, details)
    )
    addWindow(this)
    watchListeners(this, 'BrowserWindow', EVENTS)
    this.opened = this.#open()
    this.opened.catch((error: unknown) => this.#onOpenFailed(error))
    queueMicrotask(() => {
      app.emit('browser-window-created', electronEvent(), this)
      app.emit('web-contents-created', electronEvent(), this.webContents)
    })
  }

  // ---- Chromium's side ----

  async #open(): Promise<PageLink> {
    const link = await WebContents.open(this.webContents, this.getBounds())
    const { windowManager } = link.browser
    if (this.#options.frame === false) await windowManager.removeFrame(link.targetId)
    await this.place(link)
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

  #onNews(news: WindowNews): void {
    if (this.#dead) return
    if (news === 'painted') this.#onPainted()
    else if (news === 'focus') this.#setFocused()
    else if (news === 'blur') this.#loseFocus()
    else this.run((link) => this.readBounds(link))
  }

  #onPainted(): void {
    if (this.#painted || this.webContents.getURL() === '') return
    this.#painted = true
    this.emit('ready-to-show')
  }

  /** As Electron's capturePage does, this shows a hidden page to itself for the moment. Headless only: nobody must see it. */
  #drawn<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.run(async (link) => {
        const isMinimized = !this.#visible || this.isMinimized()
        try {
          if (isMinimized && !link.browser.headless) unsupported('capturePage of a hidden window on a visible display')
          if (isMinimized) await this.setWindow(link, { windowState: 'normal' })
          resolve(await act())
          if (isMinimized) await this.setWindow(link, { windowState: 'minimized' })
        } catch (error) {
          reject(error)
        }
      })
    })
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
    if (!this.#closing && !state.exiting && !this.webContents.isCrashed()) this.#onClosedByUser()
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

  protected override zoomFactor(): number {
    return this.webContents.getZoomFactor()
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
    this.run((link) => link.cdp.send('Page.close'))
  }

  destroy(): void {
    if (this.#dead) return
    this.#closing = true
    this.opened.then((link) => link.browser.cdp.send('Target.closeTarget', { targetId: link.targetId })).catch(ignoreGone)
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
    if (this.isMinimized()) this.restore()
    this.run(async (link) => {
      const { windowManager } = link.browser
      await windowManager.setMapped(link.targetId, true)
      await this.setWindow(link, { windowState: 'normal' })
      await this.place(link)
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
    this.run(async (link) => {
      await this.setWindow(link, { windowState: 'minimized' })
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
    this.run((link) => this.#activate(link))
  }

  blur(): void {
    this.needAlive()
    this.#loseFocus()
  }

  isFocused(): boolean {
    return focusedWindow() === this
  }

  moveTop(): void {
    this.run((link) => link.browser.windowManager.activate(link.targetId))
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
