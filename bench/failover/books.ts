// Compares the service's cost ledger with the books of the upstreams, in an arithmetic of its own.
import { createSqliteLedger } from '../../src/service/cost/ledger.sqlite.ts'
import { openStore } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'
import type { Call } from './upstreams.ts'

/** gpt-4o, USD per million tokens, from OpenAI's price list: a token is 2.5 and 10 micro-USD. */
const INPUT_MICROS_TIMES_TEN = 25n
const OUTPUT_MICROS_TIMES_TEN = 100n

export interface Books {
  /** Every bar of the ledger was met. */
  readonly exact: boolean
  readonly rows: number
  /** Reservations that were never settled. */
  readonly open: number
  /** Of the calls whose usage the service was told: as the upstreams and as the ledger have it. */
  readonly upstreamMicros: number
  readonly ledgerMicros: number
  readonly compared: number
  readonly different: number
  /** Calls that broke off before they told their usage: rows that are estimates and say so. */
  readonly untold: number
  readonly estimatedRows: number
  readonly estimatedMicros: number
  /** Calls that the service hung up on, checked to claim no more than was told. */
  readonly abandoned: number
  /** Attempts that no upstream has seen: refused connections, or given up on the way. */
  readonly neverArrived: number
  /** The sums by month against the rows. */
  readonly monthsAgree: boolean
  readonly examples: readonly string[]
}

export function billOf(promptTokens: number, completionTokens: number): number {
  const tenths = BigInt(promptTokens) * INPUT_MICROS_TIMES_TEN + BigInt(completionTokens) * OUTPUT_MICROS_TIMES_TEN
  return Number((tenths + 5n) / 10n)
}

export async function compareBooks(dataDir: string, calls: readonly Call[]): Promise<Books> {
  const store = await openStore({ dataDir, clock: systemClock })
  try {
    const rows = store.database
      .prepare<[], { input: number; output: number; cost: number; estimated: number; settled: number | null; predicted: number; provider: string }>(
        `SELECT input_tokens AS input, output_tokens AS output, cost_micros AS cost, estimated, settled_at AS settled,
          predicted_micros AS predicted, provider FROM cost_attempt`
      )
      .all()
    const byPrompt = Map.groupBy(
      rows.filter(({ estimated, input }) => estimated === 0 && input > 0),
      ({ input }) => input
    )
    const examples: string[] = []
    let [upstreamMicros, ledgerMicros, compared, different, untold, abandoned] = [0, 0, 0, 0, 0, 0]
    for (const call of calls) {
      if (call.completionTokens === null) {
        if (call.fault !== 'error' && call.fault !== 'refused') untold += 1
        continue
      }
      const [row, ...more] = byPrompt.get(call.promptTokens) ?? []
      byPrompt.delete(call.promptTokens)
      if (call.abandoned) abandoned += 1
      // What was on its way when the service hung up, it can't have heard.
      const told = call.abandoned && row !== undefined && row.output <= call.completionTokens ? row.output : call.completionTokens
      const bill = billOf(call.promptTokens, told)
      upstreamMicros += bill
      ledgerMicros += row?.cost ?? 0
      compared += 1
      if (row?.cost === bill && row.output === told && row.provider === `upstream-${call.upstream}` && more.length === 0) continue
      different += 1
      if (examples.length < 5) examples.push(`${JSON.stringify(call)} is ${JSON.stringify(row ?? null)}, ${more.length} more`)
    }
    // Whatever is left was charged by nobody.
    for (const [left] of byPrompt.values()) {
      different += 1
      if (examples.length < 5) examples.push(`nobody's: ${JSON.stringify(left)}`)
    }
    const estimates = rows.filter(({ estimated }) => estimated === 1)
    const ledger = createSqliteLedger(store)
    const total = await ledger.total()
    const sum = rows.reduce((micros, { cost }) => micros + cost, 0)
    const months = store.database
      .prepare<[], { spent: number; reserved: number }>(
        'SELECT sum(spent_micros) AS spent, sum(reserved_micros) AS reserved FROM cost_month WHERE client = char(0)'
      )
      .get()
    const monthsAgree = months?.spent === sum && months.reserved === 0 && total.costMicros === sum
    // Attempts that were given up before they reached a server told nothing either.
    const neverArrived = Math.max(0, rows.length - calls.length)
    const exact =
      different === 0 && total.open === 0 && monthsAgree && upstreamMicros === ledgerMicros && estimates.length <= untold + abandoned + neverArrived
    return {
      exact,
      rows: rows.length,
      open: total.open,
      upstreamMicros,
      ledgerMicros,
      compared,
      different,
      untold,
      estimatedRows: estimates.length,
      estimatedMicros: estimates.reduce((micros, { cost }) => micros + cost, 0),
      abandoned,
      neverArrived,
      monthsAgree,
      examples
    }
  } finally {
    store.stop()
  }
}
