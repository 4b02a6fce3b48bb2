// The usage ledger: a row for every ended turn, written with its end, kept when its session is removed.
import type { UsageRange, UsageReport } from '../../../shared/domain.ts'
import type { TurnView } from '../../../shared/turn.ts'
import { createUsageReporter, type LedgerRow } from '../../usage/report.ts'
import { stepTimer, type Steps } from '../steps.ts'
import type { Core } from './core.ts'

export interface Ledger {
  /** The turn has ended. */
  add(turn: TurnView, session: { readonly id: string; readonly title: string; readonly clientName: string }): void
  report(range: UsageRange): Steps<UsageReport>
}

/** Rows read at a time. */
const BATCH = 1_000

export function createLedger({ sql, now }: Core): Ledger {
  return {
    add(turn, session) {
      const { usage } = turn
      sql(
        `INSERT INTO ledger (turn_id, session_id, session_title, client_name, provider, model, input_tokens, output_tokens, cached_tokens,
           cost_micros, failovers, first_text_ms, total_ms, error_code, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      ).run(
        turn.turnId,
        session.id,
        session.title,
        session.clientName,
        usage?.provider ?? '',
        usage?.model ?? '',
        usage?.inputTokens ?? 0,
        usage?.outputTokens ?? 0,
        usage?.cachedTokens ?? 0,
        usage?.costMicros ?? 0,
        usage?.failovers ?? 0,
        usage?.firstTextMs ?? null,
        usage?.totalMs ?? null,
        turn.error?.code ?? null,
        turn.endedAt ?? now()
      )
    },
    *report(range) {
      const reporter = createUsageReporter()
      const timeIsUp = stepTimer()
      const batch = sql<LedgerRow & { readonly number: number }>(
        `SELECT number, session_id AS sessionId, session_title AS sessionTitle, client_name AS clientName, provider, model,
           input_tokens AS inputTokens, output_tokens AS outputTokens, cached_tokens AS cachedTokens, cost_micros AS costMicros,
           failovers, first_text_ms AS firstTextMs, total_ms AS totalMs, error_code AS errorCode, at
         FROM ledger INDEXED BY ledger_at
         WHERE (at, number) > ($lastAt, $lastNumber) AND at < $to AND ($clientName IS NULL OR client_name = $clientName) AND ($sessionId IS NULL OR session_id = $sessionId)
           AND number NOT IN (SELECT number FROM hidden_ledger)
         ORDER BY at, number LIMIT $limit`
      )
      const filter = { to: range.to, clientName: range.clientName ?? null, sessionId: range.sessionId ?? null }
      let last = { at: range.from, number: -1 }
      for (;;) {
        const rows = batch.all({ lastAt: last.at, lastNumber: last.number, limit: BATCH, ...filter })
        for (const row of rows) reporter.add(row)
        const end = rows.at(-1)
        if (end === undefined || rows.length < BATCH) return reporter.report(range)
        last = end
        if (timeIsUp()) yield
      }
    }
  }
}
