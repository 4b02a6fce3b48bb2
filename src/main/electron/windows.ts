// The two windows: made on demand, guarded, remembered. Every web preference is a literal, so that an audit can read it.
import { join } from 'node:path'
import { BrowserWindow, nativeTheme, screen, shell, type Display } from 'electron'
import type { Bounds, Settings } from '../../shared/domain.ts'
import { checkLink } from '../ipc/handlers.ts'
import type { WindowKind } from '../ipc/mirror.ts'
import type { Log } from '../log.ts'
import { placeWindow, type DisplayArea, type PlacementWish } from '../windows/placement.ts'
import { APP_ORIGIN, isOurPage } from './protocol.ts'
import type { PlaceStore } from './settings.electronStore.ts'

const MAIN: PlacementWish = { width: 1180, height: 780, minWidth: 360, minHeight: 480, corner: 'centre' }
const OVERLAY: PlacementWish = { width: 420, height: 560, minWidth: 320, minHeight: 220, corner: 'top-right' }
/** The first paint's colour, so that no white flashes in the dark. */
const BACKGROUND = { light: '#f7f6f3', dark: '#16181c' }
const SAVE_PLACE_MS = 400

export interface Windows {
  get(kind: WindowKind): BrowserWindow | null
  /** Makes it if need be, shows it and gives it the focus. */
  showMain(): Promise<void>
  showOverlay(): Promise<void>
  /** Makes the overlay ready while nobody waits for it. */
  prepareOverlay(): void
  /** Gives the focus back to whoever had it. */
  hideOverlay(): void
  overlayVisible(): boolean
  apply(settings: Settings): void
  /** From here on closing a window closes it. */
  quitting(): void
}

export interface WindowsOptions {
  readonly dirs: { readonly preload: string; readonly icon: string }
  readonly devUrl: string | null
  readonly places: PlaceStore
  readonly settings: () => Settings
  readonly log: Log
  readonly onOverlayChange: () => void
}

