// The audit log over REST, for administrators: its entries page by page, and whether the chain is as it was written.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { AuditReader } from '../audit/reader.ts'
import type { Caller } from '../auth/caller.ts'
import { requirePermission } from '../auth/permissions.ts'

const MOST_OF_A_PAGE = 500
const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(MOST_OF_A_PAGE).default(100),
  before: z.coerce.number().int().min(1).optional()
})

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
export function auditRoutes(app: FastifyInstance, audit: AuditReader, callerOf: (request: FastifyRequest) => Promise<Caller>): void {
  app.get('/api/v1/audit', async (request) => {
    requirePermission(await callerOf(request), 'audit.read')
    const page = pageSchema.safeParse(request.query)
    if (!page.success)
      throw new CopilotError('invalid_request', `limit must be a whole number from 1 to ${MOST_OF_A_PAGE}, before an entry's number.`)
    const entries = await audit.page(page.data)
    const last = entries.at(-1)
    return {
      entries: entries.map(({ at, ...entry }) => ({ ...entry, at: new Date(at).toISOString() })),
      next_before: entries.length === page.data.limit && last !== undefined && last.n > 1 ? last.n : null
    }
  })
  app.get('/api/v1/audit/verify', async (request) => {
    requirePermission(await callerOf(request), 'audit.read')
    const { ok, entries, heads, brokenAt, reason } = await audit.verify()
    return { ok, entries, heads, broken_at: brokenAt, reason }
  })
}
