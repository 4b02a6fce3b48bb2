// The CDP side of one webContents: opens its window, injects the preload, loads URLs, and turns Chromium's events into Electron's.
import { randomBytes } from 'node:crypto'
import type { HandlerDetails, WebPreferences } from 'electron'
import { ensureBrowser, type Browser } from './browser.ts'
import { ignoreGone, type CdpSession, type Events } from './cdp.ts'
import type { WindowBounds } from './chromium.ts'
import type { MainFrame } from './frame.ts'
import { hooks } from './hooks.ts'
import type { IpcMain } from './ipcMain.ts'
import { loadFailure, netError } from './netErrors.ts'
import { createPageChannel, type PageChannel } from './pageChannel.ts'
import { createPageRequests, type PageRequests } from './pageRequests.ts'
import { ISOLATED_WORLD, isolatedWorldScript, mainWorldScript } from './pageScript.ts'
import type { WindowNews } from './page/protocol.ts'
import { isolatedConfig, readPreload, reportPreload } from './preload.ts'
import { Session } from './session.ts'
import { electronEvent, state } from './state.ts'
import { colorSchemeFeature, onThemeChange } from './theme.ts'

export interface PageLinkOwner {
  readonly id: number
  readonly ipc: IpcMain
  readonly mainFrame: MainFrame
  readonly session: Session
  readonly preferences: WebPreferences
  emit(name: string, ...args: unknown[]): boolean
  createEvent(): object
  askToOpen(details: HandlerDetails): 'allow' | 'deny' | null
  onNews(news: WindowNews): void
  onGone(): void
}

/** The page of one webContents, in Chromium. */
export interface PageLink {
  readonly targetId: string
  readonly browser: Browser
  readonly cdp: CdpSession
  readonly channel: PageChannel
  readonly requests: PageRequests
  /** Resolves when the page has loaded; rejects as `loadURL` does. */
  load(url: string): Promise<void>
}

/** What a webContents knows of its page without asking it. */
export interface PageState {
  /** As Chromium knows it. */
  url: string
  title: string
  loading: boolean
  crashed: boolean
  /** The app has loaded something: what happened before was the empty window. */
  started: boolean
  gone: boolean
}

const BINDING = '__standin_out'
const INBOX = '__standin_in'
/** Names the events between the worlds of every page of this process. */
const PREFIX = `__standin_${randomBytes(8).toString('hex')}_`
/** Hidden windows draw no frame: their first paint is taken for done this long after the load. */
const PAINT_GRACE_MS = 50
const CONSOLE_LEVELS: Readonly<Record<string, string>> = { warning: 'warning', error: 'error', assert: 'error', debug: 'debug' }

const LOADABLE = new Set(['http', 'https', 'file', 'data', 'about', 'blob', 'chrome', 'devtools'])

function isKnownScheme(url: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
  return scheme === undefined || LOADABLE.has(scheme) || state.schemes.has(scheme)
}

