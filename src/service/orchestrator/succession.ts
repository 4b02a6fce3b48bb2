// Who comes next in the relay of one answer: one who was not asked yet, the same one again after a pause, the built-in knowledge, or
// at last whoever may be well again.
import { setTimeout as pause } from 'node:timers/promises'
import { CopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { Random } from '../../shared/kit/clock.ts'
import type { Fate } from './failurePolicy.ts'
import type { Member, Seat } from './fleet.ts'
import type { RelayTiming } from './relayTiming.ts'

/** What is being looked for. */
export interface SeatWish {
  /** Models that may be asked; the rest were tried, or would fail the same way. */
  readonly allows: (member: Member) => boolean
  readonly kind: 'model' | 'local'
  readonly urgent: boolean
}

/** Finds places for one answer: routing, breakers and the queue are behind it. */
export interface Seating {
  /** At once, or not. */
  take(wish: SeatWish): Seat | 'busy' | null
  /** Waits in the queue while all who could answer are busy; null: nobody is left. */
  wait(wish: SeatWish): Promise<Seat | null>
  /** Whether there is anybody at all, busy and ill ones counted. */
  mayFind(wish: SeatWish): boolean
  /** This one is not to be had: the budget can't pay it, or its window is too small. */
  rule(out: Member): void
}

export interface Failure {
  readonly member: Member
  readonly error: unknown
  readonly fate: Fate
}

/** How the answer stands. */
export interface Standing {
  readonly said: string
  /** Unix ms since which nobody has said anything although somebody should have; null: all is well. */
  readonly brokenSince: number | null
}

export interface Succession {
  /** Null: nobody is left. */
  next(standing: Standing): Promise<Seat | null>
  /** Not asked before, and not likely to fail the same way. */
  allows(member: Member): boolean
  /** That, or what it was stopped for or failed with last may be over by now. */
  mayCome(member: Member): boolean
  /** It is asked, once more. */
  count(member: Member): void
  /** It was asked and is stopped, because another one spoke: nothing is known against it. */
  overtake(member: Member): void
}

export interface SuccessionOptions {
  readonly seating: Seating
  /** Of the answer so far, in their order; the relay adds to them. */
  readonly failures: readonly Failure[]
  readonly timing: RelayTiming
  readonly signal: AbortSignal
  readonly now: () => number
  readonly random: Random
}

export function createSuccession({ seating, failures, timing, signal, now, random }: SuccessionOptions): Succession {
  const attempts = new Map<Member['provider'], number>()
  const overtaken = new Set<Member['provider']>()

  const allows = ({ provider, profile }: Member): boolean => {
    if (attempts.has(provider)) return false
    const tooLarge = failures.filter(({ fate }) => fate === 'larger')
    return tooLarge.every(({ member }) => profile.contextWindow > member.profile.contextWindow)
  }

  /**
   * Ms until a model that failed in a way that passes may be tried again; null: not that one, or not in time. Before the first
   * text that is a second attempt; after it, it goes on where the answer stands.
   */
  const pauseBefore = ({ member, fate, error }: Failure, brokenSince: number | null): number | null => {
    const made = attempts.get(member.provider) ?? 0
    if (fate !== 'again' || made >= timing.attemptsPerModel || brokenSince === null) return null
    const retryAfterMs = error instanceof CopilotError ? error.retryAfterMs : undefined
    const wait = backoffMs(made, random, { baseMs: timing.retryBaseMs, capMs: timing.retryCapMs, retryAfterMs })
    return now() + wait - brokenSince > timing.retryBudgetMs ? null : wait
  }

  const mayCome = (member: Member): boolean =>
    allows(member) ||
    ((isPassing(member, failures) || overtaken.has(member.provider)) && (attempts.get(member.provider) ?? 0) <= timing.attemptsPerModel)

  const again = async (brokenSince: number | null): Promise<Seat | null> => {
    for (const failure of failures.toReversed()) {
      const wait = pauseBefore(failure, brokenSince)
      if (wait === null) continue
      await pause(wait, undefined, { signal })
      const seat = seating.take({ kind: 'model', urgent: true, allows: (one) => one.provider === failure.member.provider })
      if (seat !== null && seat !== 'busy') return seat
    }
    return null
  }

  const next = async (standing: Standing): Promise<Seat | null> => {
    const wish = { kind: 'model', urgent: failures.length > 0, allows } as const
    const seat = seating.take(wish)
    const model = seat === 'busy' ? await seating.wait(wish) : seat
    if (model !== null) return model
    const retried = await again(standing.brokenSince)
    if (retried !== null) return retried
    const local = standing.said === '' ? seating.take({ kind: 'local', urgent: true, allows }) : null
    return local === 'busy' ? null : (local ?? (await lastResort(standing)))
  }

  /** Half an answer is worth a wait: for anybody who may still be asked to be well again. */
  const lastResort = async ({ said, brokenSince }: Standing): Promise<Seat | null> => {
    const until = (brokenSince ?? now()) + timing.lastResortMs
    if (said === '') return null
    while (now() < until) {
      const wish = { kind: 'model', urgent: true, allows: mayCome } as const
      if (!seating.mayFind(wish)) return null
      await pause(timing.lookAgainMs, undefined, { signal })
      const seat = seating.take(wish)
      if (seat !== null && seat !== 'busy') return seat
    }
    return null
  }

  return {
    next,
    allows,
    mayCome,
    count: ({ provider }) => void attempts.set(provider, (attempts.get(provider) ?? 0) + 1),
    overtake: ({ provider }) => void overtaken.add(provider)
  }
}

/** Whatever this one failed with last may be over by now. */
function isPassing(member: Member, failures: readonly Failure[]): boolean {
  return failures.findLast((failure) => failure.member.provider === member.provider)?.fate === 'again'
}
