// Tasks that come round by the clock: kept, listed, cancelled, looked at. A port. When one is due it becomes an input of the agent.
import { Cron } from 'croner'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'

export const taskOrderSchema = z.object({
  name: z.string().min(1).max(200),
  /** Five or six fields, as cron has them. */
  cron: z.string().min(1).max(100),
  /** IANA name. */
  timezone: z.string().min(1).max(100).default('UTC'),
  /** What each run is as an input. */
  type: z.string().min(1).max(200),
  text: z.string().max(32_000).default(''),
  data: z.record(z.string().max(128), z.unknown()).default({})
})
export type TaskOrder = z.infer<typeof taskOrderSchema>

export interface ScheduledTask extends TaskOrder {
  readonly taskId: string
  readonly businessId: string
  readonly userId: string | null
  /** `finished`: its pattern has no next time. */
  readonly state: 'active' | 'cancelled' | 'finished'
  /** Unix ms. */
  readonly nextAt: number | null
  readonly lastAt: number | null
  readonly runs: number
  /** Times that passed while nothing ran, in all; each stretch of them was made up for by one run. */
  readonly missed: number
  readonly createdAt: number
}

export interface Schedule {
  add(task: ScheduledTask): Promise<void>
  inspect(taskId: string): Promise<ScheduledTask | null>
  /** By next time; `businessId` null: of every business. */
  list(businessId: string | null, limit: number): Promise<readonly ScheduledTask[]>
  /** Resolves with false when it was not active. */
  cancel(taskId: string): Promise<boolean>
  due(now: number, limit: number): Promise<readonly ScheduledTask[]>
  /** Moves on from the time `ranAt`; of a task that has moved on already, nothing changes. */
  advance(
    taskId: string,
    step: { readonly dueAt: number; readonly nextAt: number | null; readonly ranAt: number; readonly missed: number }
  ): Promise<void>
  nextAt(): Promise<number | null>
}

/** The first time after `after`, Unix ms; null: there is none. Throws `invalid_request` for what is no pattern or no time zone. */
export function nextTime({ cron, timezone }: Pick<TaskOrder, 'cron' | 'timezone'>, after: number): number | null {
  try {
    return new Cron(cron, { timezone, paused: true }).nextRun(new Date(after))?.getTime() ?? null
  } catch (error) {
    throw new CopilotError(
      'invalid_request',
      `“${cron}” in “${timezone}” is not a time that comes round. Use cron’s five fields, such as 0 9 * * 1-5.`,
      {
        cause: error
      }
    )
  }
}

/** Later than this after its time, a run counts as missed and made up for. */
export const LATE_MS = 60_000
const COUNTED = 1_000

export interface DueRun {
  readonly nextAt: number | null
  /** Times that have passed since `dueAt`, it included, without a run of their own; 0: it runs on time. At most 1,000 are counted. */
  readonly missed: number
}

/** What becomes of a task that is due: one run, however many times have passed. Pure. */
export function dueRun(task: Pick<TaskOrder, 'cron' | 'timezone'>, dueAt: number, now: number): DueRun {
  const nextAt = nextTime(task, now)
  let passed = 1
  for (let at = nextTime(task, dueAt); at !== null && at <= now && passed < COUNTED; at = nextTime(task, at)) passed += 1
  return { nextAt, missed: passed === 1 && now - dueAt <= LATE_MS ? 0 : passed }
}
