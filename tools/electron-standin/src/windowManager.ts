// What CDP has no command for: a window's state under an X11 window manager, by wmctrl, xdotool and xprop.
// Niceties: without those tools the windows still open, they only don't stay on top or hide from the task bar.
import { execFile } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

export interface WindowManager {
  /** Finds the X11 window whose title has `title` in it (before the page is read it is its address) and remembers it for the target. */
  identify(targetId: string, title: string): Promise<void>
  setState(targetId: string, on: boolean, ...states: WindowState[]): Promise<void>
  removeFrame(targetId: string): Promise<void>
  setMapped(targetId: string, mapped: boolean): Promise<void>
  activate(targetId: string): Promise<void>
  setOpacity(targetId: string, opacity: number): Promise<void>
}

export type WindowState = 'above' | 'sticky' | 'skip_taskbar' | 'skip_pager'

const run = promisify(execFile)
const FIND_ATTEMPTS = 40
const FIND_PAUSE_MS = 25
const OPAQUE = 0xff_ff_ff_ff

/** Does nothing: headless Chromium, or a desktop that is not X11. */
export const noWindowManager: WindowManager = {
  identify: async () => undefined,
  setState: async () => undefined,
  removeFrame: async () => undefined,
  setMapped: async () => undefined,
  activate: async () => undefined,
  setOpacity: async () => undefined
}

export function createX11WindowManager(): WindowManager {
  const ids = new Map<string, string>()
  const missing = new Set<string>()

  /** A tool's output, or null when it is not installed or the window is not there any more. */
  async function tool(name: string, ...args: string[]): Promise<string | null> {
    if (missing.has(name)) return null
    try {
      return (await run(name, args)).stdout
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') missing.add(name)
      return null
    }
  }

  async function withId(targetId: string, act: (id: string) => Promise<unknown>): Promise<void> {
    const id = ids.get(targetId)
    if (id !== undefined) await act(id)
  }

  const setProperty = (id: string, name: string, ...values: string[]): Promise<string | null> =>
    tool('xprop', '-id', id, '-f', name, '32c', '-set', name, values.join(', '))

  return {
    async identify(targetId, title) {
      for (let attempt = 0; attempt < FIND_ATTEMPTS; attempt += 1) {
        const list = await tool('wmctrl', '-l')
        if (list === null) return
        const line = list.split('\n').find((candidate) => candidate.includes(title))
        if (line !== undefined) {
          ids.set(targetId, line.slice(0, line.indexOf(' ')))
          return
        }
        await wait(FIND_PAUSE_MS)
      }
    },
    setState: (targetId, on, ...states) =>
      withId(targetId, async (id) => {
        for (const state of states) await tool('wmctrl', '-i', '-r', id, '-b', `${on ? 'add' : 'remove'},${state}`)
      }),
    removeFrame: (targetId) => withId(targetId, (id) => setProperty(id, '_MOTIF_WM_HINTS', '2', '0', '0', '0', '0')),
    setMapped: (targetId, mapped) => withId(targetId, (id) => tool('xdotool', mapped ? 'windowmap' : 'windowunmap', '--sync', String(Number(id)))),
    activate: (targetId) => withId(targetId, (id) => tool('wmctrl', '-i', '-a', id)),
    setOpacity: (targetId, opacity) => withId(targetId, (id) => setProperty(id, '_NET_WM_WINDOW_OPACITY', String(Math.round(opacity * OPAQUE))))
  }
}
