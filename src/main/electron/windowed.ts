// The app with its windows: made before the core is ready, so that the person sees it at once.
import { join } from 'node:path'
import { app, clipboard, powerMonitor } from 'electron'
import { cleanText } from '../../shared/kit/text.ts'
import { MAX_QUESTION_LENGTH } from '../../shared/turn.ts'
import type { ComposeOptions } from '../compose.ts'
import type { Config } from '../config.ts'
import type { Desktop } from '../desktop.ts'
import type { Log } from '../log.ts'
import type { Shell } from '../shell.ts'
import { LINK_SCHEME, parseLaunch, parseLink, type Launch, type LaunchWish } from '../windows/commandLine.ts'
import { handleIpc } from './ipc.ts'
import { applyMenu } from './menu.ts'
import { handleAppScheme } from './protocol.ts'
import type { createSettingsStore } from './settings.electronStore.ts'
import { createElectronShell } from './shell.electron.ts'
import { createShortcuts } from './shortcuts.ts'
import { createTray } from './tray.ts'
import { createWindows, windowDirs } from './windows.ts'

/** The overlay is made ready this long after the main window stands, so that the hotkey finds it waiting. */
const PREPARE_OVERLAY_MS = 400

export interface WindowedOptions {
  readonly compose: (shell: Shell, more: Pick<ComposeOptions, 'endpoint'>) => Promise<Desktop>
  readonly config: Config
  readonly log: Log
  readonly settings: ReturnType<typeof createSettingsStore>
  readonly launch: Launch
}

export async function runWindowed(options: WindowedOptions): Promise<void> {
  const { config, log, settings } = options
  const here = import.meta.dirname
  handleAppScheme(join(here, '../renderer'))
  const windows = createWindows({
    dirs: windowDirs(here),
    devUrl: config.devUrl,
    places: settings.places,
    settings: () => settings.get(),
    log,
    onOverlayChange: () => shell.changed()
  })
  const background = (work: Promise<unknown>, event: string): void => {
    work.catch((error: unknown) => log.error(event, { error }))
  }
  const shortcuts = createShortcuts(
    {
      toggleOverlay: () => background(wish({ kind: 'toggle' }), 'overlay.toggle'),
      askClipboard: () => background(askClipboard(), 'overlay.clipboard')
    },
    log
  )
  const shell = createElectronShell({ windows, shortcuts })
  const composing = options.compose(shell, {
    endpoint: {
      show: async ({ what, text }) => {
        if (what === 'main') await shell.showMain(null)
        else await wish(text === undefined ? { kind: what === 'toggle' ? 'toggle' : 'show' } : { kind: 'ask', text })
      },
      stop: null
    }
  })
  const endIpc = handleIpc(composing, config.devUrl)

  async function askWith(text: string): Promise<void> {
    const desktop = await composing
    await desktop.showOverlay(null)
    desktop.command('ask', 'overlay', { text })
  }
  async function askClipboard(): Promise<void> {
    await askWith(cleanText(await clipboard.readText()).slice(0, MAX_QUESTION_LENGTH))
  }
  async function wish(launchWish: LaunchWish): Promise<void> {
    switch (launchWish.kind) {
      case 'open':
        return windows.showMain()
      case 'hide':
        return windows.hideOverlay()
      case 'show':
        return (await composing).showOverlay(null)
      case 'toggle':
        return windows.overlayVisible() ? windows.hideOverlay() : (await composing).showOverlay(null)
      case 'ask':
        return askWith(launchWish.text)
    }
  }

  app.on('second-instance', (_event, argv) => background(wish(parseLaunch(argv.slice(1)).wish), 'app.second'))
  app.on('open-url', (event, url) => {
    if (!url.startsWith(`${LINK_SCHEME}:`)) return
    event.preventDefault()
    background(wish(parseLink(url)), 'app.link')
  })
  app.on('activate', () => background(windows.showMain(), 'app.activate'))
  // Closing windows hides them; only quitting ends the app.
  app.on('window-all-closed', () => undefined)
  app.on('before-quit', () => windows.quitting())
  powerMonitor.on('resume', () =>
    background(
      composing.then((desktop) => desktop.recheck()),
      'app.resume'
    )
  )

  windows.apply(settings.get())
  shortcuts.apply(settings.get().shortcuts)
  applyMenu(
    {
      newSession: () => background(inMain('new-session'), 'menu.new'),
      search: () => background(inMain('search'), 'menu.search'),
      overlay: () => background(wish({ kind: 'toggle' }), 'menu.overlay'),
      quit: () => app.quit()
    },
    config.devUrl !== null
  )
  async function inMain(command: 'new-session' | 'search'): Promise<void> {
    await windows.showMain()
    ;(await composing).command(command, 'main')
  }

  const wanted = options.launch.wish
  const overlayOnly = wanted.kind === 'show' || wanted.kind === 'toggle' || wanted.kind === 'ask'
  if (!overlayOnly) await windows.showMain()
  const removeTray = createTray(join(here, '../../resources/icons', process.platform === 'darwin' ? 'trayTemplate.png' : 'tray.png'), {
    ask: () => background(wish({ kind: 'toggle' }), 'tray.ask'),
    open: () => background(windows.showMain(), 'tray.open'),
    quit: () => app.quit()
  })
  const preparing = setTimeout(() => windows.prepareOverlay(), PREPARE_OVERLAY_MS)
  app.on('will-quit', () => {
    clearTimeout(preparing)
    shortcuts.stop()
    removeTray()
    endIpc()
  })
  await composing
  shell.changed()
  if (overlayOnly) await wish(wanted)
}
