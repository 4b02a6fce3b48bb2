// GET /metrics, for Prometheus. It names providers and what they cost, so it takes a token like every other address (ADR 0038).
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../auth/caller.ts'
import { requirePermission } from '../auth/permissions.ts'
import type { Metrics } from '../metrics/metrics.ts'

/** How long the providers may take to say how they are. */
const LOOK_MS = 5_000

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
export function addMetrics(app: FastifyInstance, metrics: Metrics, callerOf: (request: FastifyRequest) => Promise<Caller>): void {
  app.get('/metrics', async (request, reply) => {
    requirePermission(await callerOf(request), 'metrics.read')
    const { contentType, text } = await metrics.render(AbortSignal.timeout(LOOK_MS))
    return await reply.header('content-type', contentType).send(text)
  })
}
