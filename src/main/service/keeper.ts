// Keeps the embedded service running. Each start takes free ports: the old ones may be somebody else's by then.
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Random } from '../../shared/kit/clock.ts'
import type { Log } from '../log.ts'
import type { ServiceDoors, ServiceHost, ServiceProcess } from './host.ts'

const RESTART = { baseMs: 250, capMs: 15_000 }
const STOP_GRACE_MS = 3_000
/** A service that ran this long had started well: the next restart is quick again. */
const SETTLED_MS = 30_000

export interface KeeperOptions {
  readonly host: ServiceHost
  /** Read anew at each start, so that changed settings take effect. */
  readonly env: () => Promise<Readonly<Record<string, string>>>
  readonly random: Random
  readonly log: Log
  /** It came up, also after a crash, behind these doors. */
  readonly onReady: (doors: ServiceDoors) => void
}

export interface Keeper {
  /** The doors of the service, once it has started for the first time. Rejects when the first start failed. */
  doors(): Promise<ServiceDoors>
  /** Stops and starts it with fresh settings. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export function createKeeper(options: KeeperOptions): Keeper {
  const { host, random, log, onReady } = options
  let current: ServiceProcess | null = null
  let first: Promise<ServiceDoors> | null = null
  let stopping = false
  let restarting = false
  let failures = 0
  let timer: NodeJS.Timeout | null = null

  async function start(): Promise<ServiceDoors> {
    const env = { ...(await options.env()), PORT: '0', AI_SERVICE_PORT: '0' }
    if (stopping) throw new CopilotError('cancelled', 'Aside is closing.')
    const startedAt = performance.now()
    const child = host.start(env)
    current = child
    void child.exited.then(() => {
      if (current === child) current = null
      if (stopping || restarting) return
      failures = performance.now() - startedAt > SETTLED_MS ? 1 : failures + 1
      const waitMs = backoffMs(failures, random, RESTART)
      log.warn('service.exited', { failures, waitMs })
      timer = setTimeout(() => void startAgain(), waitMs)
    })
    const doors = await child.ready
    log.info('service.ready', { ms: Math.round(performance.now() - startedAt) })
    onReady(doors)
    return doors
  }
  async function startAgain(): Promise<void> {
    timer = null
    if (stopping) return
    try {
      first = start()
      await first
    } catch (error) {
      // Its exit schedules the next attempt; where it could not even be spawned nothing will come of another.
      log.error('service.start', { error: toCopilotError(error).message })
    }
  }

  return {
    doors() {
      first ??= start()
      return first
    },
    async restart() {
      if (first === null || stopping) return
      restarting = true
      try {
        if (timer !== null) clearTimeout(timer)
        await current?.stop(STOP_GRACE_MS)
      } finally {
        restarting = false
      }
      failures = 0
      await startAgain()
    },
    async stop() {
      stopping = true
      if (timer !== null) clearTimeout(timer)
      await current?.stop(STOP_GRACE_MS)
    }
  }
}
