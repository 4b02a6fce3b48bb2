// The relay of one answer: who runs, who takes over when one falls or stands still, and what of it a person reads. At most
// a few lanes run at once; the first one with something new to say leads, and the others are stopped.
import { setTimeout as pause } from 'node:timers/promises'
import { CopilotError } from '../../shared/errors.ts'
import { backoffMs } from '../../shared/kit/backoff.ts'
import type { NewId, Random } from '../../shared/kit/clock.ts'
import type { FinishReason } from '../../shared/turn.ts'
import type { AttemptOutcome } from '../cost/ledger.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import type { Accountant, Settled, Used } from './accountant.ts'
import { continuationOf, type Continuation } from './continuation.ts'
import { fateOf, isProvidersFault, type Fate } from './failurePolicy.ts'
import type { Member, Seat } from './fleet.ts'
import { startLane, type Lane, type LaneEvent } from './lane.ts'
import { createMailbox } from './mailbox.ts'
import { answeredNothing, brokenOff, failoverText, nobodyLeft, standsStill } from './relayText.ts'
import { createSeam } from './seam.ts'
import type { OnSignal } from './signals.ts'

export interface RelayTiming {
  /** A model that has said nothing new for this long gets company, ms. It is not stopped: whoever speaks first goes on. */
  readonly patienceMs: number
  /** How often company is looked for while there is none, ms. */
  readonly lookAgainMs: number
  /** From the first failure: how long the same model may still be tried again before another kind of answer is given, ms. */
  readonly retryBudgetMs: number
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** How long half an answer waits for anybody to go on, ms. */
  readonly lastResortMs: number
  /** Attempts at the same model. */
  readonly attemptsPerModel: number
}

export const relayTiming: RelayTiming = {
  patienceMs: 1_200,
  lookAgainMs: 250,
  lastResortMs: 10_000,
  retryBudgetMs: 1_200,
  retryBaseMs: 200,
  retryCapMs: 600,
  attemptsPerModel: 2
}

/** Lanes at once; beyond, waiting costs less than asking more. */
const MOST_LANES = 3

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

export interface RelayOptions {
  readonly request: ProviderRequest
  readonly signal: AbortSignal
  readonly emit: (
    event: { readonly type: 'delta'; readonly text: string } | { readonly type: 'notice'; readonly kind: 'failover' | 'local'; readonly text: string }
  ) => void
  readonly seating: Seating
  readonly accountant: Accountant
  /** Shortens a prompt to a model's window, leaving room for what was said already. Throws `context_too_large`. */
  readonly fit: (request: ProviderRequest, member: Member, said: string) => ProviderRequest
  /** The caps of the budget, checked with each reservation. */
  readonly reserve: (attemptId: string, member: Member, prompt: ProviderRequest['prompt']) => Promise<boolean>
  /** What is to become durable together with the cost of a complete answer. */
  readonly alongside: (relayed: Relayed) => Promise<void> | undefined
  readonly timing: RelayTiming
  readonly now: () => number
  readonly newId: NewId
  readonly random: Random
  readonly onSignal: OnSignal
}

export interface Relayed {
  readonly finish: FinishReason
  readonly by: Member
  readonly text: string
  /** Of all attempts together. */
  readonly used: Used
  /** Unix ms; null: there was no text. */
  readonly firstTextAt: number | null
  readonly failovers: number
}

interface Failure {
  readonly member: Member
  readonly error: unknown
  readonly fate: Fate
}

type RelayEvent = LaneEvent | { readonly type: 'quiet'; readonly since: number } | { readonly type: 'aborted' }

