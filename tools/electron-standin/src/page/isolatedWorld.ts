// The preload's half: what a sandboxed preload may require, then the preload script itself.
import { createWorldBridge, type BridgeMessage, type Crossing } from './bridge.ts'
import { decode, encode } from './codec.ts'
import { PageEmitter } from './emitter.ts'
import type { IsolatedConfig, PageSays } from './protocol.ts'

type Preload = (
  require: (id: string) => unknown,
  process: unknown,
  exports: unknown,
  module: unknown,
  global: typeof globalThis,
  setImmediate: unknown,
  clearImmediate: unknown
) => void

const notHere =
  (what: string): (() => never) =>
  () => {
    throw new Error(`[standin] ${what} exists in Electron but is not in the stand-in`)
  }

function needChannel(channel: unknown): void {
  if (typeof channel !== 'string') throw new TypeError('Error processing argument at index 0, conversion failure')
}

/** `ipcRenderer`, and the function that takes main's batches. */
function createIpcRenderer(say: (kind: PageSays, body: string) => void): { ipcRenderer: PageEmitter; receive: (batch: string[]) => void } {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0

  class IpcRenderer extends PageEmitter {
    readonly sendSync = notHere('ipcRenderer.sendSync')
    readonly postMessage = notHere('ipcRenderer.postMessage')
    readonly sendToHost = notHere('ipcRenderer.sendToHost')

    send(channel: string, ...args: unknown[]): void {
      needChannel(channel)
      say('m', encode([channel, args]))
    }

    async invoke(channel: string, ...args: unknown[]): Promise<unknown> {
      needChannel(channel)
      lastId += 1
      const id = lastId
      const body = encode([channel, id, args])
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        say('i', body)
      })
    }
  }
  const ipcRenderer = new IpcRenderer()

  function deliver(channel: string, args: unknown[]): void {
    try {
      ipcRenderer.emit(channel, { sender: ipcRenderer, senderId: 0, ports: [] }, ...args)
    } catch (error) {
      reportError(error)
    }
  }

  function receive(batch: string[]): void {
    for (const text of batch) {
      const kind = text[0]
      const [first, second] = decode(text.slice(1)) as [string | number, unknown]
      if (kind === 'm') {
        deliver(first as string, second as unknown[])
        continue
      }
      const waiter = waiting.get(first as number)
      waiting.delete(first as number)
      if (kind === 'r') waiter?.resolve(second)
      else waiter?.reject(new Error(second as string))
    }
  }
  return { ipcRenderer, receive }
}

function createContextBridge(prefix: string): object {
  const exposed: { op: 'expose'; key: string; value: Crossing }[] = []
  const taken = new Set<string>()
  const bridge = createWorldBridge({ listen: `${prefix}isolated`, speak: `${prefix}main` }, (message: BridgeMessage) => {
    if (message.op === 'hello') for (const earlier of exposed) bridge.post(earlier)
    if (message.op === 'taken') taken.add(message.key)
  })
  return {
    exposeInMainWorld(key: string, api: unknown) {
      const clash = new Error('Cannot bind an API on top of an existing property on the window object')
      if (exposed.some((earlier) => earlier.key === key)) throw clash
      const message = { op: 'expose' as const, key, value: bridge.encode(api) }
      exposed.push(message)
      bridge.post(message)
      if (taken.has(key)) throw clash
    },
    exposeInIsolatedWorld: notHere('contextBridge.exposeInIsolatedWorld'),
    executeInMainWorld: notHere('contextBridge.executeInMainWorld')
  }
}

function createProcess(config: IsolatedConfig['process']): object {
  return Object.assign(new PageEmitter(), config, {
    type: 'renderer',
    sandboxed: true,
    contextIsolated: true,
    isMainFrame: true,
    hrtime: notHere('process.hrtime'),
    crash: notHere('process.crash'),
    hang: notHere('process.hang'),
    uptime: () => performance.now() / 1000,
    nextTick: (task: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => task(...args)),
    getSystemVersion: () => config.systemVersion,
    cwd: () => config.cwd
  })
}

/** CDP's own word of a title comes seconds late. */
function watchTitle(say: (kind: PageSays, body: string) => void): void {
  let last = ''
  const tell = (): void => {
    if (document.title === last) return
    last = document.title
    say('t', last)
  }
  tell()
  if (document.head) new MutationObserver(tell).observe(document.head, { childList: true, subtree: true, characterData: true })
}

/** Tells main of focus, size, visibility and the first frame. */
function watchWindow(say: (kind: PageSays, body: string) => void): void {
  for (const type of ['focus', 'blur', 'resize']) {
    window.addEventListener(
      type,
      (event) => {
        if (event.target === window || event.target === document) say('w', type)
      },
      true
    )
  }
  const whenParsed = (): void => {
    requestAnimationFrame(() => setTimeout(() => say('w', 'painted'), 0))
    watchTitle(say)
  }
  if (document.readyState === 'complete') whenParsed()
  else window.addEventListener('DOMContentLoaded', whenParsed, { once: true })
}

const pageSetImmediate = (task: (...args: unknown[]) => void, ...args: unknown[]): unknown => setTimeout(task, 0, ...args)
const pageClearImmediate = (timer: number): void => clearTimeout(timer)

/** The modules that Electron lets a sandboxed preload require; any other name throws as there. */
function createRequire(electron: object): (id: string) => unknown {
  const events = Object.assign(PageEmitter, { EventEmitter: PageEmitter, default: PageEmitter })
  const timers = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate: pageSetImmediate, clearImmediate: pageClearImmediate }
  const url = { URL, URLSearchParams }
  const modules = new Map<string, unknown>([
    ['electron', electron],
    ['electron/renderer', electron],
    ['electron/common', electron],
    ['events', events],
    ['node:events', events],
    ['timers', timers],
    ['node:timers', timers],
    ['url', url],
    ['node:url', url]
  ])
  return (id) => {
    if (!modules.has(id)) throw new Error(`module not found: ${id}`)
    return modules.get(id)
  }
}

/** An object whose every member says that it is not in the stand-in. */
function absent(name: string): object {
  return new Proxy({}, { get: (_target, member) => (typeof member === 'string' ? notHere(`${name}.${member}`) : undefined) })
}

export function startIsolatedWorld(prefix: string, config: IsolatedConfig, preload: Preload | null): void {
  if (window !== window.top) return
  const scope = globalThis as unknown as Record<string, unknown>
  const speak = scope[config.binding] as (text: string) => void
  delete scope[config.binding]
  const say = (kind: PageSays, body: string): void => speak(kind + body)

  const { ipcRenderer, receive } = createIpcRenderer(say)
  scope[config.inbox] = receive
  watchWindow(say)
  const contextBridge = createContextBridge(prefix)
  if (!preload) return
  const electron = {
    contextBridge,
    ipcRenderer,
    crashReporter: absent('crashReporter'),
    nativeImage: absent('nativeImage'),
    webFrame: absent('webFrame'),
    webUtils: absent('webUtils')
  }
  try {
    const module = { exports: {} }
    preload(createRequire(electron), createProcess(config.process), module.exports, module, globalThis, pageSetImmediate, pageClearImmediate)
  } catch (error) {
    console.error(`Unable to load preload script: ${String(config.preloadPath)}`)
    console.error(error)
    say('p', encode(error instanceof Error ? error : new Error(String(error))))
  }
}
