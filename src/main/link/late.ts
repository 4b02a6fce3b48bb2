// A link that does not exist yet: the windows come up while the service still starts. Passes everything on once it is there.
import type { LinkStatus } from '../../shared/domain.ts'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Link } from './link.ts'

const STARTING = 'The service is starting.'

export interface LateLinkOptions {
  /** Called at once, and again by `recheck` after it failed. */
  readonly connect: () => Promise<Link>
  readonly embedded: boolean
  /** `host:port` where it is known beforehand, else empty. */
  readonly address: string
  readonly clock: Clock
}

export function createLateLink(options: LateLinkOptions): Link {
  const { connect, clock } = options
  const listeners = new Set<(status: LinkStatus) => void>()
  const service = { embedded: options.embedded, address: options.address, version: null, answeredBy: null }
  const waiting = (state: 'connecting' | 'offline', reason: string): LinkStatus => ({
    state,
    transport: null,
    reason,
    retryAt: null,
    since: clock.now(),
    service
  })
  let early = waiting('connecting', STARTING)
  let link: Link | null = null
  let connecting: Promise<void> | null = null
  let stopped = false

  const tell = (status: LinkStatus): void => {
    for (const listener of listeners) listener(status)
  }
  const begin = (): void => {
    if (connecting !== null || link !== null || stopped) return
    connecting = connect()
      .then(async (made) => {
        if (stopped) return made.stop()
        link = made
        made.onStatus(tell)
        tell(made.status())
        return undefined
      })
      .catch((error: unknown) => {
        early = waiting('offline', toCopilotError(error).message)
        tell(early)
      })
      .finally(() => {
        connecting = null
      })
  }
  const notYet = (): CopilotError => new CopilotError('offline', early.reason)
  begin()

  return {
    async *ask(question, askOptions) {
      if (link === null) throw notYet()
      yield* link.ask(question, askOptions)
    },
    async knows(question, signal) {
      if (link === null) throw notYet()
      return await link.knows(question, signal)
    },
    async cancel(turnId, signal) {
      return link === null ? false : await link.cancel(turnId, signal)
    },
    status: () => link?.status() ?? early,
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    recheck() {
      if (link !== null) return link.recheck()
      if (early.state === 'offline') {
        early = waiting('connecting', STARTING)
        tell(early)
      }
      begin()
    },
    async stop() {
      stopped = true
      listeners.clear()
      await connecting
      await link?.stop()
    }
  }
}
