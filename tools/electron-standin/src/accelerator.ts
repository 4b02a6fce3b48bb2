// Accelerators as Electron reads them: modifiers and one key, joined by plus signs.
import { conversionFailure } from './state.ts'

const KEY =
  /^(?:[A-Z0-9)!@#$%^&*(:;+=<,_\-~`{\][\\|}"'./?>]|F(?:[1-9]|1\d|2[0-4])|Plus|Space|Tab|Capslock|Numlock|Scrolllock|Backspace|Delete|Insert|Return|Enter|Up|Down|Left|Right|Home|End|PageUp|PageDown|Escape|Esc|VolumeUp|VolumeDown|VolumeMute|MediaNextTrack|MediaPreviousTrack|MediaStop|MediaPlayPause|PrintScreen|num(?:\d|dec|add|sub|mult|div))$/i

const MODIFIERS: Readonly<Record<string, string>> = {
  command: 'command',
  cmd: 'command',
  control: 'control',
  ctrl: 'control',
  alt: 'alt',
  option: 'alt',
  altgr: 'altgr',
  shift: 'shift',
  super: 'super',
  meta: 'super'
}

const ORDER = ['alt', 'altgr', 'command', 'control', 'shift', 'super']

function modifier(name: string, platform: NodeJS.Platform): string | undefined {
  const lower = name.toLowerCase()
  if (lower === 'commandorcontrol' || lower === 'cmdorctrl') return platform === 'darwin' ? 'command' : 'control'
  return MODIFIERS[lower]
}

/**
 * One spelling for all that mean the same keys: `CmdOrCtrl+Shift+Space` → `control+shift+space`.
 * @throws TypeError for what is no accelerator, as `globalShortcut.register` does.
 */
export function normalizeAccelerator(accelerator: string, platform: NodeJS.Platform = process.platform): string {
  const parts = accelerator.replace(/\+\+$/, '+Plus').split('+')
  const key = parts.pop() ?? ''
  const modifiers = new Set(parts.map((name) => modifier(name, platform)))
  if (!KEY.test(key) || modifiers.has(undefined)) throw conversionFailure(accelerator)
  return [...ORDER.filter((name) => modifiers.has(name)), key.toLowerCase()].join('+')
}
