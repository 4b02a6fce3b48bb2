// The processes of a chaos run: started, killed without a word, or asked to stop. Every one is ended by `end`.
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServiceDoors } from '../../../src/main/service/host.ts'
import type { FromCore, Sabotage, ToCore } from './coreTalk.ts'

export interface ChaosFolders {
  readonly desktop: string
  readonly service: string
  /** What the scripted model was asked. */
  readonly journal: string
}

interface Victim {
  readonly child: ChildProcess
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>
}

export interface ServiceVictim extends Victim {
  /** Rejects when it ends before it is ready. */
  readonly ready: Promise<ServiceDoors>
  /** SIGTERM: it drains and stops. */
  terminate(): Promise<void>
}

export interface CoreVictim extends Victim {
  /** Resolves with what happened to its history, null: nothing. Rejects when it ends before it is ready. */
  readonly ready: Promise<string | null>
  say(message: ToCore): void
  onMessage(listener: (message: FromCore) => void): void
  /** Rejects when the core ends first. */
  answerTo<Kind extends FromCore['kind']>(message: ToCore, kind: Kind): Promise<Extract<FromCore, { kind: Kind }>>
}

export const LAUNCH_TOKEN = 'the-launch-token-of-this-run'
const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const fixtures = fileOf('../../fixtures')

function victim(child: ChildProcess): Victim {
  const gone = once(child, 'exit').then(() => undefined)
  return {
    child,
    gone,
    async kill() {
      child.kill('SIGKILL')
      await gone
    }
  }
}

/** Compiled code is kept between the starts, which halves their cost; see `module.enableCompileCache` of Node. */
const codeCache = join(tmpdir(), 'aside-chaos-code')

const common = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '',
  NODE_COMPILE_CACHE: codeCache
})

export function startService(folders: ChaosFolders): ServiceVictim {
  const child = spawn(process.execPath, [fileOf('service.victim.ts')], {
    env: {
      ...common(),
      PORT: '0',
      AI_SERVICE_PORT: '0',
      ASIDE_FIND_OLLAMA: '0',
      ASIDE_RESOURCES_DIR: fixtures,
      ASIDE_DATA_DIR: folders.service,
      ASIDE_LAUNCH_TOKEN: LAUNCH_TOKEN,
      CHAOS_JOURNAL: folders.journal
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  const stderr = errorsOf(child)
  const base = victim(child)
  const lines = createInterface({ input: child.stdout! })
  const ready = Promise.race([
    once(lines, 'line').then(([line]: unknown[]) => JSON.parse(String(line)) as ServiceDoors),
    base.gone.then(() => {
      throw new Error(`the service ended before it was ready (signal ${child.signalCode}): ${stderr()}`)
    })
  ])
  // Killed while it starts: whoever waits hears of it, and nobody has to.
  ready.catch(() => undefined)
  return {
    ...base,
    ready,
    async terminate() {
      child.kill('SIGTERM')
      await base.gone
    }
  }
}

export interface CoreDoors {
  readonly grpc: string
  readonly http: string
}

/** @param program `core`: as it ships; `streamCore`: with a quicker link and a token that can run out. */
export function startCore(folders: ChaosFolders, doors: CoreDoors, program: 'core' | 'streamCore', sabotage: Sabotage = 'none'): CoreVictim {
  const child = fork(fileOf(`${program}.victim.ts`), [], {
    env: {
      ...common(),
      ASIDE_DATA_DIR: folders.desktop,
      ASIDE_SERVICE_URL: `grpc://${doors.grpc},http://${doors.http}`,
      ASIDE_TOKEN: LAUNCH_TOKEN,
      ASIDE_LOG_LEVEL: process.env['CHAOS_LOG'] ?? 'silent',
      CHAOS_SABOTAGE: sabotage,
      CHAOS_SERVICE_KEYS: join(folders.service, 'service')
    },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc']
  })
  const stderr = errorsOf(child)
  const base = victim(child)
  const listeners = new Set<(message: FromCore) => void>()
  child.on('message', (message: FromCore) => {
    for (const listener of listeners) listener(message)
  })
  // A message to one that is just being killed has nobody to arrive at.
  child.on('error', () => undefined)
  const next = <Kind extends FromCore['kind']>(kind: Kind): Promise<Extract<FromCore, { kind: Kind }>> =>
    new Promise((resolve, reject) => {
      const listener = (message: FromCore): void => {
        if (message.kind !== kind) return
        listeners.delete(listener)
        resolve(message as Extract<FromCore, { kind: Kind }>)
      }
      listeners.add(listener)
      void base.gone.then(() => reject(new Error(`the core ended before it said “${kind}” (signal ${child.signalCode}): ${stderr()}`)))
    })
  const ready = next('ready').then(({ incident }) => incident)
  ready.catch(() => undefined)
  return {
    ...base,
    ready,
    say(message) {
      if (child.connected) child.send(message, () => undefined)
    },
    onMessage: (listener) => void listeners.add(listener),
    answerTo(message, kind) {
      const answer = next(kind)
      this.say(message)
      return answer
    }
  }
}

/** The last of what it wrote to standard error; passed on where the run is watched. */
function errorsOf(child: ChildProcess): () => string {
  let kept = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    kept = `${kept}${text}`.slice(-2_000)
    if (process.env['CHAOS_LOG'] !== undefined) process.stderr.write(text)
  })
  return () => kept.trim()
}
