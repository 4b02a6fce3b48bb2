// The port of the desktop around the core: windows, shortcuts, clipboard, browser. Implemented in electron/; a windowless
// host has one that only keeps quiet.
import type { DesktopStatus, Settings } from '../shared/domain.ts'

export interface Shell {
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
