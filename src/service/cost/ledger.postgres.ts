// The cost ledger in the shared PostgreSQL. Reserving and settling are one step each (functions of the database), so that the caps
// hold however many services ask at once; sums by month are kept beside the rows.
import type { Postgres } from '../store/postgres.ts'
import { monthOf, requireWholeMicros, type AttemptOutcome, type Cap, type Ledger, type LedgerRow } from './ledger.ts'

interface Row {
  readonly attempt_id: string
  readonly turn_id: string
  readonly user_id: string
  readonly organisation: string
  readonly client: string
  readonly provider: string
  readonly model: string
  readonly at: number
  readonly predicted_micros: number
  readonly predicted_input_tokens: number
  readonly settled_at: number | null
  readonly outcome: AttemptOutcome | null
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cached_tokens: number
  readonly cost_micros: number
  readonly estimated: boolean
  readonly priced: boolean
}

export function createPostgresLedger(postgres: Postgres): Ledger {
  const loseThose = async (whose: string, at: number): Promise<number> => {
    const [row] = await postgres.rows<{ lost: number }>(
      `SELECT count(*) FILTER (WHERE cost_settle(attempt_id, $1, 'lost', predicted_input_tokens, 0, 0, predicted_micros, true, true)) AS lost
       FROM (SELECT * FROM cost_attempt WHERE settled_at IS NULL AND ${whose} ORDER BY organisation, month, client) AS open`,
      [at, postgres.instance]
    )
    return row?.lost ?? 0
  }

  return {
    async reserve(reservation, caps: readonly Cap[] = []) {
      requireWholeMicros(reservation.predictedMicros)
      const { attemptId, turnId, userId, organisation, client, provider, model, at, predictedMicros, predictedInputTokens } = reservation
      const [row] = await postgres.rows<{ taken: boolean }>(
        'SELECT cost_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS taken',
        [
          attemptId, turnId, userId, organisation, client, provider, model, at, monthOf(at), predictedMicros, predictedInputTokens,
          postgres.instance,
          caps.map((cap) => cap.organisation),
          caps.map((cap) => cap.client),
          caps.map((cap) => cap.micros)
        ] // prettier-ignore
      )
      return row?.taken === true
    },
    async settle(settlement) {
      requireWholeMicros(settlement.costMicros)
      const { attemptId, at, outcome, inputTokens, outputTokens, cachedTokens, costMicros, estimated, priced } = settlement
      const [row] = await postgres.rows<{ settled: boolean }>('SELECT cost_settle($1, $2, $3, $4, $5, $6, $7, $8, $9) AS settled', [
        attemptId,
        at,
        outcome,
        inputTokens,
        outputTokens,
        cachedTokens,
        costMicros,
        estimated,
        priced
      ])
      return row?.settled === true
    },
    async spending({ organisation, client }, month) {
      const [row] = await postgres.rows<{ spentMicros: number; reservedMicros: number }>(
        `SELECT spent_micros AS "spentMicros", reserved_micros AS "reservedMicros" FROM cost_month
         WHERE organisation = $1 AND month = $3 AND purse = cost_purse($2)`,
        [organisation, client, month]
      )
      return row ?? { spentMicros: 0, reservedMicros: 0 }
    },
    attempts: async (turnId) =>
      (await postgres.rows<Row>('SELECT * FROM cost_attempt WHERE turn_id = $1 ORDER BY at, position', [turnId])).map(fromRow),
    async turnsSince(userId, since) {
      const [row] = await postgres.rows<{ turns: number }>(
        'SELECT count(DISTINCT turn_id) AS turns FROM cost_attempt WHERE user_id = $1 AND at >= $2',
        [userId, since]
      )
      return row?.turns ?? 0
    },
    async total() {
      const [row] = await postgres.rows<{ rows: number; open: number; costMicros: number; estimatedRows: number }>(
        `SELECT count(*) AS rows, count(*) FILTER (WHERE settled_at IS NULL) AS open, coalesce(sum(cost_micros), 0)::bigint AS "costMicros",
           count(*) FILTER (WHERE estimated) AS "estimatedRows" FROM cost_attempt`
      )
      return row ?? { rows: 0, open: 0, costMicros: 0, estimatedRows: 0 }
    },
    recover: (at) => loseThose('service_free(owner, $2)', at),
    reclaim: (at) => loseThose('owner <> $2 AND service_free(owner, $2)', at)
  }
}

function fromRow(row: Row): LedgerRow {
  const { settled_at: at, outcome } = row
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
      at === null || outcome === null
        ? null
        : {
            at,
            outcome,
            inputTokens: row.input_tokens,
            outputTokens: row.output_tokens,
            cachedTokens: row.cached_tokens,
            costMicros: row.cost_micros,
            estimated: row.estimated,
            priced: row.priced
          }
  }
}
