// Electron accelerators: read from pressed keys, shown as the keys are printed. Pure.
import type { DesktopStatus } from '../../shared/domain.ts'

/** What a key press tells; the part of KeyboardEvent that counts. */
export interface PressedKeys {
  readonly key: string
  /** The physical key, `KeyA`: the same on every layout and under every modifier. */
  readonly code: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
  readonly metaKey: boolean
}

const named: Readonly<Record<string, string>> = {
  Space: 'Space', Enter: 'Return', Tab: 'Tab', Backspace: 'Backspace', Delete: 'Delete', Insert: 'Insert', Home: 'Home', End: 'End', PageUp: 'PageUp', PageDown: 'PageDown',
  ArrowUp: 'Up', ArrowDown: 'Down', ArrowLeft: 'Left', ArrowRight: 'Right', Minus: '-', Equal: '=', Comma: ',', Period: '.', Slash: '/', Semicolon: ';', Quote: "'", Backquote: '`',
  BracketLeft: '[', BracketRight: ']', Backslash: '\\'
} // prettier-ignore

function keyOf(code: string): string | null {
  const letter = /^Key([A-Z])$/.exec(code)?.[1] ?? /^Digit(\d)$/.exec(code)?.[1] ?? /^(F(?:[1-9]|1\d|2[0-4]))$/.exec(code)?.[1]
  return letter ?? named[code] ?? null
}

/** Null: only modifiers so far, or a key that would be lost to typing everywhere. */
export function acceleratorOf(press: PressedKeys, platform: DesktopStatus['platform']): string | null {
  const key = keyOf(press.code)
  if (key === null) return null
  const command = platform === 'darwin' ? press.metaKey : press.ctrlKey
  const modifiers = [
    ...(command ? ['CommandOrControl'] : []),
    ...(platform === 'darwin' && press.ctrlKey ? ['Control'] : []),
    ...(platform !== 'darwin' && press.metaKey ? ['Super'] : []),
    ...(press.altKey ? ['Alt'] : []),
    ...(press.shiftKey ? ['Shift'] : [])
  ]
  const strong = modifiers.some((modifier) => modifier !== 'Shift') || /^F\d+$/.test(key)
  return strong ? [...modifiers, key].join('+') : null
}

const macNames: Readonly<Record<string, string>> = {
  CommandOrControl: '⌘',
  Command: '⌘',
  Cmd: '⌘',
  Control: '⌃',
  Ctrl: '⌃',
  Alt: '⌥',
  Option: '⌥',
  Shift: '⇧',
  Return: '↩',
  Up: '↑',
  Down: '↓',
  Left: '←',
  Right: '→'
}
const otherNames: Readonly<Record<string, string>> = {
  CommandOrControl: 'Ctrl',
  Control: 'Ctrl',
  CmdOrCtrl: 'Ctrl',
  Super: 'Win',
  Return: 'Enter',
  Up: '↑',
  Down: '↓',
  Left: '←',
  Right: '→'
}

/** The keys of an accelerator as printed on this system's keyboards. */
export function keysOf(accelerator: string, platform: DesktopStatus['platform']): readonly string[] {
  const names = platform === 'darwin' ? macNames : otherNames
  return accelerator
    .split('+')
    .filter((part) => part !== '')
    .map((part) => (platform === 'linux' && part === 'Super' ? 'Super' : (names[part] ?? part)))
}

/** The modifier of the window's own shortcuts, as printed. */
export function commandKey(platform: DesktopStatus['platform']): string {
  return platform === 'darwin' ? '⌘' : 'Ctrl'
}
export function altKey(platform: DesktopStatus['platform']): string {
  return platform === 'darwin' ? '⌥' : 'Alt'
}
