// The same host without windows: for the command line, scripts and machines without a display.
import { app } from 'electron'
import type { ComposeOptions } from '../compose.ts'
import type { Desktop } from '../desktop.ts'
import type { Shell } from '../shell.ts'
import { createQuietShell } from './shell.electron.ts'

/** A host that was started for one question ends after this long without anybody connected and nothing on its way. */
const IDLE_MS = 1_500

export interface WindowlessOptions {
  readonly compose: (shell: Shell, more: Pick<ComposeOptions, 'endpoint'>) => Promise<Desktop>
  readonly exitWhenIdle: boolean
}

export async function runWindowless({ compose, exitWhenIdle }: WindowlessOptions): Promise<void> {
  app.on('window-all-closed', () => undefined)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => app.quit())
  const desktop = await compose(createQuietShell(), { endpoint: { show: null, stop: async () => app.quit() } })
  if (!exitWhenIdle) return
  let idleSince = performance.now()
  const timer = setInterval(() => {
    if (desktop.busy()) idleSince = performance.now()
    else if (performance.now() - idleSince > IDLE_MS) {
      clearInterval(timer)
      app.quit()
    }
  }, 250)
}
