// The relay of one answer: who runs, who takes over when one falls or stands still, and what of it a person reads. At most
// a few lanes run at once; the first one with something new to say leads, and the others are stopped.
import { CopilotError } from '../../shared/errors.ts'
import type { NewId, Random } from '../../shared/kit/clock.ts'
import type { FinishReason } from '../../shared/turn.ts'
import type { AttemptOutcome } from '../cost/ledger.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import type { Accountant, Settled, Used } from './accountant.ts'
import { continuationOf, type Continuation } from './continuation.ts'
import { fateOf, isProvidersFault } from './failurePolicy.ts'
import type { Member, Seat } from './fleet.ts'
import { startLane, type Lane, type LaneEvent } from './lane.ts'
import { createMailbox } from './mailbox.ts'
import type { RelayTiming } from './relayTiming.ts'
import { answeredNothing, brokenOff, failoverText, nobodyLeft, standsStill } from './relayText.ts'
import { createSeam } from './seam.ts'
import type { OnSignal } from './signals.ts'
import { createSuccession, type Failure, type Seating } from './succession.ts'

/** Lanes at once; beyond, waiting costs less than asking more. */
const MOST_LANES = 3

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

type RelayEvent = LaneEvent | { readonly type: 'quiet'; readonly since: number } | { readonly type: 'aborted' }

/** Throws `CopilotError` when nobody could answer, or nobody could go on; what was emitted stays. */
export async function relay(options: RelayOptions): Promise<Relayed> {
  const { request, signal, emit, seating, accountant, timing, now, newId, random, onSignal } = options
  const mailbox = createMailbox<RelayEvent>()
  const lanes = new Set<Lane>()
  const failures: Failure[] = []
  const succession = createSuccession({ seating, failures, timing, signal, now, random })
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
  let quietSince = now()
  let quietTimer: NodeJS.Timeout | null = null
  /** When somebody else is looked for, by `performance.now()`. */
  let quietUntil = 0

  const lookAfter = (ms: number): void => {
    quietUntil = performance.now() + ms
    quietTimer ??= setTimeout(look, ms)
  }
  /** Every piece of an answer moves the moment; the timer is only set anew when it went off too soon. */
  const look = (): void => {
    quietTimer = null
    const leftMs = quietUntil - performance.now()
    if (leftMs > 0) quietTimer = setTimeout(look, leftMs)
    else mailbox.post({ type: 'quiet', since: quietSince })
  }
  const watch = (): void => {
    quietSince = now()
    lookAfter(timing.patienceMs)
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
    if (outcome === 'superseded') succession.overtake(member)
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
    succession.count(member)
    const { inputTokens } = accountant.predict(member, asked.request.prompt)
    const seam = createSeam(said, asked)
    lanes.add(startLane({ attemptId, seat, seam, startedAt, inputTokens, request: asked.request, now, onEvent: mailbox.post }))
    watch()
    return true
  }

  /** Somebody runs, or it throws. */
  const goOn = async (): Promise<void> => {
    const last = failures.at(-1)
    if (last?.fate === 'final') throw nobodyLeft(failures, said)
    for (;;) {
      const seat = await succession.next({ said, brokenSince })
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
    const wish = { kind: 'model', urgent: true } as const
    const isIdle = (member: Member): boolean => [...lanes].every(({ seat }) => seat.member.provider !== member.provider)
    // Where all others were asked and failed: one that is quiet may be quiet for half a minute, and they may be well again.
    const seat =
      seating.take({ ...wish, allows: succession.allows }) ?? seating.take({ ...wish, allows: (one) => succession.mayCome(one) && isIdle(one) })
    if (seat !== null && seat !== 'busy' && (await send(seat))) return
    if (lanes.size === 1) lookAfter(timing.lookAgainMs)
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

  const onAbort = (): void => {
    // Now: whoever reads the mail may be waiting for something else.
    for (const lane of lanes) lane.hangUp(signal.reason)
    mailbox.post({ type: 'aborted' })
  }
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
    if (quietTimer !== null) clearTimeout(quietTimer)
    signal.removeEventListener('abort', onAbort)
    for (const lane of lanes) close(lane, 'cancelled')
    // What was spent is on record before anybody hears of the end.
    await Promise.all((await Promise.all(handed)).map(({ recorded }) => recorded))
  }
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
