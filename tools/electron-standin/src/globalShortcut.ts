// `globalShortcut`: shortcuts that tests press with `__standin.triggerShortcut`; the system's own keys are not taken.
import type { GlobalShortcut } from 'electron'
import { normalizeAccelerator } from './accelerator.ts'
import { hooks } from './hooks.ts'
import { needReady } from './state.ts'
import { strictModule } from './strict.ts'

const READY = 'globalShortcut cannot be used before the app is ready'
let suspended = false

function register(accelerator: string, callback: () => void): boolean {
  needReady(READY)
  const keys = normalizeAccelerator(accelerator)
  if (suspended || hooks.shortcuts.has(keys) || hooks.takenShortcuts.has(keys)) return false
  hooks.shortcuts.set(keys, callback)
  return true
}

export const globalShortcut = strictModule('globalShortcut', 'GlobalShortcut', {
  register,
  registerAll(accelerators: string[], callback: () => void): void {
    for (const accelerator of accelerators) register(accelerator, callback)
  },
  isRegistered(accelerator: string): boolean {
    needReady(READY)
    return hooks.shortcuts.has(normalizeAccelerator(accelerator))
  },
  unregister(accelerator: string): void {
    needReady(READY)
    hooks.shortcuts.delete(normalizeAccelerator(accelerator))
  },
  unregisterAll(): void {
    needReady(READY)
    hooks.shortcuts.clear()
  },
  setSuspended(value: boolean): void {
    suspended = value
  },
  isSuspended: (): boolean => suspended
} satisfies Partial<GlobalShortcut>)

hooks.triggerShortcut = (accelerator) => {
  const callback = suspended ? undefined : hooks.shortcuts.get(normalizeAccelerator(accelerator))
  callback?.()
  return callback !== undefined
}
