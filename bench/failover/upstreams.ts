// Three OpenAI-compatible servers on real sockets that die as they are told, and keep books of their own: what each call was
// billed, and when and how it failed.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export const faults = ['error', 'refused', 'silent', 'cut', 'reset', 'stall', 'killed'] as const
/**
 * Before the first text: `error` (HTTP 500), `refused` (closed without a word), `silent` (never a word). In mid-answer:
 * `cut` (ends without a reason), `reset` (connection reset), `stall` (never another word), `killed` (the whole server dies).
 */
export type Fault = (typeof faults)[number]

export interface Call {
  readonly turn: number
  readonly upstream: number
  /** Unique among all calls: by it the ledger's row is found. */
  readonly promptTokens: number
  /** What the service was last told; null: nothing. */
  completionTokens: number | null
  /** Number of the last word that was sent. */
  lastWord: number
  fault: Fault | null
  /** The service hung up before the answer was complete. */
  abandoned: boolean
}

export interface UpstreamsOptions {
  readonly words: number
  readonly wordEveryMs: number
  /** The fault of a call, or none. */
  readonly faultOf: (first: boolean) => Exclude<Fault, 'killed'> | null
  /** A call has failed just now, after this word of the turn. */
  readonly onFault: (turn: number, fault: Fault, lastWord: number) => void
}

export interface Upstreams extends AsyncDisposable {
  readonly urls: readonly string[]
  readonly calls: readonly Call[]
  /** Every connection of a server is reset and its port closed, for that long. */
  kill(upstream: number, forMs: number): Promise<void>
}

const FIRST_PROMPT_TOKENS = 1_000
/** Tokens of a word, for the books. */
const TOKENS_PER_WORD = 3
const FIRST_WORD_AFTER_MS = 40
/** Between a server's last word and its death. */
const LAST_WORDS_MS = 100

export const wordOf = (turn: number, index: number): string => `t${turn}w${index} `

export async function startUpstreams(count: number, options: UpstreamsOptions): Promise<Upstreams> {
  const calls: Call[] = []
  const stopped = new AbortController()
  const killed = new Set<number>()

  const serve = async (upstream: number, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET') return void response.end('{"data":[{"id":"gpt-4o"}]}')
    let body = ''
    for await (const part of request) body += String(part)
    const turn = Number(/#turn-(\d+)/.exec(body)?.[1] ?? -1)
    const { from, repeat } = whereToGoOn(body, turn)
    const fault = options.faultOf(from === 0)
    const call: Call = {
      turn,
      upstream,
      promptTokens: FIRST_PROMPT_TOKENS + calls.length,
      completionTokens: null,
      lastWord: from - 1,
      fault: null,
      abandoned: false
    }
    calls.push(call)
    const fail = (kind: Fault): void => {
      if (call.fault !== null) return
      call.fault = kind
      options.onFault(turn, kind, call.lastWord)
    }
    let isDone = false
    response.once('close', () => {
      if (isDone) return
      if (call.fault === null && killed.has(upstream)) fail('killed')
      call.abandoned = call.fault === null
    })
    if (fault === 'error') {
      fail(fault)
      isDone = true
      response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"scripted"}}')
      return
    }
    if (fault === 'refused') {
      fail(fault)
      request.socket.destroy()
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    if (fault === 'silent') return fail(fault)
    await wait(FIRST_WORD_AFTER_MS)
    const breaksAfter = fault === null ? Number.POSITIVE_INFINITY : from + 1 + ((calls.length * 7) % Math.max(1, options.words - from - 2))
    let tokens = 0
    const say = (text: string): void => {
      tokens += TOKENS_PER_WORD
      call.completionTokens = tokens
      response.write(chunk({ choices: [{ index: 0, delta: { content: text } }], usage: usageOf(call) }))
    }
    if (killed.has(upstream)) return
    if (repeat !== '') say(repeat)
    for (let index = from; index < options.words; index += 1) {
      if (index > from) await wait(options.wordEveryMs)
      if (response.destroyed || stopped.signal.aborted) return
      // It dies: not another word.
      if (killed.has(upstream)) return
      if (index >= breaksAfter && fault !== null) {
        fail(fault)
        if (fault === 'cut') response.end()
        else if (fault === 'reset') request.socket.resetAndDestroy()
        return
      }
      say(wordOf(turn, index))
      call.lastWord = index
    }
    isDone = true
    response.end(`${chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: usageOf(call) })}data: [DONE]\n\n`)
  }

  const sockets = Array.from({ length: count }, () => new Set<Socket>())
  const servers: Server[] = []
  const make = (upstream: number): Server => {
    const server = createServer((request, response) => {
      serve(upstream, request, response).catch((error: unknown) => {
        // Its own connection was cut while the request came in: nothing to answer.
        if (!request.destroyed) throw error
      })
    })
    server.keepAliveTimeout = 60_000
    server.on('connection', (socket) => {
      sockets[upstream]?.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => sockets[upstream]?.delete(socket))
    })
    return server
  }
  const listen = (server: Server, port: number): Promise<number> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', 2_048, () => resolve((server.address() as AddressInfo).port)))
  const ports: number[] = []
  for (let upstream = 0; upstream < count; upstream += 1) {
    const server = make(upstream)
    servers.push(server)
    ports.push(await listen(server, 0))
  }

  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}/v1`),
    calls,
    async kill(upstream, forMs) {
      killed.add(upstream)
      // What was said has left the process: books can only be compared on what was told.
      await wait(LAST_WORDS_MS)
      const closed = new Promise((resolve) => servers[upstream]?.close(resolve))
      for (const socket of sockets[upstream] ?? []) socket.resetAndDestroy()
      await closed
      await wait(forMs)
      killed.delete(upstream)
      const server = make(upstream)
      servers[upstream] = server
      await listen(server, ports[upstream] ?? 0)
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    }
  }
}

function usageOf({ promptTokens, completionTokens }: Call): object {
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens ?? 0 }
}

function chunk(content: object): string {
  return `data: ${JSON.stringify(content)}\n\n`
}

/** What was said already, and how this model goes on: most repeat the last words as they are told, some start again, some just go on. */
function whereToGoOn(body: string, turn: number): { from: number; repeat: string } {
  const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] }
  const spoken = messages.findLast(({ role }) => role === 'assistant')?.content
  if (spoken === undefined) return { from: 0, repeat: '' }
  const words = spoken.trim().split(/\s+/)
  const from = words.length
  if (turn % 10 === 0) return { from, repeat: words.map((word) => `${word} `).join('') }
  if (turn % 10 === 1) return { from, repeat: '' }
  return {
    from,
    repeat: words
      .slice(-6)
      .map((word) => `${word} `)
      .join('')
  }
}
