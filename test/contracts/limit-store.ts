// What every store of limits must do: agree with a plain model of buckets and windows, all or nothing.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Charge, LimitRule, LimitStore } from '../../src/service/limits/limitStore.ts'

export interface LimitStoreUnderTest extends AsyncDisposable {
  readonly store: LimitStore
}

const rules: Readonly<Record<string, LimitRule>> = {
  minute: { kind: 'bucket', limit: 6, windowMs: 60_000, burst: 6 },
  burst: { kind: 'bucket', limit: 10, windowMs: 1_000, burst: 3 },
  day: { kind: 'window', limit: 5, windowMs: 10_000 }
}
const name = fc.constantFrom('minute', 'burst', 'day')
const step = fc.record({
  /** Ms that pass before it. */
  after: fc.oneof(fc.nat(50), fc.nat(30_000)),
  charges: fc.uniqueArray(fc.record({ name, cost: fc.nat(3) }), { minLength: 1, maxLength: 3, selector: (charge) => charge.name }),
  add: fc.boolean()
})

/** Tokens of a bucket in a plain count, and the uses of a window in a list. */
function model() {
  const full = (rule: LimitRule): number => (rule.kind === 'bucket' ? rule.burst : rule.limit)
  const tokens = new Map<string, { left: number; at: number }>()
  const left = (key: string, rule: LimitRule, now: number): number => {
    const known = tokens.get(key)
    if (known === undefined) return full(rule)
    if (rule.kind === 'window') {
      return Math.floor(known.at / rule.windowMs) === Math.floor(now / rule.windowMs) ? known.left : full(rule)
    }
    return Math.min(full(rule), known.left + ((now - known.at) * rule.limit) / rule.windowMs)
  }
  return {
    fits: ({ key, rule, cost }: Charge, now: number) => {
      const rest = left(key, rule, now)
      return rule.kind === 'window' && cost === 0 ? rest > 0 : rest - cost >= -1e-6
    },
    use: ({ key, rule, cost }: Charge, now: number) => void tokens.set(key, { left: left(key, rule, now) - cost, at: now })
  }
}

/** `runs`: histories that are tried. */
export function limitStoreContract(make: () => Promise<LimitStoreUnderTest>, { runs = 200 } = {}): void {
  it('agrees with a plain model for any history, all or nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (history) => {
        await using under = await make()
        const { store } = under
        const plain = model()
        let now = 1_790_000_000_000
        for (const { after, charges: wanted, add } of history) {
          now += after
          const charges = wanted.map(({ name: key, cost }): Charge => ({ key, cost, rule: rules[key] as LimitRule }))
          const [first] = charges
          if (add && first !== undefined) {
            await store.add(first, now)
            plain.use(first, now)
            continue
          }
          const fits = charges.map((charge) => plain.fits(charge, now))
          const shortage = await store.take(charges, now)
          expect(shortage === null).toBe(fits.every(Boolean))
          if (shortage === null) for (const charge of charges) plain.use(charge, now)
          else {
            const short = charges[shortage.index] as Charge
            expect(plain.fits(short, now)).toBe(false)
            expect(shortage.retryAt).toBeGreaterThan(now)
            // Told truly: then it fits, unless it never can.
            if (short.cost <= (short.rule.kind === 'bucket' ? short.rule.burst : short.rule.limit)) {
              expect(plain.fits(short, shortage.retryAt)).toBe(true)
            }
          }
        }
      }),
      { numRuns: runs }
    )
  })

  it('never lets more through in any stretch of time than burst and refill allow', async () => {
    await using under = await make()
    const rule: LimitRule = { kind: 'bucket', limit: 60, windowMs: 60_000, burst: 60 }
    let now = 1_790_000_000_000
    let taken = 0
    for (let attempt = 0; attempt < 2_000; attempt += 1) {
      now += 100
      if ((await under.store.take([{ key: 'k', rule, cost: 1 }], now)) === null) taken += 1
    }
    expect(taken).toBe(60 + 200 - 1)
  })

  it('gives everybody asking at once only what there is', async () => {
    await using under = await make()
    const charge: Charge = { key: 'k', rule: { kind: 'window', limit: 10, windowMs: 1_000 }, cost: 1 }
    const all = await Promise.all(Array.from({ length: 50 }, () => under.store.take([charge], 5_000)))
    expect(all.filter((shortage) => shortage === null)).toHaveLength(10)
  })

  it('knows what was counted in a window, and takes what is known from before once', async () => {
    await using under = await make()
    const rule: LimitRule = { kind: 'window', limit: 5, windowMs: 1_000 }
    const day: Charge = { key: 'd', rule, cost: 1 }
    expect(await under.store.has(day, 5_000)).toBe(false)
    await Promise.all([under.store.seed({ ...day, cost: 3 }, 5_000), under.store.seed({ ...day, cost: 3 }, 5_001)])
    expect(await under.store.has(day, 5_999)).toBe(true)
    expect(await under.store.has(day, 6_000)).toBe(false)
    const later = [await under.store.take([day], 5_002), await under.store.take([day], 5_003), await under.store.take([day], 5_004)]
    expect(later).toEqual([null, null, { index: 0, retryAt: 6_000 }])
    await under.store.seed({ ...day, cost: 0 }, 6_000)
    expect(await under.store.has(day, 6_000)).toBe(true)
  })
}