/** Throws `CopilotError` when nobody could answer, or nobody could go on; what was emitted stays. */
export async function relay(options: RelayOptions): Promise<Relayed> {
  const { request, signal, emit, seating, accountant, timing, now, newId, random, onSignal } = options
  const mailbox = createMailbox<RelayEvent>()
  const lanes = new Set<Lane>()
  const failures: Failure[] = []
  const attempts = new Map<Member['provider'], number>()
  /** Of every attempt that is over: resolves once its cost has been given to the ledger. */
  const handed: Promise<Settled>[] = []
  let leader: Lane | null = null
  let said = ''
  let firstTextAt: number | null = null
  /** Unix ms since which nobody has said anything although somebody should have; null: all is well. */
  let brokenSince: number | null = null
  /** Who was heard last, for the words about a switch. */
  let fallen: Member[] = []
  let failovers = 0
  let quietTimer: NodeJS.Timeout | undefined
  let quietSince = now()

  const watch = (): void => {
    clearTimeout(quietTimer)
    quietSince = now()
    quietTimer = setTimeout(() => mailbox.post({ type: 'quiet', since: quietSince }), timing.patienceMs)
  }

  /** `error` is what the provider did wrong, if anything: standing still counts like falling. */
  const close = (lane: Lane, outcome: AttemptOutcome, error?: unknown): void => {
    if (!lanes.delete(lane)) return
    lane.stop()
    const { permit, member } = lane.seat
    if (outcome === 'answered') {
      permit.succeed()
      member.record.sample(true, lane.firstTextMs)
    } else if (isProvidersFault(error)) {
      // One that was only overtaken loses rank, but opens no breaker: on a busy machine the slow one may be this process, and
      // breakers that all open at once would leave nobody.
      if (outcome !== 'superseded')
        (lane.heard === '' ? permit : member.breaker.enter())?.fail(error instanceof CopilotError ? error.retryAfterMs : undefined)
      permit.leave()
      member.record.sample(false, lane.firstTextMs)
    } else permit.leave()
    lane.seat.free()
    const handing = lane.ended.then(() => {
      const { used, recorded } = accountant.settle(lane, outcome, error)
      const noted = recorded.then(() => {
        const { firstTextMs } = lane
        onSignal({ type: 'attempt', provider: member.provider.id, model: member.modelName, outcome, firstTextMs, ...used })
      })
      noted.catch(() => undefined)
      return { used, recorded: noted }
    })
    // Both are awaited at the end; until then their failure is not unhandled.
    handing.catch(() => undefined)
    handed.push(handing)
  }

  /** False: it was not sent, for the budget or because it is no longer needed. */
  const send = async (seat: Seat): Promise<boolean> => {
    const { member } = seat
    const at = said.length
    const startedAt = now()
    const attemptId = newId()
    let asked: Continuation
    let isPaid: boolean
    try {
      const fitted = member.provider.kind === 'local' ? request : options.fit(request, member, said)
      asked = continuationOf(fitted, said, member.profile)
      isPaid = await options.reserve(attemptId, member, asked.request.prompt)
    } catch (error) {
      seat.permit.leave()
      seat.free()
      if (fateOf(error) !== 'larger') throw error
      failures.push({ member, error, fate: 'larger' })
      seating.rule(member)
      return false
    }
    if (!isPaid || signal.aborted || said.length !== at) {
      seat.permit.leave()
      seat.free()
      if (isPaid && member.provider.kind === 'model') await accountant.release(attemptId)
      else if (!isPaid) seating.rule(member)
      return false
    }
    attempts.set(member.provider, (attempts.get(member.provider) ?? 0) + 1)
    const { inputTokens } = accountant.predict(member, asked.request.prompt)
    const seam = createSeam(said, asked)
    lanes.add(startLane({ attemptId, seat, seam, startedAt, inputTokens, request: asked.request, signal, now, onEvent: mailbox.post }))
    watch()
    return true
  }

  const allows = ({ provider, profile }: Member): boolean => {
    if (attempts.has(provider)) return false
    const tooLarge = failures.filter(({ fate }) => fate === 'larger')
    return tooLarge.every(({ member }) => profile.contextWindow > member.profile.contextWindow)
  }

  /**
   * Ms until a model that failed in a way that passes may be tried again; null: not that one, or not in time. Before the first
   * text that is a second attempt; after it, it goes on where the answer stands.
   */
  const pauseBefore = ({ member, fate, error }: Failure): number | null => {
    const made = attempts.get(member.provider) ?? 0
    if (fate !== 'again' || made >= timing.attemptsPerModel || brokenSince === null) return null
    const retryAfterMs = error instanceof CopilotError ? error.retryAfterMs : undefined
    const wait = backoffMs(made, random, { baseMs: timing.retryBaseMs, capMs: timing.retryCapMs, retryAfterMs })
    return now() + wait - brokenSince > timing.retryBudgetMs ? null : wait
  }

  const again = async (): Promise<Seat | null> => {
    for (const failure of failures.toReversed()) {
      const wait = pauseBefore(failure)
      if (wait === null) continue
      await pause(wait, undefined, { signal })
      const seat = seating.take({ kind: 'model', urgent: true, allows: (one) => one.provider === failure.member.provider })
      if (seat !== null && seat !== 'busy') return seat
    }
    return null
  }

  const nextSeat = async (): Promise<Seat | null> => {
    const wish = { kind: 'model', urgent: failures.length > 0, allows } as const
    const seat = seating.take(wish)
    const model = seat === 'busy' ? await seating.wait(wish) : seat
    if (model !== null) return model
    const retried = await again()
    if (retried !== null) return retried
    const local = said === '' ? seating.take({ kind: 'local', urgent: true, allows }) : null
    return local === 'busy' ? null : (local ?? (await lastResort()))
  }

  /** Half an answer is worth a wait: for anybody who may still be asked to be well again. */
  const lastResort = async (): Promise<Seat | null> => {
    const mayCome = (member: Member): boolean =>
      allows(member) || (isPassing(member, failures) && (attempts.get(member.provider) ?? 0) <= timing.attemptsPerModel)
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

  /** Somebody runs, or it throws. */
  const goOn = async (): Promise<void> => {
    const last = failures.at(-1)
    if (last?.fate === 'final') throw nobodyLeft(failures, said)
    for (;;) {
      const seat = await nextSeat()
      if (seat === null) throw nobodyLeft(failures, said)
      if (await send(seat)) return
      signal.throwIfAborted()
    }
  }

  const lead = (lane: Lane): void => {
    if (leader === lane) return
    const { member } = lane.seat
    const left = [...fallen]
    let isYounger = false
    // In the order in which they started: those before the winner were quiet for too long, those after it came too late.
    for (const other of lanes) {
      if (other === lane) isYounger = true
      else {
        if (!isYounger) left.push(other.seat.member)
        close(other, 'superseded', isYounger ? undefined : standsStill(other.seat.member))
      }
    }
    leader = lane
    const text = failoverText(member.provider, { left, failures, midAnswer: said !== '' })
    if (text !== null) emit({ type: 'notice', kind: left.length > 0 ? 'failover' : 'local', text })
    const from = left.at(-1)
    if (from !== undefined) {
      failovers += 1
      onSignal({ type: 'failover', from: from.provider.id, to: member.provider.id, midAnswer: said !== '', switchMs: now() - (brokenSince ?? now()) })
    }
    fallen = []
  }

  const say = (lane: Lane, text: string): void => {
    if (text === '') return
    lead(lane)
    firstTextAt ??= now()
    brokenSince = null
    said += text
    emit({ type: 'delta', text })
    if (lanes.size > 1) for (const other of lanes) if (other !== lane) close(other, 'superseded')
    watch()
  }

  const fail = async (lane: Lane, thrown: unknown): Promise<void> => {
    if (signal.aborted) throw cancelled(signal)
    const { member } = lane.seat
    const error = thrown ?? brokenOff(member)
    close(lane, 'failed', error)
    failures.push({ member, error, fate: fateOf(error) })
    fallen.push(member)
    brokenSince ??= now()
    if (leader === lane) leader = null
    if (lanes.size === 0) await goOn()
  }

  /** Company for one that is quiet; while there is none to be had, it is looked for again. */
  const hedge = async (since: number): Promise<void> => {
    if (since !== quietSince || lanes.size === 0 || lanes.size >= MOST_LANES) return
    brokenSince ??= since
    const seat = seating.take({ kind: 'model', urgent: true, allows })
    if (seat !== null && seat !== 'busy' && (await send(seat))) return
    if (lanes.size === 1) quietTimer = setTimeout(() => mailbox.post({ type: 'quiet', since }), timing.lookAgainMs)
  }

  const run = async (): Promise<{ finish: FinishReason; by: Member }> => {
    await goOn()
    for (;;) {
      const event = await mailbox.next()
      if (event.type === 'aborted') throw cancelled(signal)
      if (event.type === 'quiet') await hedge(event.since)
      else if (!lanes.has(event.lane)) continue
      else if (event.type === 'text') {
        // The breaker hears of a call that works as soon as of one that fails: answers take long, and until they end failures
        // would be all it knows. A cut later on is counted as another call.
        event.lane.seat.permit.succeed()
        say(event.lane, event.lane.seam.next(event.text))
      } else if (event.type === 'failed') await fail(event.lane, event.error)
      else {
        const { lane, reason } = event
        say(lane, lane.seam.end())
        // Nothing at all is no answer; nothing more, after a cut just before the end, is one.
        if (said === '' && reason === 'stop') await fail(lane, answeredNothing(lane.seat.member))
        else {
          lead(lane)
          close(lane, 'answered')
          return { finish: reason, by: lane.seat.member }
        }
      }
    }
  }

  const onAbort = (): void => mailbox.post({ type: 'aborted' })
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    const { finish, by } = await run()
    const all = await Promise.all(handed)
    const relayed = { finish, by, text: said, used: sum(all.map(({ used }) => used)), firstTextAt, failovers }
    // In the tick in which the ledger was given the last cost, and after it.
    await Promise.all([options.alongside(relayed), ...all.map(({ recorded }) => recorded)])
    return relayed
  } finally {
    clearTimeout(quietTimer)
    signal.removeEventListener('abort', onAbort)
    for (const lane of lanes) close(lane, 'cancelled')
    // What was spent is on record before anybody hears of the end.
    await Promise.all((await Promise.all(handed)).map(({ recorded }) => recorded))
  }
}

/** Whatever this one failed with last may be over by now. */
function isPassing(member: Member, failures: readonly Failure[]): boolean {
  return failures.findLast((failure) => failure.member.provider === member.provider)?.fate === 'again'
}

function cancelled(signal: AbortSignal): unknown {
  return signal.reason instanceof CopilotError ? signal.reason : new CopilotError('cancelled', 'Stopped.')
}

function sum(all: readonly Used[]): Used {
  const total = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, costMicros: 0 }
  for (const one of all) {
    total.inputTokens += one.inputTokens
    total.outputTokens += one.outputTokens
    total.cachedTokens += one.cachedTokens
    total.costMicros += one.costMicros
  }
  return total
}
