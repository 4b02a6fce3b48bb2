// What people and other services may do with the agent beside chatting: hand in inputs, look at what came of them, review what is held,
// lay down message models, schedule tasks. Everybody within their own business; who may is decided here, for every dialect.
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import type { KeptAction, Outbox } from '../actions/outbox.ts'
import type { WorkItem, Worklist } from '../actions/worklist.ts'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../auth/caller.ts'
import { requirePermission } from '../auth/permissions.ts'
import { agentInputSchema } from '../decisions/contract.ts'
import { messageModelSchema, type KeptModel, type MessageModels } from '../decisions/decisions.ts'
import { nextTime, taskOrderSchema, type Schedule, type ScheduledTask } from '../schedule/schedule.ts'
import { NO_BUSINESS } from './admit.ts'

export interface InputDesk {
  /** Durable when it resolves. */
  submit(caller: Caller, body: unknown): Promise<{ readonly id: string; readonly isDuplicate: boolean }>
  inspect(caller: Caller, id: string): Promise<{ readonly item: WorkItem; readonly actions: readonly KeptAction[] }>
  /** What waits for a person. */
  held(caller: Caller): Promise<readonly WorkItem[]>
  review(caller: Caller, id: string, body: unknown): Promise<WorkItem>
  putModel(caller: Caller, body: unknown): Promise<void>
  models(caller: Caller): Promise<readonly KeptModel[]>
  schedule(caller: Caller, body: unknown): Promise<ScheduledTask>
  tasks(caller: Caller): Promise<readonly ScheduledTask[]>
  task(caller: Caller, taskId: string): Promise<ScheduledTask>
  cancelTask(caller: Caller, taskId: string): Promise<ScheduledTask>
}

export interface InputDeskOptions {
  readonly worklist: Worklist
  readonly outbox: Outbox
  readonly models: MessageModels
  readonly schedule: Schedule
  readonly audit: Audit
  readonly clock: Clock
  readonly newId: NewId
  /** There is something to work on. */
  readonly onWork: () => void
}

const orderSchema = agentInputSchema.pick({ locationId: true, type: true, correlationId: true }).extend({
  id: z.string().min(1).max(128).optional(),
  businessId: z.string().min(1).max(200).optional(),
  content: agentInputSchema.shape.content.partial().default({})
})
const verdictSchema = z.strictObject({ approve: z.boolean(), reason: z.string().trim().min(1).max(500) })

const LISTED = 200
/** Bytes of an input as JSON. */
const LARGEST_INPUT = 256_000

export function createInputDesk({ worklist, outbox, models, schedule, audit, clock, newId, onWork }: InputDeskOptions): InputDesk {
  const itemFor = async (caller: Caller, id: string): Promise<WorkItem> => {
    const item = await worklist.inspect(id)
    // What belongs to others does not exist.
    if (item === null || !maySee(caller, item.input)) throw new CopilotError('not_found', 'There is no such input of yours.')
    return item
  }
  const taskFor = async (caller: Caller, taskId: string): Promise<ScheduledTask> => {
    const task = await schedule.inspect(taskId)
    if (task === null || !maySee(caller, { ...task, userId: task.userId ?? undefined }))
      throw new CopilotError('not_found', 'There is no such task of yours.')
    return task
  }

  return {
    async submit(caller, body) {
      requirePermission(caller, 'ask')
      const order = parsed(orderSchema, body)
      const { id: own = newId(), businessId = businessOf(caller), content, ...rest } = order
      requireBusiness(caller, businessId)
      const { text = '', data = {}, metadata = {} } = content
      // Ids are their sender's own: nobody else's input is met by guessing one.
      const id = `${caller.userId}:${own}`
      const input = {
        ...rest,
        id,
        source: 'api' as const,
        userId: caller.userId,
        businessId,
        content: { text, data, metadata },
        timestamp: clock.now()
      }
      if (Buffer.byteLength(JSON.stringify(input)) > LARGEST_INPUT) throw new CopilotError('context_too_large', 'The input is too large. Send less.')
      const { isNew } = await worklist.accept(parsed(agentInputSchema, input), clock.now())
      onWork()
      return { id, isDuplicate: !isNew }
    },
    async inspect(caller, id) {
      return { item: await itemFor(caller, id), actions: await outbox.ofInput(id) }
    },
    async held(caller) {
      requirePermission(caller, 'decision.review')
      return await worklist.held(isEverywhere(caller) ? null : businessOf(caller), LISTED)
    },
    async review(caller, id, body) {
      requirePermission(caller, 'decision.review')
      const { approve: isApproved, reason } = parsed(verdictSchema, body)
      const { state } = await itemFor(caller, id)
      if (state !== 'held') throw new CopilotError('conflict', `This was not waiting for a review (any more): it is ${state}.`)
      // First on the audit: an approval that nobody can account for does not count.
      await audit.record({ actor: caller.userId, action: 'review.decided', subject: id, details: { isApproved, reason } })
      const item = await worklist.review({ inputId: id, isApproved, reviewer: caller.userId, reason, now: clock.now() })
      onWork()
      return item
    },
    async putModel(caller, body) {
      requirePermission(caller, 'decision.model')
      await models.put(parsed(messageModelSchema, body))
    },
    async models(caller) {
      requirePermission(caller, 'ask')
      const all = await models.list()
      return isEverywhere(caller) ? all : all.filter(({ businessId }) => businessId === null || businessId === businessOf(caller))
    },
    async schedule(caller, body) {
      requirePermission(caller, 'ask')
      const order = parsed(taskOrderSchema, body)
      const now = clock.now()
      const nextAt = nextTime(order, now)
      if (nextAt === null) throw new CopilotError('invalid_request', `“${order.cron}” never comes round again.`)
      const held = { state: 'active' as const, nextAt, lastAt: null, runs: 0, missed: 0, createdAt: now }
      const task = { ...order, taskId: newId(), businessId: businessOf(caller), userId: caller.userId, ...held }
      await schedule.add(task)
      onWork()
      return task
    },
    tasks: async (caller) => {
      const all = await schedule.list(isEverywhere(caller) ? null : businessOf(caller), LISTED)
      return all.filter((task) => maySee(caller, { ...task, userId: task.userId ?? undefined }))
    },
    task: taskFor,
    async cancelTask(caller, taskId) {
      const task = await taskFor(caller, taskId)
      if (!(await schedule.cancel(taskId))) throw new CopilotError('conflict', `The task is ${task.state} already.`)
      return await taskFor(caller, taskId)
    }
  }
}

function businessOf({ organisation }: Caller): string {
  return organisation === undefined || organisation === '' ? NO_BUSINESS : organisation
}

/** Administrators see every business. */
function isEverywhere({ role }: Caller): boolean {
  return role === 'admin'
}

/** One's own; a manager's whole business; everything for an administrator. */
function maySee(caller: Caller, { userId, businessId }: { readonly userId?: string | undefined; readonly businessId: string }): boolean {
  if (isEverywhere(caller) || userId === caller.userId) return true
  return caller.role === 'manager' && businessOf(caller) !== NO_BUSINESS && businessId === businessOf(caller)
}

/** Other services speak for any business, because the operator gave them their key; everybody else for their own. */
function requireBusiness(caller: Caller, businessId: string): void {
  if (businessId === businessOf(caller) || isEverywhere(caller) || caller.role === 'service') return
  throw new CopilotError('forbidden', 'You can’t speak for this business. Leave businessId out, or use a token of that organisation.')
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new CopilotError('invalid_request', `The body is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'not an object'}.`)
}
