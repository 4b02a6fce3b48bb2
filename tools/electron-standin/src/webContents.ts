// `webContents`: a page as the app sees it. What needs Chromium goes through its link, which is there once the window has opened.
import { pathToFileURL } from 'node:url'
import type { HandlerDetails, PrintToPDFOptions, Rectangle, WebPreferences, WindowOpenHandlerResponse } from 'electron'
import { runningBrowser } from './browser.ts'
import { ignoreGone } from './cdp.ts'
import { isBlankPage, type WindowBounds } from './chromium.ts'
import { createMainFrame, type MainFrame } from './frame.ts'
import { NativeImage } from './image.ts'
import { IpcMain } from './ipcMain.ts'
import { openPage, type PageLink, type PageState } from './pageLink.ts'
import type { WindowNews } from './page/protocol.ts'
import { toPdfParameters } from './pdf.ts'
import { session, type Session } from './session.ts'
import { electronEvent, unsupported, violation, type StandinEvent } from './state.ts'
import { strictInstances, strictModule, watchListeners } from './strict.ts'
import { WebContentsSettings } from './webContentsSettings.ts'

/** The window around a page. */
export interface PageHost {
  isFocused(): boolean
  focus(): void
  close(): void
  /** What the page's window told, and titles. */
  onNews(news: WindowNews): void
  onTitle(event: StandinEvent, title: string): void
  onGone(): void
  /** Runs what needs frames: a hidden page draws none. */
  drawn<T>(act: () => Promise<T>): Promise<T>
  /** The page's zoom has changed. */
  onZoom(): void
}

const EVENTS = [
  'console-message',
  'destroyed',
  'did-create-window',
  'did-fail-load',
  'did-finish-load',
  'did-frame-finish-load',
  'did-navigate',
  'did-navigate-in-page',
  'did-start-loading',
  'did-stop-loading',
  'dom-ready',
  'ipc-message',
  'page-title-updated',
  'preload-error',
  'render-process-gone',
  'responsive',
  'unresponsive',
  'will-attach-webview',
  'will-frame-navigate',
  'will-navigate',
  'will-prevent-unload',
  'will-redirect'
]

const all = new Map<number, WebContents>()
let lastId = 0

/** What the stand-in's pages are always made with; another wish is refused as far as it is unsafe. */
function checkPreferences(preferences: WebPreferences): void {
  if (preferences.sandbox === false) unsupported('webPreferences.sandbox: false')
  if (preferences.contextIsolation === false) unsupported('webPreferences.contextIsolation: false')
  if (preferences.nodeIntegration) unsupported('webPreferences.nodeIntegration: true')
  if (preferences.webviewTag) unsupported('webPreferences.webviewTag: true')
  if (preferences.partition) unsupported(`webPreferences.partition: '${preferences.partition}'`)
  if (preferences.webSecurity === false) violation('webPreferences.webSecurity: false')
}

export class WebContents extends WebContentsSettings {
  readonly id: number
  override readonly session: Session
  readonly ipc = new IpcMain()
  readonly mainFrame: MainFrame
  readonly #host: PageHost
  readonly #page: PageState = { url: '', title: '', loading: false, crashed: false, started: false, gone: false }
  readonly #preferences: WebPreferences
  #opened: Promise<PageLink> | null = null
  #link: PageLink | null = null
  #openHandler: ((details: HandlerDetails) => WindowOpenHandlerResponse) | null = null
  #styles = 0

  constructor(host: PageHost, preferences: WebPreferences) {
    super()
    checkPreferences(preferences)
    lastId += 1
    this.id = lastId
    this.#host = host
    this.#preferences = preferences
    this.session = (preferences.session as unknown as Session | undefined) ?? session.defaultSession
    this.mainFrame = createMainFrame(this)
    all.set(this.id, this)
    watchListeners(this, 'WebContents', EVENTS)
  }

  /** @internal For the window that this is the page of. */
  static open(contents: WebContents, bounds: WindowBounds): Promise<PageLink> {
    contents.#opened = contents.#open(bounds)
    return contents.#opened
  }

  static getAllWebContents(): WebContents[] {
    return [...all.values()]
  }

  static getFocusedWebContents(): WebContents | null {
    return WebContents.getAllWebContents().find((contents) => contents.isFocused()) ?? null
  }

  static fromId(id: number): WebContents | undefined {
    return all.get(id)
  }

  static fromDevToolsTargetId(targetId: string): WebContents | undefined {
    return WebContents.getAllWebContents().find((contents) => contents.#link?.targetId === targetId)
  }

  /** @internal The window that a page is in, for BrowserWindow.fromWebContents. */
  static hostOf(contents: WebContents): PageHost {
    return contents.#host
  }

  /** @internal Ends the page for the app at once; its target is closed by the window. */
  static end(contents: WebContents): void {
    contents.#page.gone = true
    contents.#onGone()
  }

  async #open(bounds: WindowBounds): Promise<PageLink> {
    const owner = {
      id: this.id,
      ipc: this.ipc,
      mainFrame: this.mainFrame,
      session: this.session,
      preferences: this.#preferences,
      emit: (name: string, ...args: unknown[]) => {
        if (name === 'page-title-updated') this.#host.onTitle(args[0] as StandinEvent, args[1] as string)
        return this.emit(name, ...args)
      },
      createEvent: () => this.#createEvent(),
      askToOpen: (details: HandlerDetails) => this.#openHandler?.(details).action ?? null,
      onNews: (news: WindowNews) => this.#host.onNews(news),
      onGone: () => this.#onGone()
    }
    this.#link = await openPage(owner, this.#page, bounds)
    this.applySettings()
    return this.#link
  }

