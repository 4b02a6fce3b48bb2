// The agent's inputs and their outcomes in the service's store. A decision and its actions are one transaction.
import { CopilotError } from '../../shared/errors.ts'
import { agentInputSchema, agentOutputSchema, priorities, type AgentAction, type AgentOutput } from '../decisions/contract.ts'
import type { Store } from '../store/store.ts'
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

const columns = `input, state, output, attempts, decided_at AS decidedAt, reviewer, reviewed_at AS reviewedAt, review_reason AS reason, last_error AS lastError`

export function createSqliteWorklist({ database, writer }: Pick<Store, 'database' | 'writer'>): Worklist {
  const insert = database.prepare<[{ id: string; source: string; businessId: string; userId: string | null; input: string; now: number }]>(
    `INSERT INTO agent_input (input_id, source, business_id, user_id, input, received_at, state)
     VALUES (@id, @source, @businessId, @userId, @input, @now, 'waiting') ON CONFLICT DO NOTHING`
  )
  const select = (where: string): string => `SELECT ${columns} FROM agent_input WHERE ${where}`
  const waiting = database.prepare<[number, number], Row>(select("state = 'waiting' AND next_at <= ? ORDER BY received_at, input_id LIMIT ?"))
  const one = database.prepare<[string], Row>(select('input_id = ?'))
  const held = database.prepare<[{ businessId: string | null; limit: number }], Row>(
    select("state = 'held' AND (@businessId IS NULL OR business_id = @businessId) ORDER BY decided_at, input_id LIMIT @limit")
  )
  const untold = database.prepare<[number], Row>(select('told_at IS NULL AND output IS NOT NULL ORDER BY decided_at LIMIT ?'))
  const decide = database.prepare<[InputState, string, number, string]>(
    "UPDATE agent_input SET state = ?, output = ?, decided_at = ?, last_error = NULL WHERE input_id = ? AND state = 'waiting'"
  )
  const addAction = database.prepare<[{ id: string; inputId: string; action: string; rank: number; state: string; nextAt: number }]>(
    `INSERT INTO agent_action (action_id, input_id, business_id, action, rank, state, next_at)
     SELECT @id, @inputId, business_id, @action, @rank, @state, @nextAt FROM agent_input WHERE input_id = @inputId`
  )
  const postpone = database.prepare<[InputState, number, string, string]>(
    "UPDATE agent_input SET state = ?, attempts = attempts + 1, next_at = ?, last_error = ? WHERE input_id = ? AND state = 'waiting'"
  )
  const judge = database.prepare<[{ state: InputState; reviewer: string; now: number; reason: string; id: string }]>(
    `UPDATE agent_input SET state = @state, reviewer = @reviewer, reviewed_at = @now, review_reason = @reason, told_at = NULL
     WHERE input_id = @id AND state = 'held'`
  )
  const release = database.prepare<[string, number, string]>(
    "UPDATE agent_action SET state = ?, ended_at = nullif(?, 0) WHERE input_id = ? AND state = 'held'"
  )
  const tell = database.prepare<[number, string]>('UPDATE agent_input SET told_at = ? WHERE input_id = ?')

  const keep = (action: AgentAction, output: AgentOutput, now: number): void => {
    const state = output.requiresHumanReview ? 'held' : 'ready'
    const rank = priorities.indexOf(action.priority)
    addAction.run({ id: action.id, inputId: output.inputId, action: JSON.stringify(action), rank, state, nextAt: action.executeAt ?? now })
  }

  return {
    accept: (input, now) =>
      writer.write(() => {
        const { id, source, businessId, userId = null } = input
        return { isNew: insert.run({ id, source, businessId, userId, input: JSON.stringify(input), now }).changes === 1 }
      }),
    waiting: async (now, limit) => waiting.all(now, limit).map(read),
    decided: (output, now) =>
      writer.write(() => {
        const isNew = decide.run(output.requiresHumanReview ? 'held' : 'settled', JSON.stringify(output), now, output.inputId).changes === 1
        if (isNew) for (const action of output.actions) keep(action, output, now)
        return isNew
      }),
    undecided: (inputId, error, retryAt) =>
      writer.write(() => {
        postpone.run(retryAt === null ? 'failed' : 'waiting', retryAt ?? 0, error, inputId)
      }),
    inspect: async (inputId) => {
      const row = one.get(inputId)
      return row === undefined ? null : read(row)
    },
    held: async (businessId, limit) => held.all({ businessId, limit }).map(read),
    review: ({ inputId, isApproved, reviewer, reason, now }) =>
      writer.write(() => {
        const before = one.get(inputId)
        if (before === undefined) throw new CopilotError('not_found', 'There is nothing with this id to review.')
        if (before.state !== 'held') throw new CopilotError('conflict', `This was not waiting for a review (any more): it is ${before.state}.`)
        judge.run({ state: isApproved ? 'approved' : 'rejected', reviewer, now, reason, id: inputId })
        release.run(isApproved ? 'ready' : 'dropped', isApproved ? 0 : now, inputId)
        return read(one.get(inputId) ?? before)
      }),
    untold: async (limit) => untold.all(limit).map(read),
    told: (inputId, now) =>
      writer.write(() => {
        tell.run(now, inputId)
      })
  }
}

function read({ input, output, reviewer, reviewedAt, reason, ...rest }: Row): WorkItem {
  return {
    ...rest,
    input: agentInputSchema.parse(JSON.parse(input)),
    output: output === null ? null : agentOutputSchema.parse(JSON.parse(output)),
    review: reviewer === null ? null : { reviewer, at: reviewedAt ?? 0, reason: reason ?? '' }
  }
}
