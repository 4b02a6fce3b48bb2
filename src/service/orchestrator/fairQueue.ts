// Where questions wait when everybody who could answer is busy: bounded in length and time, and fair. Organisations take
// turns, within one its people do, and each person's questions stay in order.
import { CopilotError } from '../../shared/errors.ts'
import type { Clock } from '../../shared/kit/clock.ts'

export interface FairQueueOptions {
  readonly longest: number
  readonly longestWaitMs: number
  readonly clock: Clock
}

export interface Waiting<T> {
  readonly organisation: string
  readonly userId: string
  readonly signal: AbortSignal
  /** Takes a place, or null when there is none for this one. Called again whenever a place has become free. */
  take(): T | null
  /** Called once, when it has to wait; Unix ms at which a place is to be expected. */
  onQueued(retryAt: number): void
}

export interface FairQueue {
  readonly depth: number
  /**
   * Resolves with a place. Throws `unavailable` with `retryAfterMs` when the queue is full or it waited too long, and
   * `cancelled` when the caller has gone.
   */
  enter<T>(waiting: Waiting<T>): Promise<T>
  /** A place has become free. */
  wake(): void
}

interface Entry {
  /** True when it has found its place. */
  tryNow(): boolean
}

/** How many that can't use the free place are passed over for one that can. */
const LOOK_AHEAD = 16
/** Guess of the time between two free places before any was seen, ms. */
const FIRST_GUESS_MS = 200
const GUESS_WEIGHT = 0.1

export function createFairQueue({ longest, longestWaitMs, clock }: FairQueueOptions): FairQueue {
  /** In the order of their turns: a map keeps insertion order, and who was served goes to its end. */
  const organisations = new Map<string, Map<string, Entry[]>>()
  let depth = 0
  let betweenMs = FIRST_GUESS_MS
  let freedAt: number | null = null

  const add = (organisation: string, userId: string, entry: Entry): void => {
    const people = organisations.get(organisation) ?? new Map<string, Entry[]>()
    organisations.set(organisation, people)
    const entries = people.get(userId) ?? []
    people.set(userId, entries)
    entries.push(entry)
    depth += 1
  }

  const remove = (organisation: string, userId: string, entry: Entry): void => {
    const people = organisations.get(organisation)
    const entries = people?.get(userId)
    const index = entries?.indexOf(entry) ?? -1
    if (people === undefined || entries === undefined || index < 0) return
    entries.splice(index, 1)
    depth -= 1
    if (entries.length === 0) people.delete(userId)
    if (people.size === 0) organisations.delete(organisation)
  }

  /** Whoever was served stands behind all others of its kind. */
  const rotate = (organisation: string, userId: string): void => {
    const people = organisations.get(organisation)
    if (people === undefined) return
    const entries = people.get(userId)
    if (entries !== undefined) {
      people.delete(userId)
      people.set(userId, entries)
    }
    organisations.delete(organisation)
    organisations.set(organisation, people)
  }

  /** One more found its place. */
  const serveOne = (): boolean => {
    let looked = 0
    for (const [organisation, people] of organisations) {
      for (const [userId, [first]] of people) {
        if (first === undefined) continue
        if (first.tryNow()) {
          remove(organisation, userId, first)
          rotate(organisation, userId)
          return true
        }
        looked += 1
        if (looked >= LOOK_AHEAD) return false
      }
    }
    return false
  }

  const full = (): CopilotError =>
    new CopilotError('unavailable', 'Too many questions are waiting. This one is kept; it can be asked again in a moment.', {
      retryAfterMs: Math.max(1_000, Math.round(depth * betweenMs))
    })

  return {
    get depth() {
      return depth
    },
    async enter<T>({ organisation, userId, signal, take, onQueued }: Waiting<T>): Promise<T> {
      if (signal.aborted) throw gone()
      // Nobody overtakes those who wait.
      const place = depth === 0 ? take() : null
      if (place !== null) return place
      if (depth >= longest) throw full()
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      let gaveUp = false
      const giveUp = (error: CopilotError): void => {
        gaveUp = true
        reject(error)
      }
      const entry: Entry = {
        tryNow() {
          // A place taken for one that no longer waits would never be given back.
          if (gaveUp) return true
          const found = take()
          if (found === null) return false
          resolve(found)
          return true
        }
      }
      add(organisation, userId, entry)
      const timer = setTimeout(() => giveUp(full()), longestWaitMs)
      const onAbort = (): void => giveUp(gone())
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        onQueued(clock.now() + Math.round(depth * betweenMs))
        // Those before it may all wait for another place than this one needs.
        serveOne()
        return await promise
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        remove(organisation, userId, entry)
      }
    },
    wake() {
      const now = clock.now()
      if (freedAt !== null && depth > 0) betweenMs += GUESS_WEIGHT * (now - freedAt - betweenMs)
      freedAt = now
      while (serveOne());
    }
  }
}

function gone(): CopilotError {
  return new CopilotError('cancelled', 'The caller has gone.')
}
