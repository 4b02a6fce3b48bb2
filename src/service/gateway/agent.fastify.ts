// The agent beside the chat, over REST: inputs, reviews, message models, scheduled tasks. Who may what is decided at the desk.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { InputDesk } from '../agent/inputDesk.ts'
import type { KeptAction } from '../actions/outbox.ts'
import type { WorkItem } from '../actions/worklist.ts'
import type { Caller } from '../auth/caller.ts'
import type { ScheduledTask } from '../schedule/schedule.ts'

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
/** Everything below /api/v1/agent. */
export function agentRoutes(app: FastifyInstance, desk: InputDesk, callerOf: (request: FastifyRequest) => Promise<Caller>): void {
  const base = '/api/v1/agent'
  const idOf = ({ params }: FastifyRequest): string => (params as { id: string }).id
  app.post(`${base}/inputs`, async (request, reply) => {
    const { id, isDuplicate } = await desk.submit(await callerOf(request), request.body)
    return await reply.code(202).send({ id, duplicate: isDuplicate })
  })
  app.get(`${base}/inputs/:id`, async (request) => {
    const { item, actions } = await desk.inspect(await callerOf(request), idOf(request))
    return { ...shown(item), actions: actions.map(shownAction) }
  })
  app.get(`${base}/reviews`, async (request) => ({ reviews: (await desk.held(await callerOf(request))).map(shown) }))
  app.post(`${base}/reviews/:id`, async (request) => shown(await desk.review(await callerOf(request), idOf(request), request.body)))
  app.get(`${base}/models`, async (request) => ({ models: await desk.models(await callerOf(request)) }))
  app.post(`${base}/models`, async (request, reply) => {
    await desk.putModel(await callerOf(request), request.body)
    return await reply.code(204).send()
  })
  app.get(`${base}/tasks`, async (request) => ({ tasks: (await desk.tasks(await callerOf(request))).map(shownTask) }))
  app.post(`${base}/tasks`, async (request, reply) => reply.code(201).send(shownTask(await desk.schedule(await callerOf(request), request.body))))
  app.get(`${base}/tasks/:id`, async (request) => shownTask(await desk.task(await callerOf(request), idOf(request))))
  app.delete(`${base}/tasks/:id`, async (request) => shownTask(await desk.cancelTask(await callerOf(request), idOf(request))))
}

function shown({ input, state, output, decidedAt, review, lastError }: WorkItem): object {
  return {
    input: { ...input, timestamp: iso(input.timestamp) },
    state,
    output,
    decidedAt: iso(decidedAt),
    review: review === null ? null : { ...review, at: iso(review.at) },
    error: lastError
  }
}

function shownAction({ action, state, attempts, nextAt, lastError, endedAt }: KeptAction): object {
  return { ...action, executeAt: iso(action.executeAt ?? null), state, attempts, nextAt: iso(nextAt), error: lastError, endedAt: iso(endedAt) }
}

function shownTask({ nextAt, lastAt, createdAt, ...task }: ScheduledTask): object {
  return { ...task, nextAt: iso(nextAt), lastAt: iso(lastAt), createdAt: iso(createdAt) }
}
