// Scheduled tasks in the service's store.
import type { Store } from '../store/store.ts'
import { taskOrderSchema, type Schedule, type ScheduledTask } from './schedule.ts'

interface Row {
  readonly taskId: string
  readonly businessId: string
  readonly userId: string | null
  readonly task: string
  readonly state: ScheduledTask['state']
  readonly nextAt: number | null
  readonly lastAt: number | null
  readonly runs: number
  readonly missed: number
  readonly createdAt: number
}

const columns = `task_id AS taskId, business_id AS businessId, user_id AS userId, task, state, next_at AS nextAt, last_at AS lastAt, runs, missed,
  created_at AS createdAt`

export function createSqliteSchedule({ database, writer }: Pick<Store, 'database' | 'writer'>): Schedule {
  const insert = database.prepare<[Row]>(
    `INSERT INTO scheduled_task (task_id, business_id, user_id, task, state, next_at, last_at, runs, missed, created_at)
     VALUES (@taskId, @businessId, @userId, @task, @state, @nextAt, @lastAt, @runs, @missed, @createdAt)`
  )
  const one = database.prepare<[string], Row>(`SELECT ${columns} FROM scheduled_task WHERE task_id = ?`)
  const all = database.prepare<[{ businessId: string | null; limit: number }], Row>(
    `SELECT ${columns} FROM scheduled_task WHERE @businessId IS NULL OR business_id = @businessId ORDER BY next_at IS NULL, next_at, task_id LIMIT @limit`
  )
  const cancel = database.prepare<[string]>("UPDATE scheduled_task SET state = 'cancelled', next_at = NULL WHERE task_id = ? AND state = 'active'")
  const due = database.prepare<[number, number], Row>(
    `SELECT ${columns} FROM scheduled_task WHERE state = 'active' AND next_at <= ? ORDER BY next_at, task_id LIMIT ?`
  )
  const advance = database.prepare<[{ taskId: string; dueAt: number; nextAt: number | null; ranAt: number; missed: number }]>(
    `UPDATE scheduled_task SET next_at = @nextAt, last_at = @ranAt, runs = runs + 1, missed = missed + @missed,
       state = CASE WHEN @nextAt IS NULL THEN 'finished' ELSE state END
     WHERE task_id = @taskId AND next_at = @dueAt AND state = 'active'`
  )
  const next = database.prepare<[], number | null>("SELECT min(next_at) FROM scheduled_task WHERE state = 'active'").pluck()
  const read = ({ task, ...rest }: Row): ScheduledTask => ({ ...taskOrderSchema.parse(JSON.parse(task)), ...rest })
  return {
    add: (task) =>
      writer.write(() => {
        insert.run({ ...task, task: JSON.stringify(taskOrderSchema.parse(task)) })
      }),
    inspect: async (taskId) => {
      const row = one.get(taskId)
      return row === undefined ? null : read(row)
    },
    list: async (businessId, limit) => all.all({ businessId, limit }).map(read),
    cancel: (taskId) => writer.write(() => cancel.run(taskId).changes === 1),
    due: async (now, limit) => due.all(now, limit).map(read),
    advance: (taskId, step) =>
      writer.write(() => {
        advance.run({ taskId, ...step })
      }),
    nextAt: async () => next.get() ?? null
  }
}
