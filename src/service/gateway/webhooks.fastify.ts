// Webhooks, `POST /api/webhooks/{source}`: an event of another system, signed by it, is kept and acknowledged. What follows from
// it is the agent's matter.
import type { FastifyInstance } from 'fastify'
import { CopilotError } from '../../shared/errors.ts'
import { cleanText } from '../../shared/kit/text.ts'
import type { GatewayParts } from './gateway.ts'
import { verifyDelivery } from './webhookSignature.ts'

/** Sources whose secret is not known take as long to refuse as others. */
const NOBODYS_SECRET = 'there is no such source, and no secret of it'

/* oxlint-disable oxc/no-async-endpoint-handlers -- the rule is Express's; Fastify awaits its handlers */
export async function webhookRoutes(app: FastifyInstance, { events, webhookSecrets, clock, newId }: GatewayParts): Promise<void> {
  // In a room of its own: what is signed is the body as it came, before it is read as JSON.
  await app.register(async (room) => {
    room.removeContentTypeParser('application/json')
    room.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    room.post('/api/webhooks/:source', async (request, reply) => {
      const { source } = request.params as { source: string }
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const secret = webhookSecrets.get(source)
      const header = (name: string): string | undefined => {
        const value = request.headers[name]
        return typeof value === 'string' ? value : undefined
      }
      const delivery = { id: header('webhook-id'), timestamp: header('webhook-timestamp'), signature: header('webhook-signature'), body }
      const deliveryId = verifyDelivery(delivery, secret ?? NOBODYS_SECRET, clock.now())
      const event = { source, deliveryId, eventId: newId(), ...contentOf(body), receivedAt: clock.now() }
      const { eventId, isNew } = await events.receive(event)
      return reply.code(202).send({ accepted: true, id: eventId, duplicate: !isNew })
    })
  })
}

/** Throws `invalid_request` for what is not a JSON object. */
function contentOf(body: Buffer): { type: string; body: string } {
  const content = parse(body)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw notAnObject()
  const type = 'type' in content && typeof content.type === 'string' ? cleanText(content.type).slice(0, 200) : ''
  return { type, body: body.toString() }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw notAnObject(error)
  }
}

function notAnObject(cause?: unknown): CopilotError {
  return new CopilotError('invalid_request', 'The body of a webhook must be a JSON object.', { cause })
}
