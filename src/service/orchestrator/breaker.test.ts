// The breaker against a model of it, for any history of calls, ends and waits.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../../test/fakes/service-parts.ts'
import { createBreaker, type BreakerPermit, type BreakerPhase, type BreakerRules } from './breaker.ts'

const rules: BreakerRules = { windowMs: 1_000, leastCalls: 4, failureShare: 0.5, openMs: 100, longestOpenMs: 1_000, probes: 2 }

type Step = { readonly do: 'enter' | 'leave' | 'succeed' | 'fail' } | { readonly do: 'wait'; readonly ms: number }
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Step>({ do: 'enter' }, { do: 'leave' }, { do: 'succeed' }, { do: 'fail' }) },
    { weight: 1, arbitrary: fc.nat(400).map((ms): Step => ({ do: 'wait', ms })) }
  ),
  { maxLength: 120 }
)

describe('createBreaker', () => {
  it('holds its promises for any history', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const clock = fakeClock(0)
        const phases: BreakerPhase[] = []
        const breaker = createBreaker(rules, clock, (phase) => phases.push(phase))
        const permits: { permit: BreakerPermit; probe: boolean; era: number }[] = []
        for (const step of history) {
          const before = breaker.phase
          if (step.do === 'wait') clock.set(clock.now() + step.ms)
          else if (step.do === 'enter') {
            const permit = breaker.enter()
            // Closed lets everybody in, open nobody, half-open a few.
            if (before === 'closed') expect(permit).not.toBeNull()
            if (before === 'open') expect(permit).toBeNull()
            if (permit !== null) permits.push({ permit, probe: before === 'half-open', era: phases.length })
            expect(permits.filter((one) => one.probe && one.era === phases.length).length).toBeLessThanOrEqual(rules.probes)
          } else {
            const [one] = permits.splice(0, 1)
            if (one === undefined) continue
            one.permit[step.do]()
            const after = breaker.phase
            if (step.do === 'leave') expect(after).toBe(before)
            // Only a failure opens, only a success closes.
            if (before !== 'open' && after === 'open') expect(step.do).toBe('fail')
            if (before !== 'closed' && after === 'closed') expect(step.do).toBe('succeed')
            // A probe that fails opens at once.
            if (one.probe && before === 'half-open' && step.do === 'fail' && one.era === phases.length - 1) expect(after).toBe('open')
          }
          expect(breaker.retryAt === null).toBe(breaker.phase !== 'open')
        }
      }),
      { numRuns: 400 }
    )
  })

  it('opens when half of enough calls fail, and not before', () => {
    const clock = fakeClock(0)
    const breaker = createBreaker(rules, clock)
    for (const end of ['succeed', 'succeed', 'fail'] as const) breaker.enter()?.[end]()
    expect(breaker.phase).toBe('closed')
    breaker.enter()?.fail()
    expect(breaker.phase).toBe('open')
  })

  it('forgets what was longer ago than its window', () => {
    const clock = fakeClock(0)
    const breaker = createBreaker(rules, clock)
    for (let call = 0; call < 3; call += 1) breaker.enter()?.fail()
    clock.set(1_101)
    breaker.enter()?.fail()
    expect(breaker.phase).toBe('closed')
  })

  it('waits twice as long after each failed try to come back, up to the longest, and is forgiven by closing', () => {
    const clock = fakeClock(0)
    const breaker = createBreaker(rules, clock)
    for (let call = 0; call < 4; call += 1) breaker.enter()?.fail()
    const waits: number[] = []
    for (let round = 0; round < 6; round += 1) {
      waits.push((breaker.retryAt ?? 0) - clock.now())
      clock.set(breaker.retryAt ?? 0)
      breaker.enter()?.fail()
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000])
    clock.set(breaker.retryAt ?? 0)
    breaker.enter()?.succeed()
    breaker.enter()?.succeed()
    expect(breaker.phase).toBe('closed')
    for (let call = 0; call < 4; call += 1) breaker.enter()?.fail()
    expect((breaker.retryAt ?? 0) - clock.now()).toBe(100)
  })

  it('waits as long as the provider asks', () => {
    const clock = fakeClock(0)
    const breaker = createBreaker(rules, clock)
    for (let call = 0; call < 4; call += 1) breaker.enter()?.fail(30_000)
    expect(breaker.retryAt).toBe(30_000)
  })

  it('tries at once when the provider is heard to be well, but not before the time it asked for', () => {
    const clock = fakeClock(0)
    const breaker = createBreaker(rules, clock)
    for (let call = 0; call < 4; call += 1) breaker.enter()?.fail()
    breaker.hearWell()
    expect(breaker.phase).toBe('half-open')
    breaker.enter()?.fail(500)
    clock.set(499)
    breaker.hearWell()
    expect(breaker.phase).toBe('open')
    clock.set(500)
    breaker.hearWell()
    expect(breaker.phase).toBe('half-open')
  })

  it('counts an end once, and not what began before the phase changed', () => {
    const clock = fakeClock(0)
    const breaker = createBreaker(rules, clock)
    const early = breaker.enter()
    for (let call = 0; call < 4; call += 1) breaker.enter()?.fail()
    early?.succeed()
    expect(breaker.phase).toBe('open')
    clock.set(100)
    const probe = breaker.enter()
    probe?.succeed()
    probe?.succeed()
    expect(breaker.phase).toBe('half-open')
    breaker.enter()?.succeed()
    expect(breaker.phase).toBe('closed')
  })
})
