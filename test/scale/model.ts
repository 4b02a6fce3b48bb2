// An OpenAI-compatible model for services that are processes of their own: what it answers is fixed by the question, and takes as
// long as the question says. Question: `… [<n> pieces, <ms> ms]`.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { answerTo } from '../chaos/kit/answers.ts'

export interface PacedModel extends AsyncDisposable {
  /** For OPENAI_BASE_URL. */
  readonly url: string
  /** The questions it was asked, in order. */
  readonly asked: readonly string[]
}

const FORM = /\[(\d+) pieces, (\d+) ms\]/

/** What it answers, whole. */
export function pacedAnswer(question: string): string {
  return piecesFor(question).join('')
}

function piecesFor(question: string): readonly string[] {
  return answerTo(question, Number(FORM.exec(question)?.[1] ?? 8))
}

export async function startPacedModel(): Promise<PacedModel> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/chat/completions') !== true) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ object: 'list', data: [{ id: 'paced-1', object: 'model' }] }))
      return
    }
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const question = questionIn(body)
      asked.push(question)
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      answer(response, question, gone.signal).catch((error: unknown) => {
        if (!gone.signal.aborted) response.destroy(error as Error)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

async function answer(response: ServerResponse, question: string, signal: AbortSignal): Promise<void> {
  const everyMs = Number(FORM.exec(question)?.[2] ?? 0)
  const chunk = (part: object): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'paced-1', ...part })}\n\n`
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const content of piecesFor(question)) {
    if (everyMs > 0) await pause(everyMs, undefined, { signal })
    response.write(chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }))
  }
  response.write(chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }))
  response.write(chunk({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 } }))
  response.end('data: [DONE]\n\n')
}

/** The question that is asked now: the last one in the prompt that says how it wants to be answered. */
function questionIn(body: string): string {
  const { messages } = JSON.parse(body) as { readonly messages: readonly { readonly role: string; readonly content: string }[] }
  const asked = messages.findLast(({ role }) => role === 'user')?.content ?? ''
  return asked.match(/[^\n]*\[\d+ pieces, \d+ ms\]/g)?.at(-1) ?? asked
}
