// Counts of limits in this process's memory.
import { bucketVerdict, windowVerdict, type LimitState, type Verdict } from './limitMath.ts'
import type { Charge, LimitStore } from './limitStore.ts'

/** States that are as good as none are forgotten when there are this many. */
const TIDY_AT = 10_000

export function createMemoryLimitStore(): LimitStore {
  const states = new Map<string, { readonly state: LimitState; readonly staleAt: number }>()

  const judge = ({ key, rule, cost }: Charge, now: number): Verdict => {
    const state = states.get(key)?.state
    return rule.kind === 'bucket' ? bucketVerdict(state, rule, cost, now) : windowVerdict(state, rule, cost, now)
  }
  const keep = (key: string, { next, staleAt }: Verdict, now: number): void => {
    states.set(key, { state: next, staleAt })
    if (states.size < TIDY_AT || states.size % 1_000 !== 0) return
    for (const [old, kept] of states) if (kept.staleAt <= now) states.delete(old)
  }

  const isCounted = ({ key, rule }: Pick<Charge, 'key' | 'rule'>, now: number): boolean => {
    const state = states.get(key)?.state
    if (state === undefined) return false
    return 'window' in state ? state.window === Math.floor(now / rule.windowMs) : state.fullAt > now
  }

  return {
    has: async (charge, now) => isCounted(charge, now),
    async take(charges, now) {
      const verdicts = charges.map((charge) => judge(charge, now))
      let worst: { index: number; retryAt: number } | null = null
      for (const [index, { retryAt }] of verdicts.entries()) {
        if (retryAt !== null && (worst === null || retryAt > worst.retryAt)) worst = { index, retryAt }
      }
      if (worst !== null) return worst
      for (const [index, verdict] of verdicts.entries()) keep(charges[index]?.key ?? '', verdict, now)
      return null
    },
    async add(charge, now) {
      keep(charge.key, judge(charge, now), now)
    },
    async seed(charge, now) {
      if (!isCounted(charge, now)) keep(charge.key, judge(charge, now), now)
    }
  }
}
