// The part of a BrowserWindow that Chromium's window has: where it is, how large, and in which shape. The app's calls take effect at
// once for the app, and in order for Chromium.
import type { BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { ignoreGone } from './cdp.ts'
import type { PageLink } from './pageLink.ts'
import { primaryDisplay } from './screen.ts'
import { WindowAppearance } from './windowAppearance.ts'
import { centered, limitSize, needWholeNumbers, samePosition, sameSize, type SizeLimits } from './windowGeometry.ts'
import type { WindowState } from './windowManager.ts'

export type Shape = 'normal' | 'minimized' | 'maximized' | 'fullscreen'

const DEFAULT_SIZE = { width: 800, height: 600 }

export abstract class WindowFrame extends WindowAppearance {
  /** Chromium's window, once it is there. */
  protected abstract readonly opened: Promise<PageLink>
  #queue: Promise<unknown> = Promise.resolve()
  #bounds: Rectangle
  #limits: SizeLimits
  #shape: Shape = 'normal'

  constructor(options: BrowserWindowConstructorOptions) {
    super(options)
    this.#limits = { min: [options.minWidth ?? 0, options.minHeight ?? 0], max: [options.maxWidth ?? 0, options.maxHeight ?? 0] }
    const size = limitSize({ width: options.width ?? DEFAULT_SIZE.width, height: options.height ?? DEFAULT_SIZE.height }, this.#limits)
    const { x, y } = options
    this.#bounds = x === undefined || y === undefined ? centered(size, primaryDisplay().workArea) : { x, y, ...size }
  }

  abstract isDestroyed(): boolean
  protected abstract zoomFactor(): number

  /** Commands to Chromium run in order, once the window is there, and not any more when it has gone. */
  protected run(command: (link: PageLink) => Promise<unknown>): void {
    this.#queue = this.#queue
      .then(() => this.opened)
      .then((link) => (this.isDestroyed() ? undefined : command(link)))
      .catch(ignoreGone)
  }

  protected async setWindow(
    link: PageLink,
    bounds: { left?: number; top?: number; width?: number; height?: number; windowState?: Shape }
  ): Promise<void> {
    const { windowId } = await link.browser.cdp.send('Browser.getWindowForTarget', { targetId: link.targetId })
    await link.browser.cdp.send('Browser.setWindowBounds', { windowId, bounds })
  }

  /** Headless Chromium adds a toolbar and refuses widths under 500: there the page's size is set by emulation. */
  protected async place(link: PageLink): Promise<void> {
    const { x, y, width, height } = this.#bounds
    await this.setWindow(link, { left: x, top: y, width, height })
    if (!link.browser.headless) return
    const zoom = this.zoomFactor()
    await link.cdp.send('Emulation.setDeviceMetricsOverride', {
      width: Math.round(width / zoom),
      height: Math.round(height / zoom),
      deviceScaleFactor: zoom === 1 ? 0 : zoom,
      mobile: false
    })
  }

  protected override setManagedState(on: boolean, ...states: WindowState[]): void {
    this.run((link) => link.browser.windowManager.setState(link.targetId, on, ...states))
  }

  protected override showOpacity(opacity: number): void {
    this.run((link) => link.browser.windowManager.setOpacity(link.targetId, opacity))
  }

  /** Somebody else moved or sized the window. */
  protected async readBounds(link: PageLink): Promise<void> {
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

  // ---- shape ----

  #setShape(shape: Shape, event: string): void {
    this.needAlive()
    if (this.#shape === shape) return
    this.#shape = shape
    this.run((link) => this.setWindow(link, { windowState: shape }))
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
    this.run((link) => this.place(link))
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
}
