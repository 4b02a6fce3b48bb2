// First code of a utility process: process.parentPort and the little of `electron` that such a process has; then the app's module.
import { EventEmitter } from 'node:events'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { electronVersion } from './electronVersion.ts'

class ParentPort extends EventEmitter {
  #waiting: unknown[] = []

  constructor() {
    super()
    process.on('message', ({ message }: { message?: unknown }) => this.#receive(message))
    // Without its parent a utility process has no purpose.
    process.on('disconnect', () => process.exit(0))
    this.on('newListener', (name) => {
      if (name === 'message') queueMicrotask(() => this.#deliver())
    })
  }

  #receive(message: unknown): void {
    this.#waiting.push(message)
    if (this.listenerCount('message') > 0) this.#deliver()
  }

  #deliver(): void {
    for (const data of this.#waiting.splice(0)) this.emit('message', { data, ports: [] })
  }

  postMessage(message: unknown): void {
    process.send?.({ message })
  }
}

Object.defineProperty(process, 'parentPort', { value: new ParentPort(), enumerable: true })
Object.defineProperty(process, 'type', { value: 'utility', enumerable: true })
Object.defineProperty(process.versions, 'electron', { value: electronVersion(), enumerable: true })

const ELECTRON = 'standin:electron-utility'
registerHooks({
  resolve: (specifier, context, next) =>
    /^electron(?:\/utility|\/common)?$/.test(specifier) ? { url: ELECTRON, format: 'commonjs', shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === ELECTRON
      ? { format: 'commonjs', shortCircuit: true, source: 'module.exports = { net: { fetch, isOnline: () => true, online: true } }' }
      : next(url, context)
})

const [, , entry = ''] = process.argv
// As in Electron: [executable, module, ...arguments].
process.argv.splice(1, 1)
await import(pathToFileURL(entry).href)
