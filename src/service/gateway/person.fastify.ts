// A person's rights over REST: everything that is kept of them as lines of JSON, and its erasure; for an administrator also
// another's, on the audit.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Audit } from '../audit/audit.ts'
import { pseudonymOf } from '../audit/pseudonym.ts'
import type { Caller } from '../auth/caller.ts'
import { may, requirePermission } from '../auth/permissions.ts'
import type { Person } from '../person/person.ts'

export interface PersonRouteParts {
  readonly person: Person
  readonly audit: Audit
}

const OWN = '/api/v1/me/data'
const ANYBODYS = '/api/v1/persons/:id/data'

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
export function personRoutes(
  app: FastifyInstance,
  { person, audit }: PersonRouteParts,
  callerOf: (request: FastifyRequest) => Promise<Caller>
): void {
  const send = (reply: FastifyReply, userId: string, actor: string): FastifyReply =>
    reply
      .header('content-type', 'application/x-ndjson; charset=utf-8')
      .header('content-disposition', 'attachment; filename="aside-data.ndjson"')
      .send(Readable.from(person.export(userId, actor)))

  /** Whose data an administrator asks for. Throws `forbidden`, and who tried is on the audit. */
  const asked = async (request: FastifyRequest): Promise<{ userId: string; actor: string }> => {
    const caller = await callerOf(request)
    const { id: userId } = request.params as { id: string }
    if (!may(caller, 'person.erase-any')) {
      const details = { permission: 'person.erase-any', method: request.method }
      await audit.record({ actor: caller.userId, action: 'access.denied', subject: pseudonymOf(userId), details })
    }
    requirePermission(caller, 'person.erase-any')
    return { userId, actor: caller.userId }
  }

  app.get(OWN, async (request, reply) => {
    const { userId } = await callerOf(request)
    return send(reply, userId, userId)
  })
  app.delete(OWN, async (request) => {
    const { userId } = await callerOf(request)
    return { erased: await person.erase(userId, userId) }
  })
  app.get(ANYBODYS, async (request, reply) => {
    const { userId, actor } = await asked(request)
    return send(reply, userId, actor)
  })
  app.delete(ANYBODYS, async (request) => {
    const { userId, actor } = await asked(request)
    return { erased: await person.erase(userId, actor) }
  })
}
