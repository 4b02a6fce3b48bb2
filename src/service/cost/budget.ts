// Budgets by month, for an organisation and for each of its clients: how they stand, read from the ledger.
import type { Clock } from '../../shared/kit/clock.ts'
import { standingOf, type BudgetStanding } from './budgetPolicy.ts'
import { monthOf, type Cap, type Ledger, type Payer } from './ledger.ts'

export interface Budgets {
  standing(payer: Payer): Promise<BudgetStanding>
}

export interface BudgetOptions {
  readonly ledger: Pick<Ledger, 'spending'>
  /** The caps that hold for a payer; none: everything is allowed. */
  readonly capsOf: (payer: Payer) => readonly Cap[]
  /** True while somebody has lifted the limits of the organisation. */
  readonly isLifted: (organisation: string) => boolean
  readonly clock: Clock
}

export function createBudgets({ ledger, capsOf, isLifted, clock }: BudgetOptions): Budgets {
  return {
    async standing(payer) {
      const now = clock.now()
      const caps = capsOf(payer)
      if (caps.length === 0 || isLifted(payer.organisation)) return standingOf([], now, caps.length > 0)
      const month = monthOf(now)
      return standingOf(await Promise.all(caps.map(async (cap) => ({ cap, spending: await ledger.spending(cap, month) }))), now)
    }
  }
}
