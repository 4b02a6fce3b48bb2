// The providers as the orchestrator keeps them: each with its breaker and health by model, and its places, of which each
// call takes one.
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../shared/kit/clock.ts'
import type { Provider, ProviderProfile } from '../providers/provider.ts'
import { createBreaker, type Breaker, type BreakerPermit, type BreakerRules } from './breaker.ts'
import { createHealthRecord, type HealthRecord } from './health.ts'
import type { OnSignal } from './signals.ts'

export interface Member {
  readonly provider: Provider
  readonly profile: ProviderProfile
  readonly modelName: string
  readonly breaker: Breaker
  readonly record: HealthRecord
  readonly inFlight: number
  readonly places: number
  /** Ready when it was last asked. */
  readonly ready: boolean
}

/** A place at a provider, with its breaker's leave to call. `free` gives the place back, once. */
export interface Seat {
  readonly member: Member
  readonly permit: BreakerPermit
  free(): void
}

export interface Fleet {
  /** Asks everybody whether they are ready. Whoever looks while somebody does, looks with them. */
  look(): Promise<void>
  /** As they were when last asked. */
  members(): readonly Member[]
  /** `busy`: all its places are taken; `shut`: its breaker says no. `urgent`: may use the places kept for those who lost theirs. */
  take(member: Member, urgent: boolean): Seat | 'busy' | 'shut'
  /** Looks after nobody any more. */
  stop(): void
}

export interface FleetOptions {
  readonly providers: readonly Provider[]
  /** Answers at once of one provider. Beyond them as many again are kept for answers that lost their provider. */
  readonly placesOf: (provider: Provider) => number
  readonly breakerRules: BreakerRules
  readonly clock: Clock
  readonly onSignal: OnSignal
  /** How often a provider whose breaker is open is asked beside all calls whether it is well, ms. */
  readonly probeEveryMs: number
  /** A place has become free, or a breaker has changed. */
  readonly onFree: () => void
}

interface Standing {
  readonly breaker: Breaker
  readonly record: HealthRecord
}

export function createFleet({ providers, placesOf, breakerRules, clock, onSignal, probeEveryMs, onFree }: FleetOptions): Fleet {
  const standings = new Map<string, Standing>()
  const inFlight = new Map<Provider, number>()
  const ready = new Map<Provider, boolean>()

  const stopped = new AbortController()

  /** Until its breaker is no longer open. Costs no tokens, and no question. */
  const lookAfter = async (provider: Provider, breaker: Breaker): Promise<void> => {
    const { signal } = stopped
    while (breaker.phase === 'open') {
      await pause(probeEveryMs, undefined, { signal, ref: false })
      try {
        await provider.probe(AbortSignal.any([signal, AbortSignal.timeout(probeEveryMs)]))
        breaker.hearWell()
      } catch (error) {
        // Still ill, which is what was asked.
        if (!(error instanceof Error)) throw error
      }
    }
    onFree()
  }

  const standingOf = (provider: Provider, model: string): Standing => {
    const key = `${provider.id}/${model}`
    const known = standings.get(key)
    if (known !== undefined) return known
    const breaker: Breaker = createBreaker(breakerRules, clock, (phase) => {
      onSignal({ type: 'breaker', provider: provider.id, model, phase })
      // Not within the call that brought it about: that one still holds its place.
      queueMicrotask(onFree)
      if (phase === 'open') lookAfter(provider, breaker).catch((error: unknown) => rethrowUnlessStopped(error, stopped.signal))
    })
    const made = { breaker, record: createHealthRecord(clock) }
    standings.set(key, made)
    return made
  }

  let looking: Promise<void> | null = null
  const lookAtAll = async (): Promise<void> => {
    try {
      await Promise.all(providers.map(async (provider) => ready.set(provider, await provider.ready(stopped.signal))))
    } finally {
      looking = null
    }
  }

  const known = new Map<Provider, Member>()

  const memberOf = (provider: Provider): Member => {
    const profile = provider.profile()
    const last = known.get(provider)
    if (last?.profile === profile) return last
    const modelName = profile.model ?? provider.id
    const member: Member = {
      provider,
      profile,
      modelName,
      ...standingOf(provider, modelName),
      get inFlight() {
        return inFlight.get(provider) ?? 0
      },
      places: provider.kind === 'local' ? Number.MAX_SAFE_INTEGER : placesOf(provider),
      get ready() {
        return ready.get(provider) ?? true
      }
    }
    known.set(provider, member)
    return member
  }

  return {
    look: () => (looking ??= lookAtAll()),
    members: () => providers.map(memberOf),
    take(member, urgent) {
      const { provider, places, breaker } = member
      if (member.inFlight >= (urgent ? places * 2 : places)) return 'busy'
      const permit = breaker.enter()
      if (permit === null) return 'shut'
      inFlight.set(provider, member.inFlight + 1)
      let isFree = false
      return {
        member,
        permit,
        free() {
          if (isFree) return
          isFree = true
          inFlight.set(provider, member.inFlight - 1)
          onFree()
        }
      }
    },
    stop: () => stopped.abort()
  }
}

function rethrowUnlessStopped(error: unknown, stopped: AbortSignal): void {
  if (!stopped.aborted) throw error
}
