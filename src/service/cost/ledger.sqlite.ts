// The cost ledger in the service's store. Sums by month are kept beside the rows and change in the same transaction, once for all
// that it settles, so a budget is read in one look however long the ledger is.
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
  type Settlement,
  type Spending
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

/** What the settling of an attempt needs of its reservation. */
interface Reserved {
  readonly organisation: string
  readonly client: string
  readonly month: string
  readonly predictedMicros: number
}

/** What one transaction adds to a sum; less than nothing where a reservation ends. */
interface Added {
  readonly organisation: string
  readonly client: string
  readonly month: string
  spentMicros: number
  reservedMicros: number
}

/** The purse of a whole organisation in the sums; no client is called this, for names have no control characters. */
const WHOLE = '\u0000'
/** Reservations that are remembered; many more than can be open, should settlements be refused for long. */
const MOST_REMEMBERED = 10_000

export function createSqliteLedger({ database, writer }: Pick<Store, 'database' | 'writer'>): Ledger {
  // Without names: binding them takes longer than the insert.
  const insert = database.prepare<[string, string, string, string, string, string, string, number, string, number, number]>(`
    INSERT INTO cost_attempt (attempt_id, turn_id, user_id, organisation, client, provider, model, at, month, predicted_micros, predicted_input_tokens)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
  const find = database.prepare<[string], Reserved>(
    'SELECT organisation, client, month, predicted_micros AS predictedMicros FROM cost_attempt WHERE attempt_id = ?'
  )
  const ofTurn = database.prepare<[string], Row>('SELECT * FROM cost_attempt WHERE turn_id = ? ORDER BY at, rowid')
  // The row says by itself whether it is still open: no reading first.
  const finish = database.prepare<[number, AttemptOutcome, number, number, number, number, number, number, string]>(`
    UPDATE cost_attempt SET settled_at = ?, outcome = ?, input_tokens = ?, output_tokens = ?, cached_tokens = ?, cost_micros = ?, estimated = ?, priced = ?
    WHERE attempt_id = ? AND settled_at IS NULL`)
  const addToMonth = database.prepare<[number, number, string, string, string]>(
    'UPDATE cost_month SET spent_micros = spent_micros + ?, reserved_micros = reserved_micros + ? WHERE organisation = ? AND client = ? AND month = ?'
  )
  const beginMonth = database.prepare<[number, number, string, string, string]>(
    'INSERT INTO cost_month (spent_micros, reserved_micros, organisation, client, month) VALUES (?, ?, ?, ?, ?)'
  )
  const ofMonth = database.prepare<[string, string, string], { spentMicros: number; reservedMicros: number }>(
    'SELECT spent_micros AS spentMicros, reserved_micros AS reservedMicros FROM cost_month WHERE organisation = ? AND client = ? AND month = ?'
  )
  const open = database.prepare<[], Row>('SELECT * FROM cost_attempt WHERE settled_at IS NULL')
  const countTurns = database.prepare<[string, number], { turns: number }>(
    'SELECT count(DISTINCT turn_id) AS turns FROM cost_attempt WHERE user_id = ? AND at >= ?'
  )
  const sums = database.prepare<[], { rows: number; open: number; cost: number; estimated: number }>(`
    SELECT count(*) AS rows, count(*) FILTER (WHERE settled_at IS NULL) AS open, coalesce(sum(cost_micros), 0) AS cost,
      coalesce(sum(estimated), 0) AS estimated FROM cost_attempt`)

  /** Of the transaction under way, by purse and month: all turns of a commit change the same few sums, which are written once. */
  const added = new Map<string, Added>()
  /** By attempt, as its row has it: settling it reads nothing. Others are looked up. */
  const remembered = new Map<string, Reserved>()

  writer.join({
    begin: () => added.clear(),
    end() {
      for (const { organisation, client, month, spentMicros, reservedMicros } of added.values()) {
        const sum = [spentMicros, reservedMicros, organisation, client, month] as const
        if (addToMonth.run(...sum).changes === 0) beginMonth.run(...sum)
      }
      added.clear()
    }
  })

  const addTo = (client: string, { organisation, month }: Reserved, micros: { readonly spent: number; readonly reserved: number }): void => {
    const key = keyOf(organisation, client, month)
    const sum = added.get(key)
    if (sum === undefined) added.set(key, { organisation, client, month, spentMicros: micros.spent, reservedMicros: micros.reserved })
    else {
      sum.spentMicros += micros.spent
      sum.reservedMicros += micros.reserved
    }
  }
  const add = (reserved: Reserved, micros: { readonly spent: number; readonly reserved: number }): void => {
    addTo(WHOLE, reserved, micros)
    addTo(reserved.client, reserved, micros)
  }
  const written = ({ organisation, client }: Purse, month: string): Spending =>
    ofMonth.get(organisation, client ?? WHOLE, month) ?? { spentMicros: 0, reservedMicros: 0 }
  /** Within a transaction. */
  const fits = (reservation: Reservation, month: string, cap: Cap): boolean => {
    const { spentMicros, reservedMicros } = written(cap, month)
    const more = added.get(keyOf(cap.organisation, cap.client ?? WHOLE, month))
    const inUse = spentMicros + reservedMicros + (more === undefined ? 0 : more.spentMicros + more.reservedMicros)
    return inUse + reservation.predictedMicros <= cap.micros
  }
  const reserve = (reservation: Reservation, caps: readonly Cap[]): boolean => {
    const { attemptId, turnId, userId, organisation, client, provider, model, at, predictedMicros, predictedInputTokens } = reservation
    if (caps.length > 0 && find.get(attemptId) !== undefined) return true
    requireWholeMicros(predictedMicros)
    const month = monthOf(at)
    if (!caps.every((cap) => fits(reservation, month, cap))) return false
    const { changes } = insert.run(attemptId, turnId, userId, organisation, client, provider, model, at, month, predictedMicros, predictedInputTokens)
    if (changes === 0) return true
    const reserved = { organisation, client, month, predictedMicros }
    if (remembered.size >= MOST_REMEMBERED) remembered.clear()
    remembered.set(attemptId, reserved)
    add(reserved, { spent: 0, reserved: predictedMicros })
    return true
  }
  const settle = (settlement: Settlement): boolean => {
    const { attemptId, at, outcome, inputTokens, outputTokens, cachedTokens, costMicros, estimated, priced } = settlement
    requireWholeMicros(costMicros)
    const { changes } = finish.run(at, outcome, inputTokens, outputTokens, cachedTokens, costMicros, estimated ? 1 : 0, priced ? 1 : 0, attemptId)
    if (changes === 0) return false
    const reserved = remembered.get(attemptId) ?? find.get(attemptId)
    if (reserved === undefined) throw new Error(`attempt ${attemptId} was settled and is not there`)
    remembered.delete(attemptId)
    add(reserved, { spent: costMicros, reserved: -reserved.predictedMicros })
    return true
  }

  return {
    reserve: (reservation, caps = []) => writer.write(() => reserve(reservation, caps)),
    settle: (settlement, bond) => writer.write(() => settle(settlement), bond),
    spending: async (purse, month) => written(purse, month),
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

function keyOf(organisation: string, client: string, month: string): string {
  return `${organisation}\n${client}\n${month}`
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
