// The cost ledger in memory: for tests, and for benchmarks that compare it with the durable one.
import { monthOf, requireWholeMicros, type Ledger, type LedgerRow, type Purse, type Settlement } from './ledger.ts'

export function createMemoryLedger(): Ledger {
  const rows = new Map<string, LedgerRow>()

  const spendingOf = (purse: Purse, month: string): { spentMicros: number; reservedMicros: number } => {
    let spentMicros = 0
    let reservedMicros = 0
    for (const row of rows.values()) {
      if (row.organisation !== purse.organisation || monthOf(row.at) !== month) continue
      if (purse.client !== null && row.client !== purse.client) continue
      if (row.settled === null) reservedMicros += row.predictedMicros
      else spentMicros += row.settled.costMicros
    }
    return { spentMicros, reservedMicros }
  }
  const settle = ({ attemptId, ...settled }: Settlement): boolean => {
    const row = rows.get(attemptId)
    if (row === undefined || row.settled !== null) return false
    requireWholeMicros(settled.costMicros)
    rows.set(attemptId, { ...row, settled })
    return true
  }

  return {
    async reserve(reservation, caps = []) {
      if (rows.has(reservation.attemptId)) return true
      requireWholeMicros(reservation.predictedMicros)
      const month = monthOf(reservation.at)
      for (const cap of caps) {
        const { spentMicros, reservedMicros } = spendingOf(cap, month)
        if (spentMicros + reservedMicros + reservation.predictedMicros > cap.micros) return false
      }
      rows.set(reservation.attemptId, { ...reservation, settled: null })
      return true
    },
    settle: async (settlement) => settle(settlement),
    spending: async (purse, month) => spendingOf(purse, month),
    attempts: async (turnId) => [...rows.values()].filter((row) => row.turnId === turnId),
    turnsSince: async (userId, since) =>
      new Set([...rows.values()].filter((row) => row.userId === userId && row.at >= since).map((row) => row.turnId)).size,
    async total() {
      const all = [...rows.values()]
      const settled = all.map((row) => row.settled).filter((each) => each !== null)
      return {
        rows: all.length,
        open: all.length - settled.length,
        costMicros: settled.reduce((sum, each) => sum + each.costMicros, 0),
        estimatedRows: settled.filter((each) => each.estimated).length
      }
    },
    async recover(at) {
      const lost = [...rows.values()].filter((row) => row.settled === null)
      for (const { attemptId, predictedInputTokens: inputTokens, predictedMicros: costMicros } of lost) {
        settle({ attemptId, at, outcome: 'lost', inputTokens, outputTokens: 0, cachedTokens: 0, costMicros, estimated: true, priced: true })
      }
      return lost.length
    },
    reclaim: async () => 0
  }
}
