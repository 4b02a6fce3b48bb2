// Scheduled tasks in the shared PostgreSQL. Several services may see the same one due: its run has one name, and it moves on once.
import type { PostgresQueries } from '../store/postgres.ts'
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

const SELECT = `SELECT task_id AS "taskId", business_id AS "businessId", user_id AS "userId", task, state, next_at AS "nextAt", last_at AS "lastAt",
  runs, missed, created_at AS "createdAt" FROM scheduled_task`

export function createPostgresSchedule(postgres: PostgresQueries): Schedule {
  const select = async (rest: string, values: readonly (string | number | null)[]): Promise<ScheduledTask[]> =>
    (await postgres.rows<Row>(`${SELECT} ${rest}`, values)).map(({ task, ...row }) => ({ ...taskOrderSchema.parse(JSON.parse(task)), ...row }))
  return {
    async add(task) {
      const { taskId, businessId, userId, state, nextAt, lastAt, runs, missed, createdAt } = task
      await postgres.count(
        `INSERT INTO scheduled_task (task_id, business_id, user_id, task, state, next_at, last_at, runs, missed, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [taskId, businessId, userId, JSON.stringify(taskOrderSchema.parse(task)), state, nextAt, lastAt, runs, missed, createdAt]
      )
    },
    inspect: async (taskId) => (await select('WHERE task_id = $1', [taskId]))[0] ?? null,
    list: (businessId, limit) =>
      select('WHERE $1::text IS NULL OR business_id = $1 ORDER BY next_at NULLS LAST, task_id LIMIT $2', [businessId, limit]),
    cancel: async (taskId) =>
      (await postgres.count("UPDATE scheduled_task SET state = 'cancelled', next_at = NULL WHERE task_id = $1 AND state = 'active'", [taskId])) === 1,
    due: (now, limit) => select("WHERE state = 'active' AND next_at <= $1 ORDER BY next_at, task_id LIMIT $2", [now, limit]),
    async advance(taskId, { dueAt, nextAt, ranAt, missed }) {
      await postgres.count(
        `UPDATE scheduled_task SET next_at = $3::bigint, last_at = $4, runs = runs + 1, missed = missed + $5,
           state = CASE WHEN $3::bigint IS NULL THEN 'finished' ELSE state END
         WHERE task_id = $1 AND next_at = $2 AND state = 'active'`,
        [taskId, dueAt, nextAt, ranAt, missed]
      )
    },
    async nextAt() {
      const [row] = await postgres.rows<{ at: number | null }>("SELECT min(next_at) AS at FROM scheduled_task WHERE state = 'active'")
      return row?.at ?? null
    }
  }
}
