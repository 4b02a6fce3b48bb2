// Counts of limits in this process's memory.
import { bucketVerdict, windowVerdict, type LimitState, type Verdict } from './limitMath.ts'
import type { Charge, LimitStore, Shortage } from './limitStore.ts'

/** States that are as good as none are forgotten when there are this many, and again when what is left has doubled. */
const TIDY_AT = 10_000

export function createMemoryLimitStore(): LimitStore {
  const states = new Map<string, { readonly state: LimitState; readonly staleAt: number }>()
  let tidyAt = TIDY_AT

  const judge = ({ key, rule, cost }: Charge, now: number): Verdict => {
    const state = states.get(key)?.state
    return rule.kind === 'bucket' ? bucketVerdict(state, rule, cost, now) : windowVerdict(state, rule, cost, now)
  }
  const keep = (key: string, { next, staleAt }: Verdict, now: number): void => {
    states.set(key, { state: next, staleAt })
    if (states.size < tidyAt) return
    for (const [old, kept] of states) if (kept.staleAt <= now) states.delete(old)
    tidyAt = Math.max(TIDY_AT, 2 * states.size)
  }

  const isCounted = ({ key, rule }: Pick<Charge, 'key' | 'rule'>, now: number): boolean => {
    const state = states.get(key)?.state
    if (state === undefined) return false
    return 'window' in state ? state.window === Math.floor(now / rule.windowMs) : state.fullAt > now
  }

  return {
    has: async (charge, now) => isCounted(charge, now),
    async take(charges, now) {
      const verdicts: Verdict[] = []
      let worst: Shortage | null = null
      for (const charge of charges) {
        const verdict = judge(charge, now)
        const { retryAt } = verdict
        if (retryAt !== null && (worst === null || retryAt > worst.retryAt)) worst = { index: verdicts.length, retryAt }
        verdicts.push(verdict)
      }
      if (worst !== null) return worst
      let index = 0
      for (const verdict of verdicts) {
        keep(charges[index]?.key ?? '', verdict, now)
        index += 1
      }
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
