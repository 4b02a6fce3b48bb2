// The windows there are, and the one that has the focus. Knows no more of them than the app's quitting needs.

export interface OpenWindow {
  readonly id: number
  close(): void
  destroy(): void
}

const windows = new Map<number, OpenWindow>()
let focused: OpenWindow | null = null
let lastId = 0

export const openWindows = (): OpenWindow[] => [...windows.values()]
export const windowById = (id: number): OpenWindow | undefined => windows.get(id)
export const focusedWindow = (): OpenWindow | null => focused

export function nextWindowId(): number {
  lastId += 1
  return lastId
}

export function addWindow(window: OpenWindow): void {
  windows.set(window.id, window)
}

export function removeWindow(window: OpenWindow): void {
  windows.delete(window.id)
  if (focused === window) focused = null
}

/** Returns the window that loses the focus, if another one had it. */
export function setFocusedWindow(window: OpenWindow | null): OpenWindow | null {
  const before = focused
  focused = window
  return before === window ? null : before
}
