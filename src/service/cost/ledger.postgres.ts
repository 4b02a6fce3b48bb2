// The cost ledger in the shared PostgreSQL. Reserving and settling are one step each (functions of the database), so that the caps
// hold however many services ask at once; sums by month are kept beside the rows.
import type { Postgres } from '../store/postgres.ts'
import { createBatch } from '../store/batch.ts'
import { keptJson } from '../store/postgresText.ts'
import {
  monthOf,
  requireWholeMicros,
  type AttemptOutcome,
  type Cap,
  type Ledger,
  type LedgerRow,
  type Reservation,
  type Settlement
} from './ledger.ts'

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

/** In one step; more would hold an organisation's row for too long. */
const MOST_AT_ONCE = 100

type Order = Reservation & { readonly month: string; readonly caps: readonly Cap[] }
interface Outcome {
  readonly n: number
  readonly done: boolean
}

export function createPostgresLedger(postgres: Postgres): Ledger {
  // Both in the order in which the rows of the months are locked everywhere.
  const reserving = createBatch<Order, boolean>(async (orders) => {
    const rows = await postgres.rows<Outcome>(
      `SELECT n, cost_reserve("attemptId", "turnId", "userId", organisation, client, provider, model, at, month, "predictedMicros",
         "predictedInputTokens", $2, caps) AS done
       FROM (SELECT * FROM json_to_recordset($1::json) AS one (n int, "attemptId" text, "turnId" text, "userId" text, organisation text, client text,
         provider text, model text, at bigint, month text, "predictedMicros" bigint, "predictedInputTokens" bigint, caps json)
         ORDER BY organisation COLLATE "C", month COLLATE "C", n OFFSET 0) AS sorted`,
      [keptJson(orders.map((order, n) => ({ n, ...order }))), postgres.instance]
    )
    return inOrder(rows)
  }, MOST_AT_ONCE)
  const settling = createBatch<Settlement, boolean>(async (settlements) => {
    const rows = await postgres.rows<Outcome>(
      `SELECT n, cost_settle("attemptId", at, outcome, "inputTokens", "outputTokens", "cachedTokens", "costMicros", estimated, priced) AS done
       FROM (SELECT one.* FROM json_to_recordset($1::json) AS one (n int, "attemptId" text, at bigint, outcome text, "inputTokens" bigint,
           "outputTokens" bigint, "cachedTokens" bigint, "costMicros" bigint, estimated boolean, priced boolean)
         LEFT JOIN cost_attempt AS kept ON kept.attempt_id = "attemptId"
         ORDER BY kept.organisation, kept.month, n OFFSET 0) AS sorted`,
      [keptJson(settlements.map((settlement, n) => ({ n, ...settlement })))]
    )
    return inOrder(rows)
  }, MOST_AT_ONCE)
  const loseThose = async (whose: string, at: number): Promise<number> => {
    const [row] = await postgres.rows<{ lost: number }>(
      `SELECT count(*) FILTER (WHERE cost_settle(attempt_id, $1, 'lost', predicted_input_tokens, 0, 0, predicted_micros, true, true)) AS lost
       FROM (SELECT * FROM cost_attempt WHERE settled_at IS NULL AND ${whose} ORDER BY organisation, month, client) AS open`,
      [at, postgres.instance]
    )
    return row?.lost ?? 0
  }

  return {
    async reserve(reservation, caps = []) {
      requireWholeMicros(reservation.predictedMicros)
      return await reserving.add({ ...reservation, month: monthOf(reservation.at), caps })
    },
    async settle(settlement) {
      requireWholeMicros(settlement.costMicros)
      return await settling.add(settlement)
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

function inOrder(rows: readonly Outcome[]): boolean[] {
  return rows.toSorted((a, b) => a.n - b.n).map(({ done }) => done)
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
