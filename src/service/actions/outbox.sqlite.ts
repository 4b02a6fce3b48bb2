// The action outbox in the service's store. What is leased when the process dies is due again when its lease ends.
import { CopilotError } from '../../shared/errors.ts'
import { agentActionSchema } from '../decisions/contract.ts'
import type { Store } from '../store/store.ts'
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

const columns = `action, input_id AS inputId, business_id AS businessId, state, attempts, max(next_at, leased_until) AS nextAt,
  last_error AS lastError, ended_at AS endedAt`
/** Leases of a process that is gone: the store has one owner, so whoever opens it holds none yet. */
const RELEASE = "UPDATE agent_action SET leased_until = 0 WHERE state = 'ready' AND leased_until > 0"

export function createSqliteOutbox({ database, writer }: Pick<Store, 'database' | 'writer'>): Outbox {
  const due = database.prepare<[{ now: number; limit: number }], Row & { id: string }>(
    `SELECT action_id AS id, ${columns} FROM agent_action WHERE state = 'ready' AND next_at <= @now AND leased_until <= @now
     ORDER BY rank DESC, next_at, action_id LIMIT @limit`
  )
  const take = database.prepare<[number, string]>('UPDATE agent_action SET attempts = attempts + 1, leased_until = ? WHERE action_id = ?')
  const end = database.prepare<[ActionState, string | null, number, string]>(
    "UPDATE agent_action SET state = ?, last_error = ?, ended_at = ?, leased_until = 0 WHERE action_id = ? AND state = 'ready'"
  )
  const later = database.prepare<[string, number, string]>(
    "UPDATE agent_action SET last_error = ?, next_at = ?, leased_until = 0 WHERE action_id = ? AND state = 'ready'"
  )
  const again = database.prepare<[number, string]>(
    "UPDATE agent_action SET state = 'ready', attempts = 0, next_at = ?, ended_at = NULL WHERE action_id = ? AND state = 'dead'"
  )
  const stateOf = database.prepare<[string], ActionState>('SELECT state FROM agent_action WHERE action_id = ?').pluck()
  const ofInput = database.prepare<[string], Row>(`SELECT ${columns} FROM agent_action WHERE input_id = ? ORDER BY action_id`)
  const inState = database.prepare<[ActionState, number], Row>(
    `SELECT ${columns} FROM agent_action WHERE state = ? ORDER BY next_at, action_id LIMIT ?`
  )
  const next = database.prepare<[], number | null>("SELECT min(max(next_at, leased_until)) FROM agent_action WHERE state = 'ready'").pluck()
  const read = ({ action, ...rest }: Row): KeptAction => ({ ...rest, action: agentActionSchema.parse(JSON.parse(action)) })
  const run = (statement: () => unknown): Promise<void> =>
    writer.write(() => {
      statement()
    })

  database.exec(RELEASE)
  return {
    lease: (now, { leaseMs, limit }) =>
      writer.write(() =>
        due.all({ now, limit }).map(({ id, ...row }) => {
          take.run(now + leaseMs, id)
          return { ...read(row), attempts: row.attempts + 1 }
        })
      ),
    done: (actionId, now) => run(() => end.run('done', null, now, actionId)),
    retry: (actionId, error, nextAt) => run(() => later.run(error, nextAt, actionId)),
    dead: (actionId, error, now) => run(() => end.run('dead', error, now, actionId)),
    revive: (actionId, now) =>
      run(() => {
        if (again.run(now, actionId).changes === 1) return
        const state = stateOf.get(actionId)
        if (state === undefined) throw new CopilotError('not_found', 'There is no such action.')
        throw new CopilotError('conflict', `The action was not given up: it is ${state}.`)
      }),
    ofInput: async (inputId) => ofInput.all(inputId).map(read),
    inState: async (state, limit) => inState.all(state, limit).map(read),
    nextAt: async () => next.get() ?? null
  }
}
