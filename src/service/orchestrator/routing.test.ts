// Who is asked first, for any candidates; and that each answer of the router can be read.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BreakerPhase } from './breaker.ts'
import { route, routeWeights, type RouteCandidate, type RouteNeed } from './routing.ts'

const aCandidate = (part: Partial<RouteCandidate> = {}): RouteCandidate => ({
  id: 'a',
  kind: 'model',
  facts: { contextWindow: 100_000, maxOutputTokens: 4_000, quality: 2, modalities: ['text'] },
  ready: true,
  breaker: 'closed',
  health: { errorRate: 0, firstTextMs: 500 },
  priceMicros: 1_000,
  load: 0,
  ...part
})
const aNeed: RouteNeed = {
  leastInputTokens: 1_000,
  outputTokens: 500,
  modalities: ['text'],
  remainingMicros: null,
  thrifty: false,
  prefersLocal: false
}

const candidate = fc
  .record({
    kind: fc.constantFrom<RouteCandidate['kind']>('model', 'model', 'local'),
    ready: fc.boolean(),
    breaker: fc.constantFrom<BreakerPhase>('closed', 'closed', 'open', 'half-open'),
    quality: fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3),
    contextWindow: fc.integer({ min: 500, max: 200_000 }),
    errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
    firstTextMs: fc.option(fc.nat(20_000)),
    priceMicros: fc.option(fc.nat(100_000)),
    load: fc.double({ min: 0, max: 2, noNaN: true })
  })
  .map(({ quality, contextWindow, errorRate, firstTextMs, ...rest }) =>
    aCandidate({ ...rest, facts: { ...aCandidate().facts, quality, contextWindow }, health: { errorRate, firstTextMs } })
  )
const candidates = fc.array(candidate, { maxLength: 8 }).map((all) => all.map((one, index) => ({ ...one, id: `c${index}` })))
const need = fc
  .record({
    leastInputTokens: fc.nat(50_000),
    remainingMicros: fc.option(fc.nat(100_000)),
    thrifty: fc.boolean(),
    prefersLocal: fc.boolean()
  })
  .map((part) => ({ ...aNeed, ...part }))
const luck = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('route', () => {
  it('ranks or excludes everybody once, and is the same for the same luck', () => {
    fc.assert(
      fc.property(candidates, need, luck, (all, wanted, chance) => {
        const once = route(all, wanted, routeWeights, () => chance)
        expect(route(all, wanted, routeWeights, () => chance)).toEqual(once)
        expect([...once.ranked, ...once.excluded].map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort())
        for (const { score, factors } of once.ranked) {
          for (const value of [score, ...Object.values(factors)]) {
            expect(value).toBeGreaterThanOrEqual(0)
            expect(value).toBeLessThanOrEqual(1 + 1e-9)
          }
        }
      })
    )
  })

  it('never ranks one that can’t be asked, can’t take it, or can’t be paid', () => {
    fc.assert(
      fc.property(candidates, need, luck, (all, wanted, chance) => {
        for (const { id } of route(all, wanted, routeWeights, () => chance).ranked) {
          const found = all.find((one) => one.id === id)
          expect(found?.ready).toBe(true)
          expect(found?.breaker).not.toBe('open')
          if (found?.kind !== 'model') continue
          expect(found.facts.contextWindow).toBeGreaterThanOrEqual(wanted.leastInputTokens)
          if (wanted.remainingMicros !== null) expect(found.priceMicros ?? 0).toBeLessThanOrEqual(wanted.remainingMicros)
        }
      })
    )
  })

  it('asks the built-in knowledge last, unless it has the answer', () => {
    fc.assert(
      fc.property(candidates, need, luck, (all, wanted, chance) => {
        const kinds = route(all, wanted, routeWeights, () => chance).ranked.map(({ id }) => all.find((one) => one.id === id)?.kind)
        const sorted = kinds.toSorted((a, b) => (a === b ? 0 : (a === 'local') === wanted.prefersLocal ? -1 : 1))
        expect(kinds).toEqual(sorted)
      })
    )
  })

  it('prefers, all else equal, the better, the cheaper, the quicker and the healthier', () => {
    const good = aCandidate({ id: 'z-good' })
    const worse: Partial<RouteCandidate>[] = [
      { facts: { ...good.facts, quality: 1 } },
      { priceMicros: 20_000 },
      { health: { errorRate: 0, firstTextMs: 3_000 } },
      { health: { errorRate: 0.4, firstTextMs: 500 } }
    ]
    for (const part of worse) {
      expect(route([aCandidate({ id: 'a-worse', ...part }), good], aNeed, routeWeights, () => 0).ranked[0]?.id).toBe('z-good')
    }
  })

  it('takes the less loaded of two drawn from equals, and spreads evenly where load is equal', () => {
    const equals = ['a', 'b', 'c'].map((id) => aCandidate({ id }))
    const busy = equals.map((one, index) => ({ ...one, load: index === 2 ? 0 : 0.9 }))
    const counts = new Map<string, number>()
    let state = 1
    const random = (): number => {
      state = (state * 48_271) % 2_147_483_647
      return state / 2_147_483_647
    }
    for (let turn = 0; turn < 3_000; turn += 1) {
      const first = route(equals, aNeed, routeWeights, random).ranked[0]
      expect(first?.balanced).toBe(true)
      counts.set(first?.id ?? '', (counts.get(first?.id ?? '') ?? 0) + 1)
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(800)
    expect(counts.size).toBe(3)
    const drawn = Array.from({ length: 300 }, () => route(busy, aNeed, routeWeights, random).ranked[0]?.id)
    expect(drawn.filter((id) => id === 'c').length).toBeGreaterThan(150)
  })

  it('says why somebody is not asked', () => {
    const all = [
      aCandidate({ id: 'asleep', ready: false }),
      aCandidate({ id: 'open', breaker: 'open' }),
      aCandidate({ id: 'small', facts: { ...aCandidate().facts, contextWindow: 1_200 } }),
      aCandidate({ id: 'dear', priceMicros: 9_000 }),
      aCandidate({ id: 'blind' })
    ]
    expect(route(all, { ...aNeed, remainingMicros: 5_000, modalities: ['image'] }, routeWeights, () => 0).excluded).toEqual([
      { id: 'asleep', reason: 'not ready' },
      { id: 'open', reason: 'breaker open' },
      { id: 'small', reason: 'can’t be shown this' },
      { id: 'dear', reason: 'can’t be shown this' },
      { id: 'blind', reason: 'can’t be shown this' }
    ])
    expect(route(all, { ...aNeed, remainingMicros: 5_000 }, routeWeights, () => 0).excluded.slice(2)).toEqual([
      { id: 'small', reason: 'window too small' },
      { id: 'dear', reason: 'over budget' }
    ])
  })
})
