// The settings of a webContents: its user agent, zoom and sound, and the developer tools that it has not.
import { EventEmitter } from 'node:events'
import type { Session } from './session.ts'
import { violation } from './state.ts'

const ZOOM_STEP = 1.2

export abstract class WebContentsSettings extends EventEmitter {
  abstract readonly session: Session
  #userAgent: string | null = null
  #zoom = 1
  #muted = false

  protected abstract applyUserAgent(userAgent: string): void
  protected abstract applyZoom(): void

  /** Once there is a page to apply them to. */
  protected applySettings(): void {
    if (this.#userAgent !== null) this.applyUserAgent(this.#userAgent)
  }

  setUserAgent(userAgent: string): void {
    this.#userAgent = userAgent
    this.applyUserAgent(userAgent)
  }

  getUserAgent(): string {
    return this.#userAgent ?? this.session.getUserAgent()
  }

  setZoomFactor(factor: number): void {
    if (!(factor > 0)) throw new Error('"zoomFactor" must be a double greater than 0.0')
    this.#zoom = factor
    this.applyZoom()
  }

  getZoomFactor(): number {
    return this.#zoom
  }

  setZoomLevel(level: number): void {
    this.setZoomFactor(ZOOM_STEP ** level)
  }

  getZoomLevel(): number {
    return Math.log(this.#zoom) / Math.log(ZOOM_STEP)
  }

  get zoomFactor(): number {
    return this.#zoom
  }

  set zoomFactor(factor: number) {
    this.setZoomFactor(factor)
  }

  async setVisualZoomLevelLimits(): Promise<void> {}

  setBackgroundThrottling(): void {}

  getBackgroundThrottling(): boolean {
    return false
  }

  setAudioMuted(muted: boolean): void {
    this.#muted = muted
  }

  isAudioMuted(): boolean {
    return this.#muted
  }

  isCurrentlyAudible(): boolean {
    return false
  }

  openDevTools(): void {
    violation('webContents.openDevTools does nothing in the stand-in')
  }

  closeDevTools(): void {}

  isDevToolsOpened(): boolean {
    return false
  }
}
