// The action outbox in the shared PostgreSQL. What one service has leased no other gets, until the lease ends; leases of an instance
// that starts again, or has gone, end at once.
import { CopilotError } from '../../shared/errors.ts'
import { agentActionSchema } from '../decisions/contract.ts'
import type { Postgres } from '../store/postgres.ts'
import type { ActionState, KeptAction, Outbox } from './outbox.ts'

interface Row {
  readonly action: string
  readonly inputId: string
  readonly businessId: string
  readonly state: ActionState
  readonly attempts: number
  readonly nextAt: number
  readonly lastError: string | null
  readonly endedAt: number | null
}

const COLUMNS = `action, input_id AS "inputId", business_id AS "businessId", state, attempts, greatest(next_at, leased_until) AS "nextAt",
  last_error AS "lastError", ended_at AS "endedAt"`
/** Held by nobody else; $1 is this instance. */
const FREE = '(leased_until <= $2 OR owner IS NULL OR (owner <> $1 AND service_free(owner, $1)))'

/** Lets go of what an earlier life of this instance had leased. */
export async function openPostgresOutbox(postgres: Postgres): Promise<Outbox> {
  const { instance } = postgres
  await postgres.count("UPDATE agent_action SET leased_until = 0, owner = NULL WHERE state = 'ready' AND owner = $1", [instance])
  const select = async (rest: string, values: readonly (string | number)[]): Promise<KeptAction[]> =>
    (await postgres.rows<Row>(`SELECT ${COLUMNS} FROM agent_action ${rest}`, values)).map(read)
  const end = async (state: ActionState, actionId: string, { error, now }: { error: string | null; now: number }): Promise<void> => {
    await postgres.count(
      "UPDATE agent_action SET state = $1, last_error = $2, ended_at = $3, leased_until = 0, owner = NULL WHERE action_id = $4 AND state = 'ready'",
      [state, error, now, actionId]
    )
  }
  return {
    async lease(now, { leaseMs, limit }) {
      const taken = await postgres.rows<Row & { rank: number; due: number; id: string }>(
        `WITH due AS (
           SELECT action_id AS id, next_at AS due, rank AS urgency FROM agent_action
           WHERE state = 'ready' AND next_at <= $2 AND ${FREE}
           ORDER BY rank DESC, next_at, action_id LIMIT $4 FOR UPDATE SKIP LOCKED
         ), taken AS (
           UPDATE agent_action SET attempts = attempts + 1, leased_until = $3, owner = $1 FROM due WHERE action_id = due.id
           RETURNING agent_action.*, due.due
         )
         SELECT ${COLUMNS.replace('greatest(next_at, leased_until)', 'due')} FROM taken ORDER BY rank DESC, due, action_id`,
        [instance, now, now + leaseMs, limit]
      )
      return taken.map(read)
    },
    done: (actionId, now) => end('done', actionId, { error: null, now }),
    async retry(actionId, error, nextAt) {
      await postgres.count(
        "UPDATE agent_action SET last_error = $1, next_at = $2, leased_until = 0, owner = NULL WHERE action_id = $3 AND state = 'ready'",
        [error, nextAt, actionId]
      )
    },
    dead: (actionId, error, now) => end('dead', actionId, { error, now }),
    async revive(actionId, now) {
      const revived = await postgres.count(
        "UPDATE agent_action SET state = 'ready', attempts = 0, next_at = $1, ended_at = NULL WHERE action_id = $2 AND state = 'dead'",
        [now, actionId]
      )
      if (revived === 1) return
      const [row] = await postgres.rows<{ state: ActionState }>('SELECT state FROM agent_action WHERE action_id = $1', [actionId])
      if (row === undefined) throw new CopilotError('not_found', 'There is no such action.')
      throw new CopilotError('conflict', `The action was not given up: it is ${row.state}.`)
    },
    ofInput: (inputId) => select('WHERE input_id = $1 ORDER BY action_id', [inputId]),
    inState: (state, limit) => select('WHERE state = $1 ORDER BY next_at, action_id LIMIT $2', [state, limit]),
    async nextAt() {
      const [row] = await postgres.rows<{ at: number | null }>(
        "SELECT min(greatest(next_at, leased_until)) AS at FROM agent_action WHERE state = 'ready'"
      )
      return row?.at ?? null
    }
  }
}

function read({ action, inputId, businessId, state, attempts, nextAt, lastError, endedAt }: Row): KeptAction {
  return { action: agentActionSchema.parse(JSON.parse(action)), inputId, businessId, state, attempts, nextAt, lastError, endedAt }
}
