// Shortcuts are recorded from physical keys and shown as they are printed.
import { expect, it } from 'vitest'
import { acceleratorOf, keysOf, type PressedKeys } from './accelerator.ts'

const press = (change: Partial<PressedKeys>): PressedKeys => ({
  key: '',
  code: '',
  ctrlKey: false,
  altKey: false,
  shiftKey: false,
  metaKey: false,
  ...change
})

it('reads the modifiers of each system', () => {
  expect(acceleratorOf(press({ code: 'Space', ctrlKey: true, shiftKey: true }), 'linux')).toBe('CommandOrControl+Shift+Space')
  expect(acceleratorOf(press({ code: 'KeyV', metaKey: true, shiftKey: true }), 'darwin')).toBe('CommandOrControl+Shift+V')
  expect(acceleratorOf(press({ code: 'KeyV', ctrlKey: true }), 'darwin')).toBe('Control+V')
  expect(acceleratorOf(press({ code: 'KeyA', metaKey: true }), 'win32')).toBe('Super+A')
})

it('takes the key by its place, whatever the layout types there', () => {
  expect(acceleratorOf(press({ key: '¡', code: 'Digit1', altKey: true }), 'darwin')).toBe('Alt+1')
})

it('refuses what would be lost to typing', () => {
  expect(acceleratorOf(press({ code: 'KeyA' }), 'linux')).toBeNull()
  expect(acceleratorOf(press({ code: 'KeyA', shiftKey: true }), 'linux')).toBeNull()
  expect(acceleratorOf(press({ code: 'ControlLeft', ctrlKey: true }), 'linux')).toBeNull()
  expect(acceleratorOf(press({ code: 'F9' }), 'linux')).toBe('F9')
})

it('shows keys as printed', () => {
  expect(keysOf('CommandOrControl+Shift+Space', 'win32')).toEqual(['Ctrl', 'Shift', 'Space'])
  expect(keysOf('CommandOrControl+Shift+Space', 'darwin')).toEqual(['⌘', '⇧', 'Space'])
})
