// `app`: the life of the process, from ready to the end, and one instance of it.
import { spawn } from 'node:child_process'
import inspector from 'node:inspector'
import { AppIdentity } from './appIdentity.ts'
import { runningBrowser } from './browser.ts'
import { hooks } from './hooks.ts'
import { getPath } from './paths.ts'
import { nodePath } from './runtime.ts'
import { requestInstanceLock, type InstanceLock } from './singleInstance.ts'
import { electronEvent, state } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'
import { openWindows } from './windows.ts'

const EVENTS = [
  'activate',
  'before-quit',
  'browser-window-blur',
  'browser-window-created',
  'browser-window-focus',
  'open-url',
  'quit',
  'ready',
  'second-instance',
  'session-created',
  'web-contents-created',
  'will-finish-launching',
  'will-quit',
  'window-all-closed',
  // Nothing in the stand-in dies apart from the whole, and nothing asks for a certificate; apps listen for them all the same.
  'certificate-error',
  'child-process-gone',
  'open-file',
  'render-process-gone'
]

class App extends AppIdentity {
  #ready = Promise.withResolvers<unknown>()
  #lock: InstanceLock | null = null
  #relaunch: { args: string[]; execPath: string } | null = null

  constructor() {
    super()
    watchListeners(this, 'App', EVENTS)
  }

  // ---- start ----

  whenReady(): Promise<unknown> {
    return this.#ready.promise
  }

  isReady(): boolean {
    return state.ready
  }

  /** @internal By the entry, once the app's main module has been evaluated. */
  static becomeReady(instance: App): void {
    instance.emit('will-finish-launching')
    state.ready = true
    instance.#ready.resolve({})
    instance.emit('ready', electronEvent(), {})
  }

  // ---- one instance ----

  requestSingleInstanceLock(additionalData: unknown = {}): boolean {
    const self = { argv: process.argv, workingDirectory: process.cwd(), additionalData }
    this.#lock ??= requestInstanceLock(getPath('userData'), self, {
      nodePath,
      onSecond: ({ argv, workingDirectory, additionalData: data }) => {
        void this.#ready.promise.then(() => this.emit('second-instance', electronEvent(), argv, workingDirectory, data))
      }
    })
    return this.#lock !== null
  }

  hasSingleInstanceLock(): boolean {
    return this.#lock !== null
  }

  releaseSingleInstanceLock(): void {
    this.#lock?.release()
    this.#lock = null
  }

  // ---- end ----

  quit(): void {
    if (state.quitting || state.exiting) return
    const event = electronEvent()
    this.emit('before-quit', event)
    if (event.defaultPrevented || state.exiting) return
    state.quitting = true
    for (const window of openWindows()) {
      // A window that prevents its closing ends the quitting.
      if (!state.quitting) return
      window.close()
    }
    this.#finishQuit()
  }

  /** @internal By each window that has closed. */
  onWindowGone(): void {
    if (openWindows().length > 0 || state.exiting) return
    if (state.quitting) this.#finishQuit()
    else if (this.listenerCount('window-all-closed') > 0) this.emit('window-all-closed')
    else this.quit()
  }

  #finishQuit(): void {
    if (!state.quitting || state.exiting || openWindows().length > 0) return
    const event = electronEvent()
    this.emit('will-quit', event)
    if (event.defaultPrevented) state.quitting = false
    else this.exit(0)
  }

  exit(code = 0): void {
    if (state.exiting) return
    state.exiting = true
    this.emit('quit', electronEvent(), code)
    void this.#end(code)
  }

  async #end(code: number): Promise<void> {
    await runningBrowser()?.stop()
    this.releaseSingleInstanceLock()
    if (this.#relaunch) spawn(this.#relaunch.execPath, this.#relaunch.args, { detached: true, stdio: 'ignore' }).unref()
    // Whoever debugs is sent away: Node's own exit would wait until they leave, however long that takes.
    inspector.close()
    process.exit(code)
  }

  relaunch(options: { args?: string[]; execPath?: string } = {}): void {
    this.#relaunch = { args: options.args ?? process.argv.slice(1), execPath: options.execPath ?? process.execPath }
  }
}
strictInstances(App, 'App')

export const app = new App()
export const becomeReady = (): void => App.becomeReady(app)

hooks.openUrl = (url) => void app.emit('open-url', electronEvent(), url)
