// Keeps a way to the service: greets the transports in order, listens for the one in use, waits longer after each round
// that failed, and says how things stand.
import type { LinkStatus } from '../../shared/domain.ts'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import { backoffMs, type BackoffOptions } from '../../shared/kit/backoff.ts'
import type { Clock, Random } from '../../shared/kit/clock.ts'
import { abortable, within } from './abort.ts'
import type { ServiceAddress, ServiceHello, Transport } from './link.ts'
import { heartbeatCounts, mostTelling, orderToTry, reasonOf } from './linkPolicy.ts'
import type { Timers } from './timers.ts'

export interface ReachOptions {
  /** In order of preference. */
  readonly transports: readonly Transport[]
  readonly address: ServiceAddress
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  /** After so long without a sign of life the way in use is asked for one. */
  readonly heartbeatMs: number
  /** The same while a turn is under way, over a peer that can answer meanwhile. */
  readonly activeHeartbeatMs: number
  readonly helloLimitMs: Readonly<Record<Transport['kind'], number>>
  readonly backoff: BackoffOptions
}

/** A transport that is, or was, the way to the service. */
interface Station {
  readonly transport: Transport
}

export interface Reach {
  /** The way in use; waits while one is being looked for. @throws CopilotError `offline` when there is none. */
  current(signal: AbortSignal): Promise<Station>
  /** Counts a turn as under way on this station; call what it returns when it is over. */
  enter(station: Station): () => void
  /** Something came in: no heartbeat is needed for a while. */
  heard(): void
  /** A turn found the station gone: looks for another way at once. */
  lose(station: Station): void
  status(): LinkStatus
  onStatus(listener: (status: LinkStatus) => void): () => void
  recheck(): void
  stop(): Promise<void>
}

interface Entry extends Station {
  hello: ServiceHello | null
  failures: number
  notBefore: number
  active: number
}

