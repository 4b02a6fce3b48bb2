// What every cost ledger must do, whatever keeps it: nothing is counted twice, nothing is lost, no cap is passed.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { monthOf, type Cap, type Ledger } from '../../src/service/cost/ledger.ts'
import { aReservation, aSettlement, now } from './ledgerSamples.ts'

export interface LedgerUnderTest extends AsyncDisposable {
  readonly ledger: Ledger
}

type Step =
  | {
      readonly do: 'reserve'
      readonly id: number
      readonly micros: number
      readonly client: string
      readonly organisation: string
      readonly month: number
    }
  | { readonly do: 'settle'; readonly id: number; readonly micros: number }
  | { readonly do: 'recover' }

const id = fc.nat(12)
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('reserve' as const),
        id,
        micros: fc.nat(1_000),
        client: fc.constantFrom('', 'Harbor', 'Quay'),
        organisation: fc.constantFrom('north', 'south'),
        month: fc.nat(1)
      })
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const), id, micros: fc.nat(2_000) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'recover' as const }) }
  ),
  { maxLength: 40 }
) as fc.Arbitrary<Step[]>
const months = [now, Date.parse('2026-12-01T00:00:00Z')]

/** `histories`: how many are tried; each asks the disk a hundred times where the ledger is durable on its own. */
export function ledgerContract(make: () => Promise<LedgerUnderTest>, { histories = 40 } = {}): void {
  it('agrees with plain sums after any history, within its caps', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        await using under = await make()
        const { ledger } = under
        const rows = new Map<number, { at: number; organisation: string; client: string; predicted: number; cost: number | null }>()
        const plain = (organisation: string, client: string | null, month: string) => {
          const own = [...rows.values()].filter(
            (row) => row.organisation === organisation && (client === null || row.client === client) && monthOf(row.at) === month
          )
          return {
            spentMicros: own.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
            reservedMicros: own.reduce((sum, { cost, predicted }) => sum + (cost === null ? predicted : 0), 0)
          }
        }
        for (const step of history) {
          if (step.do === 'recover') {
            const open = [...rows.values()].filter(({ cost }) => cost === null)
            expect(await ledger.recover(now)).toBe(open.length)
            for (const row of open) row.cost = row.predicted
          } else if (step.do === 'settle') {
            const row = rows.get(step.id)
            const fresh = row !== undefined && row.cost === null
            expect(await ledger.settle(aSettlement(String(step.id), { costMicros: step.micros }))).toBe(fresh)
            if (fresh) row.cost = step.micros
          } else {
            const at = months[step.month] ?? now
            const { organisation, client } = step
            const caps: Cap[] = [
              { organisation, client: null, micros: 3_000 },
              { organisation, client, micros: 2_000 }
            ]
            const fits = caps.every((cap) => {
              const { spentMicros, reservedMicros } = plain(organisation, cap.client, monthOf(at))
              return spentMicros + reservedMicros + step.micros <= cap.micros
            })
            const known = rows.has(step.id)
            const reservation = aReservation(String(step.id), { at, organisation, client, predictedMicros: step.micros })
            expect(await ledger.reserve(reservation, caps)).toBe(known || fits)
            if (!known && fits) rows.set(step.id, { at, organisation, client, predicted: step.micros, cost: null })
          }
        }
        for (const organisation of ['north', 'south']) {
          for (const client of [null, '', 'Harbor', 'Quay']) {
            for (const at of months) {
              expect(await ledger.spending({ organisation, client }, monthOf(at))).toEqual(plain(organisation, client, monthOf(at)))
            }
          }
        }
        const all = [...rows.values()]
        expect(await ledger.total()).toMatchObject({
          rows: all.length,
          open: all.filter(({ cost }) => cost === null).length,
          costMicros: all.reduce((sum, { cost }) => sum + (cost ?? 0), 0)
        })
      }),
      { numRuns: histories }
    )
  })

  it('settles once, however often and in whatever order it is told', async () => {
    await using under = await make()
    await under.ledger.reserve(aReservation('a'))
    const told = await Promise.all([70, 80, 90].map((costMicros) => under.ledger.settle(aSettlement('a', { costMicros }))))
    expect(told).toEqual([true, false, false])
    expect(await under.ledger.settle(aSettlement('never reserved'))).toBe(false)
    expect(await under.ledger.spending({ organisation: 'north', client: null }, '2026-11')).toEqual({ spentMicros: 70, reservedMicros: 0 })
  })

  it('gives back what was written', async () => {
    await using under = await make()
    const { ledger } = under
    await ledger.reserve(aReservation('a', { turnId: 't', client: 'Ünïcode \u{1F600} <b>' }))
    await ledger.reserve(aReservation('b', { turnId: 't', at: now + 5 }))
    await ledger.settle(aSettlement('a', { outcome: 'failed', estimated: true, priced: false }))
    const { attemptId: _id, ...settled } = aSettlement('a', { outcome: 'failed', estimated: true, priced: false })
    expect(await ledger.attempts('t')).toEqual([
      { ...aReservation('a', { turnId: 't', client: 'Ünïcode \u{1F600} <b>' }), settled },
      { ...aReservation('b', { turnId: 't', at: now + 5 }), settled: null }
    ])
  })

  it('stays exact under a thousand turns at once, and no cap is passed', async () => {
    await using under = await make()
    const { ledger } = under
    const cap: Cap = { organisation: 'north', client: null, micros: 600_000 }
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => {
        const isTaken = await ledger.reserve(aReservation(`a${index}`, { predictedMicros: 1_000 }), [cap])
        if (isTaken) await ledger.settle(aSettlement(`a${index}`, { costMicros: 1 + (index % 7) * 131 }))
        return isTaken ? 1 + (index % 7) * 131 : 0
      })
    )
    const sum = outcomes.reduce((total, cost) => total + cost, 0)
    expect(outcomes.filter((cost) => cost > 0).length).toBeGreaterThanOrEqual(600)
    expect(await ledger.spending(cap, '2026-11')).toEqual({ spentMicros: sum, reservedMicros: 0 })
    expect(sum).toBeLessThanOrEqual(cap.micros)
  })

  it('settles what was lost at its prediction, marked, and counts a user’s turns', async () => {
    await using under = await make()
    const { ledger } = under
    await ledger.reserve(aReservation('a', { turnId: 't1' }))
    await ledger.reserve(aReservation('b', { turnId: 't1' }))
    await ledger.reserve(aReservation('c', { turnId: 't2', userId: 'bob' }))
    await ledger.settle(aSettlement('a'))
    expect(await ledger.recover(now + 9)).toBe(2)
    expect((await ledger.attempts('t1'))[1]?.settled).toEqual({
      at: now + 9,
      outcome: 'lost',
      inputTokens: 10,
      outputTokens: 0,
      cachedTokens: 0,
      costMicros: 100,
      estimated: true,
      priced: true
    })
    expect(await ledger.recover(now + 10)).toBe(0)
    expect(await ledger.turnsSince('anna', now)).toBe(1)
    expect(await ledger.turnsSince('anna', now + 1)).toBe(0)
  })

  it('takes no part of a micro-dollar', async () => {
    await using under = await make()
    await expect(under.ledger.reserve(aReservation('a', { predictedMicros: 0.5 }))).rejects.toThrow(RangeError)
    await under.ledger.reserve(aReservation('b'))
    await expect(under.ledger.settle(aSettlement('b', { costMicros: -1 }))).rejects.toThrow(RangeError)
    expect(await under.ledger.total()).toMatchObject({ rows: 1, open: 1 })
  })
}
