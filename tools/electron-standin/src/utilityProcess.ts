// `utilityProcess`: a Node child with `process.parentPort`. It ends with its parent.
import { fork, type ChildProcess, type StdioOptions } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ForkOptions } from 'electron'
import { nodePath } from './runtime.ts'
import { needReady, unsupported } from './state.ts'
import { strictInstances, watchListeners } from './strict.ts'

const BOOT = fileURLToPath(new URL('./utilityChild.ts', import.meta.url))
const children = new Set<ChildProcess>()

process.on('exit', () => {
  for (const child of children) child.kill()
})

function stdioOf(wanted: ForkOptions['stdio']): StdioOptions {
  if (Array.isArray(wanted)) return ['ignore', wanted[1] ?? 'inherit', wanted[2] ?? 'inherit', 'ipc'] as StdioOptions
  const each = wanted ?? 'inherit'
  return ['ignore', each, each, 'ipc'] as StdioOptions
}

export class UtilityProcess extends EventEmitter {
  readonly #child: ChildProcess
  readonly stdout: ChildProcess['stdout']
  readonly stderr: ChildProcess['stderr']
  #pid: number | undefined

  constructor(modulePath: string, args: readonly string[], options: ForkOptions) {
    needReady('utilityProcess cannot be created before app is ready')
    super()
    watchListeners(this, 'UtilityProcess', ['spawn', 'exit', 'message', 'error'])
    const child = fork(BOOT, [modulePath, ...args], {
      execPath: nodePath,
      execArgv: ['--enable-source-maps', ...(options.execArgv ?? [])],
      env: (options.env as NodeJS.ProcessEnv | undefined) ?? process.env,
      serialization: 'advanced',
      stdio: stdioOf(options.stdio),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd })
    })
    this.#child = child
    this.stdout = child.stdout
    this.stderr = child.stderr
    children.add(child)
    child.once('spawn', () => {
      this.#pid = child.pid
      this.emit('spawn')
    })
    child.on('message', ({ message }: { message?: unknown }) => this.emit('message', message))
    child.on('error', (error) => console.error('[standin] utility process:', error))
    child.once('exit', (code) => {
      children.delete(child)
      this.#pid = undefined
      // Killed by a signal: Electron has no signals to tell of.
      this.emit('exit', code ?? 1)
    })
  }

  /** undefined before it has started and after it has ended. */
  get pid(): number | undefined {
    return this.#pid
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (transfer.length > 0) unsupported('utilityProcess.postMessage with MessagePorts')
    // Electron drops what comes after the end.
    if (this.#child.connected) this.#child.send({ message })
  }

  kill(): boolean {
    return this.#child.kill()
  }
}
strictInstances(UtilityProcess, 'UtilityProcess')

export const utilityProcess = {
  fork(modulePath: string, args?: readonly string[] | ForkOptions, options?: ForkOptions): UtilityProcess {
    return Array.isArray(args) || args === undefined
      ? new UtilityProcess(modulePath, args ?? [], options ?? {})
      : new UtilityProcess(modulePath, [], args as ForkOptions)
  }
}
