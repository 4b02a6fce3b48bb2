// Finds places for one answer: asks the router who suits, the breakers who may be asked, and the queue when all who could
// answer are busy.
import { CopilotError } from '../../shared/errors.ts'
import type { Random } from '../../shared/kit/clock.ts'
import type { FairQueue } from './fairQueue.ts'
import type { Fleet, Member, Seat } from './fleet.ts'
import { route, type RouteCandidate, type RouteNeed, type RouteWeights } from './routing.ts'
import type { Seating, SeatWish } from './succession.ts'

export interface SeatingOptions {
  readonly fleet: Fleet
  readonly queue: FairQueue
  readonly need: RouteNeed
  readonly weights: RouteWeights
  readonly priceOf: (member: Member) => number | null
  readonly random: Random
  readonly organisation: string
  readonly userId: string
  readonly signal: AbortSignal
  readonly onQueued: (retryAt: number) => void
  readonly onSeated: (waitedMs: number) => void
  readonly now: () => number
}

export function createSeating(options: SeatingOptions): Seating {
  const { fleet, queue, need, weights, priceOf, random, signal, now } = options
  const ruledOut = new Set<Member['provider']>()

  const wanted = ({ allows, kind }: SeatWish): readonly Member[] =>
    fleet.members().filter((member) => !ruledOut.has(member.provider) && allows(member) && isWanted(member, kind))

  const candidateOf = (member: Member): RouteCandidate => {
    const { provider, profile, ready, inFlight, places } = member
    const breaker = member.breaker.phase
    return {
      id: provider.id,
      kind: provider.kind,
      facts: profile,
      ready,
      breaker,
      health: member.record.health,
      // The price of a prompt takes counting it; of those who are out anyway nobody asks for one.
      priceMicros: ready && breaker !== 'open' ? priceOf(member) : null,
      load: inFlight / places
    }
  }

  const take = (wish: SeatWish): Seat | 'busy' | null => {
    const members = wanted(wish)
    const { ranked } = route(members.map(candidateOf), need, weights, random)
    let isBusy = false
    for (const { id } of ranked) {
      const member = members.find(({ provider }) => provider.id === id)
      const seat = member === undefined ? 'shut' : fleet.take(member, wish.urgent)
      if (seat === 'busy') isBusy = true
      else if (seat !== 'shut') return seat
    }
    return isBusy ? 'busy' : null
  }

  /** A computed answer is given as it is, before any model. */
  const isWanted = ({ provider }: Member, kind: SeatWish['kind']): boolean =>
    provider.kind === kind || (kind === 'model' && provider.kind === 'local' && need.prefersLocal)

  return {
    take,
    async wait(wish) {
      const since = now()
      const { organisation, userId, onQueued } = options
      const { seat } = await queue.enter({
        organisation,
        userId,
        signal,
        take: () => {
          const found = take(wish)
          return found === 'busy' ? null : { seat: found }
        },
        onQueued
      })
      options.onSeated(now() - since)
      if (seat !== null && signal.aborted) {
        seat.permit.leave()
        seat.free()
        throw new CopilotError('cancelled', 'The caller has gone.')
      }
      return seat
    },
    mayFind: (wish) => wanted(wish).length > 0,
    rule: ({ provider }) => void ruledOut.add(provider)
  }
}
