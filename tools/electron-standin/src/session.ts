// `session`: permissions, webRequest and storage of the one session that the stand-in has.
import { EventEmitter } from 'node:events'
import type { Session as ElectronSession } from 'electron'
import { ensureBrowser, runningBrowser } from './browser.ts'
import { net } from './net.ts'
import { protocol } from './protocol.ts'
import { needReady, state, unsupported, violation } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'

type PermissionRequestHandler = NonNullable<Parameters<ElectronSession['setPermissionRequestHandler']>[0]>
type PermissionCheckHandler = NonNullable<Parameters<ElectronSession['setPermissionCheckHandler']>[0]>
type Permission = Parameters<PermissionCheckHandler>[1]
export type RequestListener = (details: Record<string, unknown>, callback: (answer: Record<string, unknown>) => void) => void
export type RequestStage = 'onBeforeRequest' | 'onBeforeSendHeaders' | 'onHeadersReceived'

/** Chromium's permission descriptors, and the names by which Electron asks for them. */
const PERMISSIONS: readonly (readonly [descriptor: string, name: Permission])[] = [
  ['notifications', 'notifications'],
  ['geolocation', 'geolocation'],
  ['midi', 'midi'],
  ['microphone', 'media'],
  ['camera', 'media'],
  ['clipboard-read', 'clipboard-read'],
  ['clipboard-write', 'clipboard-sanitized-write'],
  ['idle-detection', 'idle-detection'],
  ['display-capture', 'display-capture'],
  ['local-fonts', 'local-fonts']
]
const STAGES = ['onBeforeRequest', 'onBeforeSendHeaders', 'onHeadersReceived'] as const

/** Registers listeners for the three stages that can change a request; the others are not in the stand-in. */
class WebRequest {
  readonly #listeners = new Map<RequestStage, RequestListener>()
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
    for (const stage of STAGES)
      Object.defineProperty(this, stage, { value: (filter: unknown, listener?: unknown) => this.#register(stage, filter, listener) })
  }

  #register(stage: RequestStage, filter: unknown, listener: unknown): void {
    const urls = typeof filter === 'function' || filter === null ? [] : ((filter as { urls?: string[] }).urls ?? [])
    for (const url of urls)
      if (state.schemes.has(url.slice(0, url.indexOf(':'))))
        violation(`webRequest.${stage} for ${url}: webRequest does not see custom schemes, set headers in protocol.handle`)
    const chosen = typeof filter === 'function' ? filter : listener
    if (typeof chosen === 'function') this.#listeners.set(stage, chosen as RequestListener)
    else this.#listeners.delete(stage)
    this.#changed()
  }

  static listenerOf(webRequest: WebRequest, stage: RequestStage): RequestListener | undefined {
    return webRequest.#listeners.get(stage)
  }
}
strictInstances(WebRequest, 'WebRequest')

export class Session extends EventEmitter {
  readonly protocol = protocol
  readonly webRequest: WebRequest
  readonly #changed = new EventEmitter()
  #request: PermissionRequestHandler | null = null
  #check: PermissionCheckHandler | null = null
  #userAgent: string | null = null
  readonly #origins = new Set<string>()

  constructor() {
    super()
    this.webRequest = new WebRequest(() => this.#changed.emit('requests'))
    watchListeners(this, 'Session', [])
  }

  setPermissionRequestHandler(handler: PermissionRequestHandler | null): void {
    this.#request = handler
    this.#changed.emit('permissions')
  }

  setPermissionCheckHandler(handler: PermissionCheckHandler | null): void {
    this.#check = handler
    this.#changed.emit('permissions')
  }

  // Accepted and without effect: nothing of the kind ever asks in the stand-in.
  setDevicePermissionHandler(): void {}
  setDisplayMediaRequestHandler(): void {}
  setCertificateVerifyProc(): void {}
  setSpellCheckerEnabled(): void {}
  setSpellCheckerLanguages(): void {}

  setUserAgent(userAgent: string): void {
    this.#userAgent = userAgent
  }

  getUserAgent(): string {
    return this.#userAgent ?? runningBrowser()?.userAgent ?? ''
  }

  fetch(...args: Parameters<typeof net.fetch>): Promise<Response> {
    return net.fetch(...args)
  }

  isPersistent(): boolean {
    return true
  }

  async clearStorageData(options: { storages?: string[] } = {}): Promise<void> {
    const browser = runningBrowser()
    const page = browser?.targets.anySession()
    // Chromium clears through a page, and by origins, of which those of this run are known.
    if (!browser || page === undefined) return unsupported('session.clearStorageData without an open window')
    const storageTypes = options.storages?.join(',') ?? 'all'
    for (const origin of this.#origins) await browser.cdp.sendTo(page, 'Storage.clearDataForOrigin', { origin, storageTypes })
  }

  /** @internal What a page of this session needs to know of it. */
  static inside(session: Session) {
    return {
      listener: (stage: RequestStage) => WebRequest.listenerOf(session.webRequest, stage),
      userAgent: () => session.#userAgent,
      onChange: (what: 'requests' | 'permissions', listener: () => void) => {
        session.#changed.on(what, listener)
        return () => void session.#changed.off(what, listener)
      },
      applyPermissions: (contents: unknown, url: string) => session.#applyPermissions(contents, url)
    }
  }

  async #isGranted(contents: unknown, permission: Permission, requestingUrl: string): Promise<boolean> {
    const details = { requestingUrl, isMainFrame: true, requestingOrigin: requestingUrl, mediaTypes: [] }
    const frame = contents as Parameters<PermissionRequestHandler>[0]
    if (this.#check && !this.#check(frame, permission, requestingUrl, details)) return false
    const request = this.#request
    if (!request) return true
    return new Promise((resolve) => request(frame, permission, resolve, details))
  }

  /** CDP has no permission prompt to answer, so Chromium is told each answer before a page is loaded. */
  async #applyPermissions(contents: unknown, url: string): Promise<void> {
    const browser = await ensureBrowser()
    const origin = URL.canParse(url) ? new URL(url).origin : 'null'
    if (origin === 'null') return
    this.#origins.add(origin)
    const requestingUrl = browser.origins.fromChromium(url)
    for (const [name, permission] of PERMISSIONS) {
      const setting = (await this.#isGranted(contents, permission, requestingUrl)) ? 'granted' : 'denied'
      await browser.cdp.send('Browser.setPermission', { permission: { name }, setting, origin })
    }
  }
}
strictInstances(Session, 'Session')

let defaultSession: Session | null = null
const READY = 'Session can only be received when app is ready'

export const session = {
  get defaultSession(): Session {
    needReady(READY)
    defaultSession ??= new Session()
    return defaultSession
  },
  fromPartition(partition: string): Session {
    needReady(READY)
    return partition === '' ? session.defaultSession : unsupported(`session.fromPartition('${partition}')`)
  },
  fromPath: (): never => unsupported('session.fromPath')
}
