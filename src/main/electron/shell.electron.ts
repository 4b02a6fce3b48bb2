// The desktop around the core, on Electron: what the core asks for, done with windows, shortcuts, clipboard and browser.
import { clipboard, dialog, shell as electronShell, type FileFilter } from 'electron'
import type { Settings } from '../../shared/domain.ts'
import { checkLink } from '../ipc/handlers.ts'
import type { FileKind, Shell } from '../shell.ts'
import type { Shortcuts } from './shortcuts.ts'
import type { Windows } from './windows.ts'

export interface ElectronShellOptions {
  readonly windows: Windows
  readonly shortcuts: Shortcuts
}

export interface ElectronShell extends Shell {
  /** Something that `status` tells has changed. */
  changed(): void
}

export function createElectronShell({ windows, shortcuts }: ElectronShellOptions): ElectronShell {
  const listeners = new Set<() => void>()
  const platform = process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux'
  let hide = true
  return {
    showOverlay: () => windows.showOverlay(),
    hideOverlay: async () => windows.hideOverlay(),
    showMain: () => windows.showMain(),
    openExternal: async (url) => electronShell.openExternal(checkLink(url)),
    writeClipboard: async (text) => {
      await clipboard.writeText(text)
    },
    async chooseSaveFile({ title, defaultName, kinds }) {
      const { canceled, filePath } = await dialog.showSaveDialog({ title, defaultPath: defaultName, filters: filters(kinds) })
      return canceled || filePath === '' ? null : filePath
    },
    async chooseOpenFile({ title, kinds }) {
      const { canceled, filePaths } = await dialog.showOpenDialog({ title, filters: filters(kinds), properties: ['openFile'] })
      return canceled ? null : (filePaths[0] ?? null)
    },
    async apply(settings: Settings) {
      hide = settings.overlay.hideFromCapture
      windows.apply(settings)
      shortcuts.apply(settings.shortcuts)
    },
    status: () => ({
      platform,
      // Windows and macOS keep their promise when asked; no Linux desktop makes one.
      captureProtection: hide && platform !== 'linux' ? 'hidden' : 'not-guaranteed',
      shortcuts: { ...shortcuts.states() },
      overlayVisible: windows.overlayVisible()
    }),
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    changed() {
      for (const listener of listeners) listener()
    }
  }
}

const filters = (kinds: readonly FileKind[]): FileFilter[] => kinds.map(({ name, extensions }) => ({ name, extensions: [...extensions] }))

/** A host without windows: it says so kindly and does the rest. */
export function createQuietShell(): Shell {
  const platform = process.platform === 'darwin' || process.platform === 'win32' ? process.platform : 'linux'
  const quiet = async (): Promise<void> => undefined
  return {
    showOverlay: quiet,
    hideOverlay: quiet,
    showMain: quiet,
    openExternal: quiet,
    writeClipboard: quiet,
    chooseSaveFile: async () => null,
    chooseOpenFile: async () => null,
    apply: quiet,
    status: () => ({ platform, captureProtection: 'not-guaranteed', shortcuts: {}, overlayVisible: false }),
    onStatus: () => () => undefined
  }
}
