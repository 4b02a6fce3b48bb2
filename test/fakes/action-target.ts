// A target of actions: a real HTTP server that keeps what it was sent and answers what it is told.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CopilotError } from '../../src/shared/errors.ts'
import type { AgentAction, AgentInput, AgentOutput } from '../../src/service/decisions/contract.ts'

export interface Delivery {
  readonly key: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: { readonly id: string; readonly payload: Readonly<Record<string, unknown>> }
}

export interface ActionTarget extends AsyncDisposable {
  readonly host: string
  readonly url: string
  readonly got: readonly Delivery[]
  /** Answers of the next requests, in order; then 200. `hang`: none at all. */
  answers: (number | 'hang' | { readonly status: number; readonly retryAfter: string })[]
  /** Resolves when so many have come. */
  reached(count: number): Promise<void>
}

export async function actionTarget(): Promise<ActionTarget> {
  const got: Delivery[] = []
  let wake = (): void => undefined
  const reply = (response: ServerResponse): void => {
    const answer = target.answers.shift() ?? 200
    if (answer === 'hang') return
    const { status, retryAfter } = typeof answer === 'number' ? { status: answer, retryAfter: null } : answer
    response.writeHead(status, retryAfter === null ? {} : { 'retry-after': retryAfter }).end('{}')
  }
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece))
    request.on('end', () => {
      got.push({
        key: String(request.headers['idempotency-key']),
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(text) as Delivery['body']
      })
      reply(response)
      wake()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const target: ActionTarget = {
    host,
    url: `http://${host}/hook`,
    got,
    answers: [],
    async reached(count) {
      while (got.length < count) await new Promise<void>((resolve) => (wake = resolve))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    }
  }
  return target
}

export const anInput = (part: Partial<AgentInput> = {}): AgentInput => ({
  id: 'i1', source: 'api', userId: 'anna', businessId: 'acme', type: 'invoice.overdue', content: { text: 'Invoice 17 is overdue', data: { number: 17 }, metadata: {} }, timestamp: 1, ...part
}) // prettier-ignore

export const anAction = (part: Partial<AgentAction> = {}): AgentAction => ({
  id: 'i1:a0', type: 'notification', target: 'billing', payload: { number: 17 }, priority: 'normal', ...part
}) // prettier-ignore

export const anOutput = (part: Partial<AgentOutput> = {}): AgentOutput => ({
  id: 'i1:out', inputId: 'i1', decisionCode: 'invoice.remind', decisionType: 'message', confidence: 1, reasoning: 'One model fits.',
  actions: [anAction()], responses: [], requiresHumanReview: false, processingTime: 1, ...part
}) // prettier-ignore

/** A bus that does what a test tells it; resolves unless told otherwise. */
export function toldBus(fail: (attempt: number) => CopilotError | null = () => null) {
  const sent: string[] = []
  return {
    sent,
    deliver: async ({ action, attempts }: { action: AgentAction; attempts: number }) => {
      sent.push(action.id)
      const error = fail(attempts)
      if (error !== null) throw error
    },
    stop: () => Promise.resolve()
  }
}