/** Opens the window and prepares its page; nothing is loaded yet. */
export async function openPage(owner: PageLinkOwner, page: PageState, bounds: WindowBounds): Promise<PageLink> {
  const browser = await ensureBrowser()
  const { origins, targets } = browser
  const inside = Session.inside(owner.session)
  const own = (url: string): string => origins.fromChromium(url)
  let mainFrameId = ''
  let load: { settle(error?: Error): void } | null = null
  let ended = false

  const target = {
    getURL: () => own(page.url),
    askToOpen: (details: HandlerDetails) => owner.askToOpen(details),
    onDestroyed: () => end(),
    onKilled() {
      if (!state.exiting) onCrash('killed')
      end()
    }
  }
  const { targetId, session: cdp } = await targets.adopt(target, () => browser.openWindow(bounds), onEvent)

  const channel = createPageChannel({
    session: cdp,
    inbox: INBOX,
    ipc: owner.ipc,
    createEvent: () => owner.createEvent(),
    onMessage: (event, name, args) => owner.emit('ipc-message', event, name, ...args),
    onPreloadError: (error) => reportPreload(owner, owner.preferences.preload ?? '', error),
    onNews: (news) => owner.onNews(news as WindowNews),
    onTitle(title) {
      if (title === page.title) return
      page.title = title
      owner.emit('page-title-updated', electronEvent(), title, true)
    }
  })
  const requests = createPageRequests({
    session: cdp,
    origins,
    webContentsId: owner.id,
    frame: owner.mainFrame,
    mainFrameId: () => mainFrameId,
    listener: inside.listener,
    mayNavigate(url, kind) {
      const event = electronEvent({
        url,
        isMainFrame: kind !== 'will-frame-navigate',
        isSameDocument: false,
        frame: owner.mainFrame,
        initiator: owner.mainFrame
      })
      owner.emit(kind, event, url)
      return !event.defaultPrevented
    }
  })

  const stops = [
    inside.onChange('requests', () => void requests.apply().catch(ignoreGone)),
    inside.onChange('permissions', () => {
      if (page.started) void inside.applyPermissions(owner, page.url).catch(ignoreGone)
    }),
    onThemeChange(() => void applyTheme().catch(ignoreGone))
  ]

  function onCrash(reason: 'crashed' | 'killed'): void {
    page.crashed = true
    load?.settle(loadFailure('ERR_FAILED', own(page.url)))
    owner.emit('render-process-gone', electronEvent(), { reason, exitCode: 1 })
  }

  function end(): void {
    if (ended) return
    ended = true
    page.gone = true
    for (const stop of stops) stop()
    channel.setContext(0)
    load?.settle(loadFailure('ERR_ABORTED', own(page.url)))
    cdp.detach()
    owner.onGone()
  }

  async function applyTheme(): Promise<void> {
    await cdp.send('Emulation.setEmulatedMedia', { features: colorSchemeFeature() })
  }

  const handlers: { [Name in keyof Events]?: (event: Events[Name][0]) => void } = {
    'Runtime.bindingCalled'({ name, payload, executionContextId }) {
      if (name === BINDING && executionContextId === channel.context) channel.receive(payload)
    },
    'Runtime.executionContextCreated'({ context }) {
      const frameId = (context.auxData as { frameId?: string } | undefined)?.frameId
      if (context.name === ISOLATED_WORLD && (mainFrameId === '' || frameId === mainFrameId)) channel.setContext(context.id)
    },
    'Runtime.executionContextDestroyed'({ executionContextId }) {
      if (executionContextId === channel.context) channel.setContext(0)
    },
    'Runtime.executionContextsCleared': () => channel.setContext(0),
    'Runtime.consoleAPICalled'({ type, args, stackTrace }) {
      const at = stackTrace?.callFrames[0]
      const message = args.map((arg) => (arg.value === undefined ? (arg.description ?? arg.type) : String(arg.value))).join(' ')
      const level = CONSOLE_LEVELS[type] ?? 'info'
      owner.emit(
        'console-message',
        electronEvent({ level, message, lineNumber: at?.lineNumber ?? 0, sourceId: own(at?.url ?? ''), frame: owner.mainFrame, sender: owner })
      )
    },
    'Page.frameStartedLoading'({ frameId }) {
      if (frameId !== mainFrameId || page.loading || !page.started) return
      page.loading = true
      owner.emit('did-start-loading', electronEvent())
    },
    'Page.frameStoppedLoading'({ frameId }) {
      if (frameId !== mainFrameId || !page.loading) return
      page.loading = false
      owner.emit('did-stop-loading', electronEvent())
    },
    'Page.frameNavigated'({ frame }) {
      if (frame.parentId !== undefined) return
      page.url = frame.url + (frame.urlFragment ?? '')
      if (page.started) owner.emit('did-navigate', electronEvent(), own(page.url), 200, 'OK')
    },
    'Page.navigatedWithinDocument'({ frameId, url }) {
      if (frameId !== mainFrameId) return
      page.url = url
      owner.emit('did-navigate-in-page', electronEvent(), own(url), true, 1, 1)
    },
    'Page.domContentEventFired'() {
      // A test driver that attached meanwhile has reset what was emulated before.
      if (colorSchemeFeature().length > 0) void applyTheme().catch(ignoreGone)
      if (page.started) owner.emit('dom-ready', electronEvent())
    },
    'Page.loadEventFired'() {
      if (!page.started) return
      owner.emit('did-frame-finish-load', electronEvent(), true, 1, 1)
      owner.emit('did-finish-load', electronEvent())
      load?.settle()
      setTimeout(() => owner.onNews('painted'), PAINT_GRACE_MS)
    },
    'Page.windowOpen'({ url, windowName, windowFeatures }) {
      const disposition = windowFeatures.length > 0 ? ('new-window' as const) : ('foreground-tab' as const)
      const referrer = { url: own(page.url), policy: 'strict-origin-when-cross-origin' as const }
      targets.expectPopup(target, { url: own(url), frameName: windowName, features: windowFeatures.join(','), disposition, referrer })
    },
    'Page.javascriptDialogOpening'({ type, message }) {
      if (type === 'beforeunload') {
        const event = electronEvent()
        owner.emit('will-prevent-unload', event)
        void cdp.send('Page.handleJavaScriptDialog', { accept: event.defaultPrevented }).catch(ignoreGone)
      } else if (browser.headless) {
        // Nobody is there to press a button.
        hooks.dialogs.push({ kind: 'message', options: { type, message } })
        void cdp.send('Page.handleJavaScriptDialog', { accept: type === 'alert' }).catch(ignoreGone)
      }
    },
    'Inspector.targetCrashed': () => onCrash('crashed'),
    'Fetch.requestPaused': (event) => void requests.onPaused(event).catch(ignoreGone)
  }

  function onEvent(name: string, event: unknown): void {
    const handle = handlers[name as keyof Events] as ((event: unknown) => void) | undefined
    handle?.(event)
  }

  async function prepare(): Promise<void> {
    const preload = readPreload(owner)
    const userAgent = inside.userAgent()
    await Promise.all([
      cdp.send('Page.enable'),
      cdp.send('Runtime.enable'),
      cdp.send('Inspector.enable'),
      cdp.send('Runtime.addBinding', { name: BINDING, executionContextName: ISOLATED_WORLD }),
      cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript(PREFIX) }),
      cdp.send('Page.addScriptToEvaluateOnNewDocument', {
        source: isolatedWorldScript(PREFIX, isolatedConfig(owner, { binding: BINDING, inbox: INBOX }), preload),
        worldName: ISOLATED_WORLD
      }),
      requests.apply(),
      applyTheme(),
      userAgent === null ? null : cdp.send('Emulation.setUserAgentOverride', { userAgent }),
      cdp.send('Runtime.runIfWaitingForDebugger')
    ])
    mainFrameId = (await cdp.send('Page.getFrameTree')).frameTree.frame.id
  }

  await prepare()
  return {
    targetId,
    browser,
    cdp,
    channel,
    requests,
    async load(url) {
      const fail = (code: string): Error => {
        owner.emit('did-fail-load', electronEvent(), netError(code), code, url, true)
        return loadFailure(code, url)
      }
      if (!isKnownScheme(url)) throw fail('ERR_UNKNOWN_URL_SCHEME')
      load?.settle(loadFailure('ERR_ABORTED', url))
      const real = origins.toChromium(url)
      await inside.applyPermissions(owner, real)
      requests.expect(real)
      const loaded = new Promise<void>((resolve, reject) => {
        load = { settle: (error) => (error ? reject(error) : resolve()) }
      })
      // It may fail before it is awaited.
      loaded.catch(() => undefined)
      page.started = true
      const { errorText, loaderId } = await cdp.send('Page.navigate', { url: real })
      if (errorText !== undefined) throw fail(errorText.replace('net::', ''))
      // Without a loader it was a jump inside the same document.
      if (loaderId !== undefined) await loaded
    }
  }
}
