// The library over REST: who keeps the knowledge of an organisation adds, lists and removes documents. What a document says is
// found by asking; nothing of it is shown here.
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { CopilotError } from '../../shared/errors.ts'
import type { Caller } from '../auth/caller.ts'
import { requirePermission } from '../auth/permissions.ts'
import { clientKey } from '../knowledge/client.ts'
import type { DocumentState } from '../knowledge/library.ts'
import { organisationOf } from '../limits/limits.ts'
import type { KnowledgeRoom } from './gateway.ts'

export interface KnowledgeRouteOptions extends KnowledgeRoom {
  readonly callerOf: (request: FastifyRequest) => Promise<Caller>
  readonly goneSignal: (response: ServerResponse) => AbortSignal
}

const MOST_BYTES = 50 * 1_048_576
const uploadQuery = z.object({ name: z.string().min(1).max(1_000), client: z.string().max(1_000).default('') })
const listQuery = z.object({ client: z.string().max(1_000).optional() })

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
/** `/api/v1/knowledge/documents` and `/api/v1/knowledge/refresh`. */
export async function knowledgeRoutes(app: FastifyInstance, options: KnowledgeRouteOptions): Promise<void> {
  const { library, refreshing, callerOf, goneSignal } = options
  const path = '/api/v1/knowledge/documents'
  const idOf = ({ params }: FastifyRequest): string => (params as { id: string }).id
  const keeper = async (request: FastifyRequest): Promise<Caller> => {
    const caller = await callerOf(request)
    requirePermission(caller, 'knowledge.manage')
    return caller
  }
  // A room of its own: here a body is a document of any type, which goes to the disk as it comes.
  await app.register(async (room) => {
    room.removeAllContentTypeParsers()
    room.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

    room.post(path, { bodyLimit: MOST_BYTES }, async (request, reply) => {
      const caller = await keeper(request)
      const query = uploadQuery.safeParse(request.query)
      const type = request.headers['content-type'] ?? ''
      if (!query.success || type.startsWith('multipart/')) {
        throw new CopilotError('invalid_request', `Send the file itself as the body of POST ${path}?name=<file name>&client=<client>.`)
      }
      const state = await library.add(
        { organisation: organisationOf(caller), actor: caller.userId, client: query.data.client, name: query.data.name, content: request.raw },
        goneSignal(reply.raw)
      )
      return await reply.code(202).header('location', `${path}/${state.id}`).send(shown(state))
    })
    room.get(path, async (request) => {
      const caller = await keeper(request)
      const { client } = listQuery.catch({}).parse(request.query)
      const all = await library.list(organisationOf(caller))
      const wanted = client === undefined ? all : all.filter((document) => clientKey(document.client) === clientKey(client))
      return { documents: wanted.map(shown) }
    })
    room.get(`${path}/:id`, async (request) => {
      const caller = await keeper(request)
      const found = (await library.list(organisationOf(caller))).find(({ id }) => id === idOf(request))
      if (found === undefined) throw new CopilotError('not_found', 'There is no such document.')
      return shown(found)
    })
    room.delete(`${path}/:id`, async (request, reply) => {
      const caller = await keeper(request)
      await library.remove({ organisation: organisationOf(caller), actor: caller.userId, id: idOf(request) })
      return await reply.code(204).send()
    })
    room.post('/api/v1/knowledge/refresh', async (request, reply) => {
      await keeper(request)
      refreshing.now()
      return await reply.code(202).send({ status: 'reading' })
    })
  })
}

function shown({ id, client, name, origin, state, done, total, passages, date, sizeBytes, addedAt, remarks }: DocumentState): object {
  return {
    id,
    client,
    name,
    origin,
    state,
    progress: { done, total },
    passages,
    date,
    size_bytes: sizeBytes,
    added_at: new Date(addedAt).toISOString(),
    remarks
  }
}
