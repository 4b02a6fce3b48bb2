// Who is asked, in which order, and why: by what a model can take, what it is worth, what it costs and how it has done
// lately. Pure; chance comes in only where candidates are equal.
import type { Random } from '../../shared/kit/clock.ts'
import type { Modality, ModelFacts } from '../providers/models.ts'
import type { BreakerPhase } from './breaker.ts'
import type { Health } from './health.ts'

export interface RouteCandidate {
  readonly id: string
  readonly kind: 'model' | 'local'
  readonly facts: Pick<ModelFacts, 'contextWindow' | 'maxOutputTokens' | 'quality' | 'modalities'>
  readonly ready: boolean
  readonly breaker: BreakerPhase
  readonly health: Health
  /** Of the request in question, micro-USD; null: nobody knows. */
  readonly priceMicros: number | null
  /** Share of its places that are taken, 0 to 1 and more. */
  readonly load: number
}

export interface RouteNeed {
  /** Tokens that can't be left out of the prompt. */
  readonly leastInputTokens: number
  /** Tokens that the answer should have room for. */
  readonly outputTokens: number
  readonly modalities: readonly Modality[]
  /** What may still be spent, micro-USD; null: no bound. */
  readonly remainingMicros: number | null
  /** The budget runs out: the cheapest that can do it. */
  readonly thrifty: boolean
  /** What was gathered is the answer (a computed cost): it is not handed to a model to be told again. */
  readonly prefersLocal: boolean
}

/** How much each counts; only their ratios matter. */
export interface RouteWeights {
  readonly quality: number
  readonly price: number
  readonly latency: number
  readonly errors: number
}

export const routeWeights: RouteWeights = { quality: 3, price: 2, latency: 2, errors: 4 }

export type Exclusion = 'not ready' | 'breaker open' | 'window too small' | 'can’t be shown this' | 'over budget'

export interface Ranked {
  readonly id: string
  /** 0 to 1. */
  readonly score: number
  /** Each factor from 0 (bad) to 1 (good), before its weight. */
  readonly factors: Readonly<Record<keyof RouteWeights, number>>
  /** Chosen before its equals because it has less to do. */
  readonly balanced: boolean
}

export interface Route {
  /** Best first. */
  readonly ranked: readonly Ranked[]
  readonly excluded: readonly { readonly id: string; readonly reason: Exclusion }[]
}

/** At this price an answer counts half as good as a free one; likewise at this time to first text. */
const HALF_PRICE_MICROS = 10_000
const HALF_LATENCY_MS = 1_000
/** A price or a time that nobody knows counts as middling. */
const UNKNOWN = 0.5
/** Scores closer than this are equal. */
const EQUAL = 0.02
/** With a budget that runs out the price outweighs everything else together. */
const THRIFTY = 20

export function route(candidates: readonly RouteCandidate[], need: RouteNeed, weights: RouteWeights, random: Random): Route {
  const excluded: { id: string; reason: Exclusion }[] = []
  const able: RouteCandidate[] = []
  for (const candidate of candidates) {
    const reason = exclusionOf(candidate, need)
    if (reason === null) able.push(candidate)
    else excluded.push({ id: candidate.id, reason })
  }
  const used = effective(weights, need)
  const total = used.quality + used.price + used.latency + used.errors
  const scored = able.map((candidate) => {
    const factors = factorsOf(candidate)
    const { quality, price, latency, errors } = factors
    const sum = quality * used.quality + price * used.price + latency * used.latency + errors * used.errors
    return { candidate, factors, score: total === 0 ? 0 : sum / total }
  })
  // Local knowledge stands in where no model answers, unless it is the better answer.
  const rank = ({ candidate }: (typeof scored)[number]): number => ((candidate.kind === 'local') === need.prefersLocal ? 0 : 1)
  scored.sort((a, b) => rank(a) - rank(b) || b.score - a.score || a.candidate.load - b.candidate.load || compare(a.candidate.id, b.candidate.id))
  const chosen = balance(scored, rank, random)
  return { ranked: chosen, excluded }
}

type Scored = { readonly candidate: RouteCandidate; readonly factors: Ranked['factors']; readonly score: number }

/** Power of two choices among the equals at the top: two drawn, the one with less to do goes first. */
function balance(scored: readonly Scored[], rank: (one: Scored) => number, random: Random): Ranked[] {
  const best = scored[0]
  const plain = scored.map(({ candidate, score, factors }) => ({ id: candidate.id, score, factors, balanced: false }))
  if (best === undefined) return plain
  const equals = scored.filter((one) => rank(one) === rank(best) && best.score - one.score <= EQUAL)
  if (equals.length < 2) return plain
  const first = Math.floor(random() * equals.length)
  const second = (first + 1 + Math.floor(random() * (equals.length - 1))) % equals.length
  const [a, b] = [equals[first], equals[second]]
  if (a === undefined || b === undefined) return plain
  const winner = a.candidate.load <= b.candidate.load ? a : b
  const front = { id: winner.candidate.id, score: winner.score, factors: winner.factors, balanced: true }
  return [front, ...plain.filter(({ id }) => id !== front.id)]
}

function exclusionOf(candidate: RouteCandidate, need: RouteNeed): Exclusion | null {
  if (!candidate.ready) return 'not ready'
  if (candidate.breaker === 'open') return 'breaker open'
  if (candidate.kind === 'local') return null
  if (need.modalities.some((modality) => !candidate.facts.modalities.includes(modality))) return 'can’t be shown this'
  if (candidate.facts.contextWindow < need.leastInputTokens + Math.min(need.outputTokens, candidate.facts.maxOutputTokens)) return 'window too small'
  if (need.remainingMicros !== null && (candidate.priceMicros ?? 0) > need.remainingMicros) return 'over budget'
  return null
}

function factorsOf({ facts, priceMicros, health }: RouteCandidate): Ranked['factors'] {
  return {
    quality: facts.quality / 3,
    price: priceMicros === null ? UNKNOWN : HALF_PRICE_MICROS / (HALF_PRICE_MICROS + priceMicros),
    latency: health.firstTextMs === null ? UNKNOWN : HALF_LATENCY_MS / (HALF_LATENCY_MS + health.firstTextMs),
    errors: 1 - health.errorRate
  }
}

function effective(weights: RouteWeights, need: RouteNeed): RouteWeights {
  if (!need.thrifty) return weights
  return { ...weights, price: THRIFTY * Math.max(1, weights.quality + weights.latency + weights.errors) }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
