// An OpenAI-compatible server whose answer comes piece by piece, each when the test says so.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ModelServer extends AsyncDisposable {
  /** For OPENAI_BASE_URL. */
  readonly url: string
  /** Resolves when a chat completion is asked for; what the model was sent. */
  readonly asked: Promise<string>
  say(text: string): Promise<void>
  finish(): Promise<void>
}

export async function startModelServer(): Promise<ModelServer> {
  const asked = Promise.withResolvers<string>()
  const answering = Promise.withResolvers<ServerResponse>()
  const server = createServer((request, response) => {
    if (!request.url?.endsWith('/chat/completions')) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ object: 'list', data: [{ id: 'test-model', object: 'model' }] }))
      return
    }
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      asked.resolve(body)
      answering.resolve(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const chunk = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'test-model', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: asked.promise,
    async say(text) {
      ;(await answering.promise).write(chunk({ content: text }, null))
    },
    async finish() {
      const response = await answering.promise
      response.write(chunk({}, 'stop'))
      response.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'test-model', choices: [], usage: { prompt_tokens: 900, completion_tokens: 12, total_tokens: 912 } })}\n\n`
      )
      response.end('data: [DONE]\n\n')
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