export function createWindows(options: WindowsOptions): Windows {
  const { places, log, devUrl, onOverlayChange } = options
  const open = new Map<WindowKind, BrowserWindow>()
  let quitting = false

  const areas = (): [DisplayArea, ...DisplayArea[]] => {
    const here = screen.getDisplayNearestPoint(screen.getCursorScreenPoint())
    const area = (d: Display): DisplayArea => ({ id: d.id, workArea: d.workArea })
    return [
      area(here),
      ...screen
        .getAllDisplays()
        .filter((d) => d.id !== here.id)
        .map(area)
    ]
  }
  const remember = (kind: WindowKind, window: BrowserWindow): void => {
    let timer: NodeJS.Timeout | null = null
    const save = (): void => {
      timer = null
      if (window.isDestroyed() || window.isMinimized()) return
      const bounds: Bounds = window.getNormalBounds()
      places.set(kind, { bounds, displayId: screen.getDisplayMatching(bounds).id, maximized: window.isMaximized() })
    }
    const later = (): void => {
      timer ??= setTimeout(save, SAVE_PLACE_MS)
    }
    window.on('move', later)
    window.on('resize', later)
    window.on('closed', () => {
      if (timer !== null) clearTimeout(timer)
    })
  }
  /** Deny by default: nothing opens, nothing navigates; a web link goes to the browser. */
  const guard = (window: BrowserWindow): void => {
    window.webContents.setWindowOpenHandler(({ url }) => {
      void openOutside(url, log)
      return { action: 'deny' }
    })
    window.webContents.on('will-navigate', (event) => {
      if (!isOurPage(event.url, devUrl)) event.preventDefault()
    })
    window.webContents.on('render-process-gone', (_event, details) => {
      log.error('window.gone', { reason: details.reason })
      if (details.reason !== 'clean-exit' && !window.isDestroyed()) window.webContents.reload()
    })
  }
  const load = (window: BrowserWindow, page: string): void => {
    window.loadURL(devUrl === null ? `${APP_ORIGIN}/${page}` : `${devUrl}/${page}`).catch((error: unknown) => {
      if (!window.isDestroyed()) log.error('window.load', { page, error })
    })
  }
  const painted = (window: BrowserWindow): Promise<void> =>
    new Promise((resolve) => {
      window.once('ready-to-show', () => resolve())
      window.once('closed', () => resolve())
    })
  const ready = new Map<WindowKind, Promise<void>>()

  function makeMain(): BrowserWindow {
    const place = places.get('main')
    const window = new BrowserWindow({
      ...placeWindow(place, areas(), MAIN),
      minWidth: MAIN.minWidth,
      minHeight: MAIN.minHeight,
      show: false,
      title: 'Aside',
      icon: options.dirs.icon,
      autoHideMenuBar: true,
      backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
      webPreferences: {
        preload: options.dirs.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webSecurity: true,
        spellcheck: true
      }
    })
    if (place?.maximized) window.maximize()
    window.on('close', (event) => {
      if (quitting) return
      // The hotkey must go on working: closing the window leaves Aside in the tray.
      event.preventDefault()
      window.hide()
    })
    return adopt('main', window, 'index.html')
  }
  function makeOverlay(): BrowserWindow {
    const window = new BrowserWindow({
      ...placeWindow(places.get('overlay'), areas(), OVERLAY),
      minWidth: OVERLAY.minWidth,
      minHeight: OVERLAY.minHeight,
      show: false,
      frame: false,
      title: 'Aside overlay',
      alwaysOnTop: true,
      skipTaskbar: true,
      fullscreenable: false,
      maximizable: false,
      minimizable: false,
      hasShadow: true,
      ...(process.platform === 'darwin' ? { type: 'panel' } : {}),
      backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
      webPreferences: {
        preload: options.dirs.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webSecurity: true,
        spellcheck: true
      }
    })
    window.on('close', (event) => {
      if (quitting) return
      event.preventDefault()
      hideOverlay()
    })
    window.on('show', onOverlayChange)
    window.on('hide', onOverlayChange)
    return adopt('overlay', window, 'overlay.html')
  }
  function adopt(kind: WindowKind, window: BrowserWindow, page: string): BrowserWindow {
    open.set(kind, window)
    window.on('closed', () => {
      if (open.get(kind) === window) open.delete(kind)
    })
    guard(window)
    remember(kind, window)
    dress(kind, window)
    ready.set(kind, painted(window))
    load(window, page)
    return window
  }
  /** Re-applied on every show: platforms forget it, and it must hold before the first paint. */
  function dress(kind: WindowKind, window: BrowserWindow): void {
    const { overlay } = options.settings()
    window.setContentProtection(overlay.hideFromCapture)
    if (kind !== 'overlay') return
    window.setAlwaysOnTop(true, 'screen-saver')
    window.setVisibleOnAllWorkspaces(true, { visibleOnFullScreen: true })
    window.setOpacity(overlay.opacity)
    window.setIgnoreMouseEvents(overlay.clickThrough, { forward: true })
  }
  function hideOverlay(): void {
    const window = open.get('overlay')
    if (!window?.isVisible()) return
    window.blur()
    window.hide()
  }

  return {
    get: (kind) => open.get(kind) ?? null,
    async showMain() {
      const window = open.get('main') ?? makeMain()
      await ready.get('main')
      if (window.isDestroyed()) return
      dress('main', window)
      if (window.isMinimized()) window.restore()
      window.show()
      window.focus()
    },
    async showOverlay() {
      const window = open.get('overlay') ?? makeOverlay()
      await ready.get('overlay')
      if (window.isDestroyed()) return
      dress('overlay', window)
      window.show()
      window.focus()
    },
    prepareOverlay() {
      if (!open.has('overlay')) makeOverlay()
    },
    hideOverlay,
    overlayVisible: () => open.get('overlay')?.isVisible() ?? false,
    apply(settings) {
      nativeTheme.themeSource = settings.theme
      for (const [kind, window] of open) dress(kind, window)
    },
    quitting() {
      quitting = true
    }
  }
}

/** Hands a link to the system's browser if it is one that a browser opens safely. */
export async function openOutside(url: string, log: Log): Promise<void> {
  try {
    await shell.openExternal(checkLink(url))
  } catch (error) {
    log.warn('link.refused', { error })
  }
}

/** The preload and the icon, seen from the built main bundle. */
export function windowDirs(bundleDir: string): WindowsOptions['dirs'] {
  return { preload: join(bundleDir, '../preload/index.cjs'), icon: join(bundleDir, '../../resources/icons/icon.png') }
}
