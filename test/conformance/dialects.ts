// The first half of the conformance run: foreign clients hold every conversation of the specification with services that were
// started as the programs they ship as.
import { equal } from 'node:assert/strict'
import { chunk, done, finish, startUpstream, stream } from '../fakes/service-upstream.ts'
import { consultantRestConversations, consultantSocketConversations, deafClient, threadConversations } from './chatConversations.ts'
import { grpcConversations } from './grpcConversations.ts'
import { limitConversations, oneAMinute } from './limitConversations.ts'
import type { Report } from './report.ts'
import { restConversations, webhookConversations } from './restConversations.ts'
import { erpSocketIoConversations, erpWebSocketConversations } from './socketConversations.ts'
import { createWorld } from './world.ts'

const SECRET = 'a secret that the sender knows as well'

export interface DialectOptions {
  /** Leaves out the steps that take as long as two heartbeats. */
  readonly quick?: boolean
}

export async function dialectConformance(report: Report, { quick = false }: DialectOptions = {}): Promise<void> {
  await using world = createWorld()
  await using upstream = await startUpstream()
  let isPresent = false
  upstream.script((response) => void (isPresent ? stream(response).end(chunk('Here again.') + finish() + done) : response.writeHead(503).end('{}')))
  const model = { OPENAI_BASE_URL: upstream.baseUrl, OPENAI_MODEL: 'm', ASIDE_LOCAL_KNOWLEDGE: '0' }
  await using silent = await startUpstream()
  silent.script(() => undefined)
  const [service, away, returning, tight, slow] = await Promise.all([
    world.start({ ASIDE_WEBHOOK_SECRET_CRM: SECRET }),
    world.start({ OPENAI_BASE_URL: 'http://127.0.0.1:9', OPENAI_MODEL: 'm', ASIDE_LOCAL_KNOWLEDGE: '0' }),
    world.start(model),
    world.start(oneAMinute),
    world.start({ OPENAI_BASE_URL: silent.baseUrl, OPENAI_MODEL: 'm', ASIDE_LOCAL_KNOWLEDGE: '0', AI_SERVICE_TIMEOUT: '1s' })
  ])
  await using deaf = quick ? null : await deafClient(service)
  await grpcConversations(report, service, away)
  await erpWebSocketConversations(report, service, away)
  await erpSocketIoConversations(report, service, away)
  await consultantRestConversations(report, service)
  await consultantSocketConversations(report, service, away)
  await threadConversations(report, service, {
    service: returning,
    present() {
      isPresent = true
    }
  })
  await restConversations(report, service, away)
  await webhookConversations(report, service, SECRET)
  await limitConversations(report, tight, slow)
  if (deaf !== null) {
    await report.step('consultant chat: heartbeat', 'a client that misses it is dropped', async () => equal(await deaf.heard(), 1006))
  }
}
