// The port of the desktop around the core: windows, shortcuts, clipboard, browser. Implemented in electron/; a windowless
// host has one that only keeps quiet.
import type { DesktopStatus, Settings } from '../shared/domain.ts'

/** Kinds of files that a person can choose, as a file dialog shows them. */
export interface FileKind {
  readonly name: string
  /** Without the dot. */
  readonly extensions: readonly string[]
}

export interface Shell {
  /** Asks where to save. Null: the person chose nothing. Windows never name paths, so nothing else decides what main reads and writes. */
  chooseSaveFile(options: { readonly title: string; readonly defaultName: string; readonly kinds: readonly FileKind[] }): Promise<string | null>
  chooseOpenFile(options: { readonly title: string; readonly kinds: readonly FileKind[] }): Promise<string | null>
  showOverlay(sessionId: string | null): Promise<void>
  hideOverlay(): Promise<void>
  showMain(sessionId: string | null): Promise<void>
  /** Only https, http and mailto reach the system's browser. */
  openExternal(url: string): Promise<void>
  writeClipboard(text: string): Promise<void>
  /** Applies theme, shortcuts and overlay settings. */
  apply(settings: Settings): Promise<void>
  status(): Pick<DesktopStatus, 'platform' | 'captureProtection' | 'shortcuts' | 'overlayVisible'>
  onStatus(listener: () => void): () => void
}
