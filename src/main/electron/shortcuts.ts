// Global shortcuts: registered from the settings, each with how it went. A taken one is shown as such, never pretended.
import { globalShortcut } from 'electron'
import type { DesktopStatus, Settings } from '../../shared/domain.ts'
import type { Log } from '../log.ts'

type ShortcutName = keyof Settings['shortcuts']
export type ShortcutStates = DesktopStatus['shortcuts']

export interface Shortcuts {
  apply(shortcuts: Settings['shortcuts']): void
  states(): ShortcutStates
  stop(): void
}

export function createShortcuts(actions: Readonly<Record<ShortcutName, () => void>>, log: Log): Shortcuts {
  let applied: Partial<Settings['shortcuts']> = {}
  let states: ShortcutStates = {}

  const register = (name: ShortcutName, accelerator: string | null): ShortcutStates[string] => {
    if (accelerator === null) return 'unset'
    try {
      return globalShortcut.register(accelerator, actions[name]) ? 'registered' : 'taken'
    } catch (error) {
      // Electron throws for text that is no accelerator at all.
      log.warn('shortcut.invalid', { name, error })
      return 'taken'
    }
  }
  return {
    apply(shortcuts) {
      if (JSON.stringify(applied) === JSON.stringify(shortcuts)) return
      globalShortcut.unregisterAll()
      applied = { ...shortcuts }
      states = {
        toggleOverlay: register('toggleOverlay', shortcuts.toggleOverlay),
        askClipboard: register('askClipboard', shortcuts.askClipboard)
      }
    },
    states: () => states,
    stop: () => globalShortcut.unregisterAll()
  }
}