/** Starts looking for the service at once; `stop` ends it. */
export function createReach(options: ReachOptions): Reach {
  const { address, clock, random, timers } = options
  const entries: Entry[] = options.transports.map((transport) => ({ transport, hello: null, failures: 0, notBefore: 0, active: 0 }))
  const listeners = new Set<(status: LinkStatus) => void>()
  const ended = new AbortController()
  let current: Entry | null = null
  let checking: Promise<void> | null = null
  let failedRounds = 0
  let heardAt = clock.now()
  let callOff: (() => void) | null = null
  let state: Omit<LinkStatus, 'service'> = { state: 'connecting', transport: null, reason: '', retryAt: null, since: clock.now() }

  const stopWatching = entries.map((entry) => entry.transport.onLost(() => loseEntry(entry)))

  function status(): LinkStatus {
    const hello = current?.hello ?? null
    const doors = [address.grpc, address.http?.replace(/^https?:\/\//, '')]
    return {
      ...state,
      service: {
        embedded: address.embedded,
        address: doors.find((door) => door !== null && door !== undefined) ?? '',
        version: hello?.version ?? null,
        answeredBy: hello?.answeredBy ?? null
      }
    }
  }

  let told = JSON.stringify(status())
  function become(next: Omit<LinkStatus, 'service' | 'since'>): void {
    state = { ...next, since: next.state === state.state ? state.since : clock.now() }
    const now = status()
    const key = JSON.stringify(now)
    if (key === told) return
    told = key
    for (const listener of listeners) listener(now)
  }

  async function greet({ transport }: Entry): Promise<ServiceHello> {
    const limit = { ms: options.helloLimitMs[transport.kind], timers, message: 'The AI service did not answer in time.' }
    const hello = (): Promise<ServiceHello> => within(limit, ended.signal, (signal) => transport.hello(signal))
    try {
      return await hello()
    } catch (error) {
      if (!(error instanceof CopilotError) || error.code !== 'unauthenticated') throw error
      await address.token({ refresh: true, signal: ended.signal })
      return hello()
    }
  }

  /** One round over the transports. Leaves `current` as the first that answered, or null. */
  async function round(lost: Entry | null): Promise<void> {
    const failures: CopilotError[] = []
    for (const entry of orderToTry(entries, { now: clock.now(), current, lost })) {
      const outcome = await greet(entry).catch(toCopilotError)
      if (ended.signal.aborted) return
      if (!(outcome instanceof CopilotError)) return goOnline(entry, outcome)
      if (entry === current && !heartbeatCounts({ protocol: entry.transport.protocol(), active: entry.active })) return schedule(patience())
      failures.push(outcome)
      rest(entry, outcome)
    }
    goOffline(mostTelling(failures))
  }

  function rest(entry: Entry, failure: CopilotError): void {
    entry.failures += 1
    entry.notBefore = clock.now() + backoffMs(entry.failures, random, { ...options.backoff, retryAfterMs: failure.retryAfterMs })
    if (current === entry) current = null
    // Ends the streams that are still on it, so that they resume elsewhere; those of a base peer can't, they may yet end well.
    if (heartbeatCounts({ protocol: entry.transport.protocol(), active: entry.active })) entry.transport.drop()
  }

  function goOnline(entry: Entry, hello: ServiceHello): void {
    current = entry
    entry.hello = hello
    entry.failures = 0
    entry.notBefore = 0
    failedRounds = 0
    heardAt = clock.now()
    become({ state: 'online', transport: hello.via, reason: '', retryAt: null })
    schedule(patience())
  }

  function goOffline(error: CopilotError): void {
    current = null
    failedRounds += 1
    const waitMs = backoffMs(failedRounds, random, { ...options.backoff, retryAfterMs: error.retryAfterMs })
    become({ state: 'offline', transport: null, reason: reasonOf(error, status().service), retryAt: clock.now() + waitMs })
    schedule(waitMs)
  }

  function patience(): number {
    const isBusy = current !== null && current.active > 0 && current.transport.protocol() > 0
    return isBusy ? options.activeHeartbeatMs : options.heartbeatMs
  }

  function schedule(ms: number): void {
    callOff?.()
    callOff = timers.after(ms, () => {
      // A clock that was set back makes no silence.
      const quietMs = Math.max(0, clock.now() - heardAt)
      if (current !== null && quietMs < patience()) schedule(patience() - quietMs)
      else check(null)
    })
  }

  function check(lost: Entry | null): void {
    if (ended.signal.aborted) return
    checking ??= round(lost).finally(() => (checking = null))
  }

  function loseEntry(entry: Entry): void {
    if (current !== entry || ended.signal.aborted) return
    current = null
    become({ state: 'connecting', transport: null, reason: 'The connection to the AI service broke; looking for another way.', retryAt: null })
    check(entry)
  }

  const searching = (): Promise<void> | null => (current === null ? checking : null)
  const entryOf = (station: Station): Entry | undefined => entries.find((entry) => entry.transport === station.transport)

  check(null)

  return {
    async current(signal) {
      for (let search = searching(); search !== null; search = searching()) await abortable(search, signal)
      if (current === null) {
        const retryAfterMs = state.retryAt === null ? {} : { retryAfterMs: Math.max(0, state.retryAt - clock.now()) }
        throw new CopilotError('offline', state.reason === '' ? 'Aside is closing. Your question is kept.' : state.reason, retryAfterMs)
      }
      return current
    },
    enter(station) {
      const entry = entryOf(station)
      if (entry === undefined) throw new RangeError('this station is not ours')
      entry.active += 1
      if (entry === current && entry.active === 1) {
        heardAt = clock.now()
        schedule(patience())
      }
      return () => {
        entry.active -= 1
      }
    },
    heard: () => void (heardAt = clock.now()),
    lose(station) {
      const entry = entryOf(station)
      if (entry !== undefined) loseEntry(entry)
    },
    status,
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    recheck() {
      failedRounds = 0
      for (const entry of entries) entry.notBefore = 0
      if (current === null) become({ state: 'connecting', transport: null, reason: state.reason, retryAt: null })
      check(null)
    },
    async stop() {
      ended.abort()
      callOff?.()
      for (const unwatch of stopWatching) unwatch()
      listeners.clear()
      current = null
      state = { ...state, reason: '' }
      await Promise.all(options.transports.map((transport) => transport.stop()))
    }
  }
}
