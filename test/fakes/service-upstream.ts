// An OpenAI-compatible server on a real socket that does what a test tells it, and tells what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Upstream extends AsyncDisposable {
  /** With the version path: `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string
  readonly root: string
  readonly requests: readonly { readonly path: string; readonly authorization: string | undefined; readonly body: unknown }[]
  /** Resolves when a client has gone before its answer was complete. */
  readonly abandoned: Promise<void>
  /** What the next chat requests do. */
  script(answer: (response: ServerResponse) => void | Promise<void>): void
}

export const chunk = (text: string): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`
export const finish = (reason = 'stop'): string => `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })}\n\n`
export const usage = (input: number, output: number, cached = 0): string =>
  `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: { cached_tokens: cached } } })}\n\n`
export const done = 'data: [DONE]\n\n'

export function stream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' })
}

export async function startUpstream(): Promise<Upstream> {
  const requests: Upstream['requests'][number][] = []
  const gone = Promise.withResolvers<void>()
  let answer: (response: ServerResponse) => void | Promise<void> = (response) => {
    stream(response).end(chunk('Hello') + finish() + done)
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? ''
    let body = ''
    for await (const part of request) body += String(part)
    requests.push({ path, authorization: request.headers.authorization, body: body === '' ? null : JSON.parse(body) })
    response.once('close', () => {
      if (!response.writableFinished) gone.resolve()
    })
    if (path === '/v1/models') response.end(JSON.stringify({ data: [{ id: 'text-embedding-x' }, { id: 'first-chat' }] }))
    else if (path === '/api/tags') response.end(JSON.stringify({ models: [{ name: 'nomic-embed-text:latest' }, { name: 'llama3:8b' }] }))
    else if (path === '/v1/chat/completions') await answer(response)
    else response.writeHead(404).end()
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    root,
    baseUrl: `${root}/v1`,
    requests,
    abandoned: gone.promise,
    script(next) {
      answer = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
