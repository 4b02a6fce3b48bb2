// The agent's inputs and their outcomes in the shared PostgreSQL. A decision and its actions are one transaction; what one instance is
// deciding no other is given.
import { CopilotError } from '../../shared/errors.ts'
import { agentInputSchema, agentOutputSchema, priorities, type AgentOutput } from '../decisions/contract.ts'
import type { Postgres, PostgresQueries } from '../store/postgres.ts'
import type { InputState, WorkItem, Worklist } from './worklist.ts'

interface Row {
  readonly input: string
  readonly state: InputState
  readonly output: string | null
  readonly attempts: number
  readonly decidedAt: number | null
  readonly reviewer: string | null
  readonly reviewedAt: number | null
  readonly reason: string | null
  readonly lastError: string | null
}

const COLUMNS = `input, state, output, attempts, decided_at AS "decidedAt", reviewer, reviewed_at AS "reviewedAt", review_reason AS reason,
  last_error AS "lastError"`

export function createPostgresWorklist(postgres: Postgres): Worklist {
  const { instance } = postgres
  const select = async (rest: string, values: readonly (string | number | null)[], queries: PostgresQueries = postgres): Promise<WorkItem[]> =>
    (await queries.rows<Row>(`SELECT ${COLUMNS} FROM agent_input ${rest}`, values)).map(read)
  const keepActions = async (queries: PostgresQueries, output: AgentOutput, now: number): Promise<void> => {
    for (const action of output.actions) {
      await queries.count(
        `INSERT INTO agent_action (action_id, input_id, business_id, action, rank, state, next_at)
         SELECT $1, input_id, business_id, $3, $4, $5, $6 FROM agent_input WHERE input_id = $2`,
        [
          action.id,
          output.inputId,
          JSON.stringify(action),
          priorities.indexOf(action.priority),
          output.requiresHumanReview ? 'held' : 'ready',
          action.executeAt ?? now
        ]
      )
    }
  }
  return {
    async accept(input, now) {
      const { id, source, businessId, userId = null } = input
      const added = await postgres.count(
        `INSERT INTO agent_input (input_id, source, business_id, user_id, input, received_at, state) VALUES ($1, $2, $3, $4, $5, $6, 'waiting')
         ON CONFLICT DO NOTHING`,
        [id, source, businessId, userId, JSON.stringify(input), now]
      )
      return { isNew: added === 1 }
    },
    async waiting(now, limit) {
      const taken = await postgres.rows<Row & { received_at: number; input_id: string }>(
        `WITH due AS (
           SELECT input_id AS id FROM agent_input WHERE state = 'waiting' AND next_at <= $1 AND service_free(owner, $3)
           ORDER BY received_at, input_id LIMIT $2 FOR UPDATE SKIP LOCKED
         ), taken AS (
           UPDATE agent_input SET owner = $3 FROM due WHERE input_id = due.id RETURNING agent_input.*
         )
         SELECT ${COLUMNS} FROM taken ORDER BY received_at, input_id`,
        [now, limit, instance]
      )
      return taken.map(read)
    },
    decided: (output, now) =>
      postgres.transaction(async (queries) => {
        const changed = await queries.count(
          `UPDATE agent_input SET state = $1, output = $2, decided_at = $3, last_error = NULL, owner = NULL WHERE input_id = $4 AND state = 'waiting'`,
          [output.requiresHumanReview ? 'held' : 'settled', JSON.stringify(output), now, output.inputId]
        )
        if (changed === 1) await keepActions(queries, output, now)
        return changed === 1
      }),
    async undecided(inputId, error, retryAt) {
      await postgres.count(
        `UPDATE agent_input SET state = $1, attempts = attempts + 1, next_at = $2, last_error = $3, owner = NULL
         WHERE input_id = $4 AND state = 'waiting'`,
        [retryAt === null ? 'failed' : 'waiting', retryAt ?? 0, error, inputId]
      )
    },
    inspect: async (inputId) => (await select('WHERE input_id = $1', [inputId]))[0] ?? null,
    held: (businessId, limit) =>
      select("WHERE state = 'held' AND ($1::text IS NULL OR business_id = $1) ORDER BY decided_at, input_id LIMIT $2", [businessId, limit]),
    review: ({ inputId, isApproved, reviewer, reason, now }) =>
      postgres.transaction(async (queries) => {
        const [before] = await select('WHERE input_id = $1 FOR UPDATE', [inputId], queries)
        if (before === undefined) throw new CopilotError('not_found', 'There is nothing with this id to review.')
        if (before.state !== 'held') throw new CopilotError('conflict', `This was not waiting for a review (any more): it is ${before.state}.`)
        await queries.count(
          'UPDATE agent_input SET state = $1, reviewer = $2, reviewed_at = $3, review_reason = $4, told_at = NULL WHERE input_id = $5',
          [isApproved ? 'approved' : 'rejected', reviewer, now, reason, inputId]
        )
        await queries.count("UPDATE agent_action SET state = $1, ended_at = $2 WHERE input_id = $3 AND state = 'held'", [
          isApproved ? 'ready' : 'dropped',
          isApproved ? null : now,
          inputId
        ])
        const [after] = await select('WHERE input_id = $1', [inputId], queries)
        return after ?? before
      }),
    untold: (limit) => select('WHERE told_at IS NULL AND output IS NOT NULL ORDER BY decided_at LIMIT $1', [limit]),
    async told(inputId, now) {
      await postgres.count('UPDATE agent_input SET told_at = $1 WHERE input_id = $2', [now, inputId])
    }
  }
}

function read({ input, state, output, attempts, decidedAt, reviewer, reviewedAt, reason, lastError }: Row): WorkItem {
  return {
    state,
    attempts,
    decidedAt,
    lastError,
    input: agentInputSchema.parse(JSON.parse(input)),
    output: output === null ? null : agentOutputSchema.parse(JSON.parse(output)),
    review: reviewer === null ? null : { reviewer, at: reviewedAt ?? 0, reason: reason ?? '' }
  }
}
