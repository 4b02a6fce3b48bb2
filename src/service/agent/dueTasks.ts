// Scheduled tasks that are due become inputs. The input is named after the task and its time, so that dying between the two steps
// makes it once.
import type { Worklist } from '../actions/worklist.ts'
import type { AgentInput } from '../decisions/contract.ts'
import { dueRun, type Schedule, type ScheduledTask } from '../schedule/schedule.ts'

const AT_ONCE = 100

/** Resolves with when the next one is due; null: none is. */
export async function runDueTasks(schedule: Schedule, worklist: Worklist, now: number): Promise<number | null> {
  for (const task of await schedule.due(now, AT_ONCE)) {
    const dueAt = task.nextAt ?? now
    const { nextAt, missed } = dueRun(task, dueAt, now)
    await worklist.accept(inputOfTask(task, { dueAt, missed, now }), now)
    await schedule.advance(task.taskId, { dueAt, nextAt, ranAt: now, missed })
  }
  return await schedule.nextAt()
}

function inputOfTask(task: ScheduledTask, { dueAt, missed, now }: { dueAt: number; missed: number; now: number }): AgentInput {
  const { taskId, businessId, userId, name, type, text, data } = task
  return {
    id: `schedule:${taskId}:${dueAt}`,
    source: 'schedule',
    ...(userId === null ? {} : { userId }),
    businessId,
    type,
    content: { text, data, metadata: { taskId, name, dueAt: new Date(dueAt).toISOString(), ...(missed > 0 ? { missed } : {}) } },
    timestamp: now,
    correlationId: taskId
  }
}