  async #linked(): Promise<PageLink> {
    if (!this.#opened) throw new Error('[standin] a page without a window')
    return this.#opened
  }

  protected override applyUserAgent(userAgent: string): void {
    void this.#link?.cdp.send('Emulation.setUserAgentOverride', { userAgent }).catch(ignoreGone)
  }

  protected override applyZoom(): void {
    this.#host.onZoom()
  }

  #onGone(): void {
    if (!all.delete(this.id)) return
    this.emit('destroyed')
    this.#host.onGone()
  }

  #createEvent(): object {
    return electronEvent({
      type: 'frame' as const,
      sender: this,
      senderFrame: this.mainFrame,
      frameId: 1,
      processId: this.getProcessId(),
      frameTreeNodeId: this.id,
      ports: [],
      reply: (channel: string, ...args: unknown[]) => this.send(channel, ...args)
    })
  }

  // ---- loading ----

  async loadURL(url: string): Promise<void> {
    const link = await this.#linked()
    await link.load(url)
  }

  loadFile(path: string): Promise<void> {
    return this.loadURL(pathToFileURL(path).href)
  }

  reload(): void {
    this.#reload(false)
  }

  reloadIgnoringCache(): void {
    this.#reload(true)
  }

  #reload(ignoreCache: boolean): void {
    this.#link?.requests.expect(this.#page.url)
    void this.#link?.cdp.send('Page.reload', { ignoreCache }).catch(ignoreGone)
  }

  stop(): void {
    void this.#link?.cdp.send('Page.stopLoading').catch(ignoreGone)
  }

  getURL(): string {
    const { url, started } = this.#page
    return started && !isBlankPage(url) ? (this.#link?.browser.origins.fromChromium(url) ?? url) : ''
  }

  getTitle(): string {
    return this.#page.title
  }

  isLoading(): boolean {
    return this.#page.loading
  }

  isLoadingMainFrame(): boolean {
    return this.#page.loading
  }

  isWaitingForResponse(): boolean {
    return false
  }

  isCrashed(): boolean {
    return this.#page.crashed
  }

  isDestroyed(): boolean {
    return this.#page.gone
  }

  setWindowOpenHandler(handler: ((details: HandlerDetails) => WindowOpenHandlerResponse) | null): void {
    this.#openHandler = handler
  }

  // ---- talking to the page ----

  send(channel: string, ...args: unknown[]): void {
    if (typeof channel !== 'string') throw new TypeError('Missing required channel argument')
    this.#link?.channel.send(channel, args)
  }

  async executeJavaScript(code: string, userGesture = false): Promise<unknown> {
    const { cdp } = await this.#linked()
    const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
      expression: code,
      awaitPromise: true,
      returnByValue: true,
      userGesture
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description?.split('\n')[0] ?? exceptionDetails.text)
    return result.value as unknown
  }

  async insertCSS(css: string): Promise<string> {
    this.#styles += 1
    const key = `standin-css-${this.#styles}`
    const properties = JSON.stringify({ id: key, textContent: css })
    await this.executeJavaScript(`void document.head.appendChild(Object.assign(document.createElement('style'), ${properties}))`)
    return key
  }

  async removeInsertedCSS(key: string): Promise<void> {
    await this.executeJavaScript(`document.getElementById(${JSON.stringify(key)})?.remove()`)
  }

  // ---- pictures ----

  async capturePage(rect?: Rectangle): Promise<NativeImage> {
    const { cdp } = await this.#linked()
    const { data } = await this.#host.drawn(() =>
      cdp.send('Page.captureScreenshot', { format: 'png', ...(rect ? { clip: { ...rect, scale: 1 } } : {}) })
    )
    return new NativeImage(Buffer.from(data, 'base64'))
  }

  async printToPDF(options: PrintToPDFOptions = {}): Promise<Buffer> {
    const { cdp } = await this.#linked()
    const { data } = await cdp.send('Page.printToPDF', toPdfParameters(options))
    return Buffer.from(data, 'base64')
  }

  // ---- identity and life ----

  getType(): string {
    return 'window'
  }

  getProcessId(): number {
    return this.id
  }

  getOSProcessId(): number {
    return runningBrowser()?.pid ?? 0
  }

  getOrCreateDevToolsTargetId(): string {
    return this.#link?.targetId ?? ''
  }

  isFocused(): boolean {
    return !this.isDestroyed() && this.#host.isFocused()
  }

  focus(): void {
    this.#host.focus()
  }

  close(): void {
    this.#host.close()
  }
}
strictInstances(WebContents, 'WebContents')

/** The module `webContents`: the statics alone. */
export const webContents = strictModule('webContents', 'WebContents', {
  getAllWebContents: () => WebContents.getAllWebContents(),
  getFocusedWebContents: () => WebContents.getFocusedWebContents(),
  fromId: (id: number) => WebContents.fromId(id),
  fromDevToolsTargetId: (targetId: string) => WebContents.fromDevToolsTargetId(targetId)
})

/** The module `webFrameMain`: a page has one frame here, so the webContents finds it. */
export const webFrameMain = strictModule('webFrameMain', 'WebFrameMain', {
  fromId: (processId: number, _routingId: number) => WebContents.fromId(processId)?.mainFrame
})
