// The cost ledger in the service's store. Sums by month are kept beside the rows and change in the same transaction, so a
// budget is read in one look however long the ledger is.
import type { Store } from '../store/store.ts'
import {
  monthOf,
  requireWholeMicros,
  type AttemptOutcome,
  type Cap,
  type Ledger,
  type LedgerRow,
  type Purse,
  type Reservation,
  type Settlement
} from './ledger.ts'

interface Row {
  attempt_id: string
  turn_id: string
  user_id: string
  organisation: string
  client: string
  provider: string
  model: string
  at: number
  month: string
  predicted_micros: number
  predicted_input_tokens: number
  settled_at: number | null
  outcome: AttemptOutcome | null
  input_tokens: number
  output_tokens: number
  cached_tokens: number
  cost_micros: number
  estimated: number
  priced: number
}

type SettledRow = Pick<Row, 'organisation' | 'client' | 'month' | 'predicted_micros'>

/** The purse of a whole organisation in the sums; no client is called this, for names have no control characters. */
const WHOLE = '\u0000'

export function createSqliteLedger({ database, writer }: Pick<Store, 'database' | 'writer'>): Ledger {
  const insert = database.prepare<[Reservation & { month: string }]>(`
    INSERT INTO cost_attempt (attempt_id, turn_id, user_id, organisation, client, provider, model, at, month, predicted_micros, predicted_input_tokens)
    VALUES (@attemptId, @turnId, @userId, @organisation, @client, @provider, @model, @at, @month, @predictedMicros, @predictedInputTokens)
    ON CONFLICT DO NOTHING`)
  const find = database.prepare<[string], Row>('SELECT * FROM cost_attempt WHERE attempt_id = ?')
  const ofTurn = database.prepare<[string], Row>('SELECT * FROM cost_attempt WHERE turn_id = ? ORDER BY at, rowid')
  // The row says by itself whether it is still open: no reading first. The sums of the organisation and of the client are one statement.
  const finish = database.prepare<[Settlement & { estimatedFlag: number; pricedFlag: number }], SettledRow>(`
    UPDATE cost_attempt SET settled_at = @at, outcome = @outcome, input_tokens = @inputTokens, output_tokens = @outputTokens,
      cached_tokens = @cachedTokens, cost_micros = @costMicros, estimated = @estimatedFlag, priced = @pricedFlag
    WHERE attempt_id = @attemptId AND settled_at IS NULL
    RETURNING organisation, client, month, predicted_micros`)
  const reserveInMonth = database.prepare<[Pick<Reservation, 'organisation' | 'client' | 'predictedMicros'> & { month: string; whole: string }]>(`
    INSERT INTO cost_month (organisation, client, month, spent_micros, reserved_micros)
    VALUES (@organisation, @whole, @month, 0, @predictedMicros), (@organisation, @client, @month, 0, @predictedMicros)
    ON CONFLICT DO UPDATE SET reserved_micros = reserved_micros + excluded.reserved_micros`)
  const settleInMonth = database.prepare<[number, number, string, string, string, string]>(
    'UPDATE cost_month SET spent_micros = spent_micros + ?, reserved_micros = reserved_micros - ? WHERE organisation = ? AND client IN (?, ?) AND month = ?'
  )
  const ofMonth = database.prepare<[string, string, string], { spent_micros: number; reserved_micros: number }>(
    'SELECT spent_micros, reserved_micros FROM cost_month WHERE organisation = ? AND client = ? AND month = ?'
  )
  const open = database.prepare<[], Row>('SELECT * FROM cost_attempt WHERE settled_at IS NULL')
  const countTurns = database.prepare<[string, number], { turns: number }>(
    'SELECT count(DISTINCT turn_id) AS turns FROM cost_attempt WHERE user_id = ? AND at >= ?'
  )
  const sums = database.prepare<[], { rows: number; open: number; cost: number; estimated: number }>(`
    SELECT count(*) AS rows, count(*) FILTER (WHERE settled_at IS NULL) AS open, coalesce(sum(cost_micros), 0) AS cost,
      coalesce(sum(estimated), 0) AS estimated FROM cost_attempt`)

  const spendingOf = ({ organisation, client }: Purse, month: string): { spentMicros: number; reservedMicros: number } => {
    const row = ofMonth.get(organisation, client ?? WHOLE, month)
    return { spentMicros: row?.spent_micros ?? 0, reservedMicros: row?.reserved_micros ?? 0 }
  }
  const fits = (reservation: Reservation, month: string, cap: Cap): boolean => {
    const { spentMicros, reservedMicros } = spendingOf(cap, month)
    return spentMicros + reservedMicros + reservation.predictedMicros <= cap.micros
  }
  const settle = (settlement: Settlement): boolean => {
    requireWholeMicros(settlement.costMicros)
    const row = finish.get({ ...settlement, estimatedFlag: settlement.estimated ? 1 : 0, pricedFlag: settlement.priced ? 1 : 0 })
    if (row === undefined) return false
    settleInMonth.run(settlement.costMicros, row.predicted_micros, row.organisation, WHOLE, row.client, row.month)
    return true
  }

  return {
    reserve: (reservation, caps = []) =>
      writer.write(() => {
        if (caps.length > 0 && find.get(reservation.attemptId) !== undefined) return true
        requireWholeMicros(reservation.predictedMicros)
        const month = monthOf(reservation.at)
        if (!caps.every((cap) => fits(reservation, month, cap))) return false
        if (insert.run({ ...reservation, month }).changes === 0) return true
        const { organisation, client, predictedMicros } = reservation
        reserveInMonth.run({ organisation, client, predictedMicros, month, whole: WHOLE })
        return true
      }),
    settle: (settlement) => writer.write(() => settle(settlement)),
    spending: async (purse, month) => spendingOf(purse, month),
    attempts: async (turnId) => ofTurn.all(turnId).map(fromRow),
    turnsSince: async (userId, since) => countTurns.get(userId, since)?.turns ?? 0,
    total: async () => {
      const { rows = 0, open: unsettled = 0, cost = 0, estimated = 0 } = sums.get() ?? {}
      return { rows, open: unsettled, costMicros: cost, estimatedRows: estimated }
    },
    recover: (at) =>
      writer.write(() => {
        const lost = open.all()
        for (const row of lost) {
          settle({
            attemptId: row.attempt_id,
            at,
            outcome: 'lost',
            inputTokens: row.predicted_input_tokens,
            outputTokens: 0,
            cachedTokens: 0,
            costMicros: row.predicted_micros,
            estimated: true,
            priced: true
          })
        }
        return lost.length
      }),
    // One process has the file alone.
    reclaim: async () => 0
  }
}

function fromRow(row: Row): LedgerRow {
  return {
    attemptId: row.attempt_id,
    turnId: row.turn_id,
    userId: row.user_id,
    organisation: row.organisation,
    client: row.client,
    provider: row.provider,
    model: row.model,
    at: row.at,
    predictedMicros: row.predicted_micros,
    predictedInputTokens: row.predicted_input_tokens,
    settled:
      row.settled_at === null || row.outcome === null
        ? null
        : {
            at: row.settled_at,
            outcome: row.outcome,
            inputTokens: row.input_tokens,
            outputTokens: row.output_tokens,
            cachedTokens: row.cached_tokens,
            costMicros: row.cost_micros,
            estimated: row.estimated === 1,
            priced: row.priced === 1
          }
  }
}
