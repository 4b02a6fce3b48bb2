// Lifting limits in an emergency, over REST: who may, for how long, and why is decided and put on the audit in `limits`.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import { durationMs } from '../duration.ts'
import type { Override, Overrides } from '../limits/overrides.ts'

const organisation = z.string().min(1).max(128)
const orderSchema = z.strictObject({ organisation, for: z.string().max(20), reason: z.string().max(10_000) })
const endSchema = z.strictObject({ organisation })

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
/** POST and DELETE /api/v1/admin/limits/override. */
export function addOverrides(app: FastifyInstance, overrides: Overrides, callerOf: (request: FastifyRequest) => Promise<Caller>): void {
  const path = '/api/v1/admin/limits/override'
  app.post(path, async (request) => {
    const caller = await callerOf(request)
    const order = orderSchema.safeParse(request.body)
    if (!order.success) throw invalid('The body must be {"organisation": …, "for": "30m", "reason": …}.')
    const { for: duration, reason } = order.data
    return shown(await overrides.grant(caller, { organisation: order.data.organisation, forMs: durationMs(duration) ?? 0, reason }))
  })
  app.delete(path, async (request, reply) => {
    const caller = await callerOf(request)
    const end = endSchema.safeParse(request.body)
    if (!end.success) throw invalid('The body must be {"organisation": …}.')
    await overrides.revoke(caller, end.data.organisation)
    return await reply.code(204).send()
  })
}

function shown({ organisation: name, until, grantedBy, reason }: Override): object {
  return { organisation: name, until: new Date(until).toISOString(), granted_by: grantedBy, reason }
}

function invalid(message: string): CopilotError {
  return new CopilotError('invalid_request', message)
}
