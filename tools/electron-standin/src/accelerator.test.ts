// Accelerators: one spelling for the same keys, and Electron's refusal of what is none.
import { describe, expect, it } from 'vitest'
import { normalizeAccelerator } from './accelerator.ts'

describe('an accelerator', () => {
  it.each([
    ['CommandOrControl+Shift+Space', 'control+shift+space'],
    ['Shift+CmdOrCtrl+space', 'control+shift+space'],
    ['Ctrl+Ctrl+A', 'control+a'],
    ['Alt+Plus', 'alt+plus'],
    ['Alt++', 'alt+plus'],
    ['Option+F12', 'alt+f12'],
    ['Meta+numadd', 'super+numadd'],
    ['MediaPlayPause', 'mediaplaypause']
  ])('%s is %s on Linux', (accelerator, normal) => {
    expect(normalizeAccelerator(accelerator, 'linux')).toBe(normal)
  })

  it('takes CommandOrControl for the command key on macOS', () => {
    expect(normalizeAccelerator('CmdOrCtrl+K', 'darwin')).toBe('command+k')
  })

  it.each(['', 'Hyper+A', 'Ctrl+', 'Ctrl+Foo', 'A+Ctrl', 'F25', 'Ctrl+Shift', '\u0000', 'Ctrl+\uD800'])('refuses %j', (accelerator) => {
    expect(() => normalizeAccelerator(accelerator, 'linux')).toThrow(TypeError)
  })
})
