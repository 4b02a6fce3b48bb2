// The other side of bench/gateway.ts, on the other core: the upstream that both gateways ask, and the clients. Plain sockets,
// because a client or an upstream with a library's costs would be what is measured. Talks with its parent by messages.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** How the clients ask one gateway. */
export interface LoadOrder {
  readonly port: number
  /** The whole request; `{id}` stands for a new id in each. */
  readonly request: string
  readonly concurrency: number
  readonly seconds: number
  /** Must be in every answer. */
  readonly expected: string
}

export interface LoadResult {
  readonly requests: number
  readonly failed: number
  readonly seconds: number
  /** From the request's last byte to the body's first, ms. */
  readonly firstByteP50Ms: number
  readonly firstByteP99Ms: number
  /** An answer that was not what it should be, for people. */
  readonly sample: string | null
}

export type LoadMessage = { readonly type: 'load'; readonly order: LoadOrder } | { readonly type: 'stop' }
export type LoadAnswer = { readonly type: 'ready'; readonly port: number } | { readonly type: 'result'; readonly result: LoadResult }

const CHUNKS = 20
const usage = { prompt_tokens: 100, completion_tokens: CHUNKS, total_tokens: 100 + CHUNKS }
const words = Array.from({ length: CHUNKS }, (_, index) => `tok${index} `)
const head = { id: 'c1', created: 1_700_000_000, model: 'gpt-4o-mini' }
const piece = (choice: object, more: object = {}): string =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, finish_reason: null, ...choice }], ...more })}\n\n`
const events = [
  ...words.map((content) => piece({ delta: { content } })),
  `${piece({ delta: {}, finish_reason: 'stop' })}data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [], usage })}\n\ndata: [DONE]\n\n`
].map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n'
const whole = JSON.stringify({
  ...head,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: words.join('') }, finish_reason: 'stop' }],
  usage
})
const unary = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(whole)}\r\nconnection: keep-alive\r\n\r\n${whole}`

/** Each piece of a stream is a write of its own, in a tick of its own, as a model's are. */
function answerStream(socket: Socket): void {
  socket.write(streamHead)
  let index = 0
  const next = (): void => {
    const event = events[index]
    if (event === undefined || socket.destroyed) return
    index += 1
    socket.write(index === events.length ? `${event}0\r\n\r\n` : event)
    setImmediate(next)
  }
  setImmediate(next)
}

function upstream(socket: Socket): void {
  let waiting = ''
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.setEncoding('latin1').on('data', (text: string) => {
    waiting += text
    for (;;) {
      const end = waiting.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: (\d+)/i.exec(waiting.slice(0, end))?.[1] ?? Number.NaN)
      const chunkedEnd = Number.isNaN(length) ? waiting.indexOf('0\r\n\r\n', end) : -1
      if (Number.isNaN(length) && chunkedEnd < 0) return
      const total = Number.isNaN(length) ? chunkedEnd + 5 : end + 4 + length
      if (waiting.length < total) return
      const body = waiting.slice(end + 4, total)
      waiting = waiting.slice(total)
      if (/"stream":\s*true/.test(body)) answerStream(socket)
      else socket.write(unary)
    }
  })
}

interface Answer {
  readonly done: boolean
  readonly hasBody: boolean
}

/** Whether a response in `text` is complete. */
function look(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return { done: false, hasBody: false }
  const length = /content-length: (\d+)/i.exec(text.slice(0, end))?.[1]
  const hasBody = text.length > end + 4
  if (length !== undefined) return { done: text.length >= end + 4 + Number(length), hasBody }
  return { done: text.endsWith('\r\n0\r\n\r\n'), hasBody }
}

async function load({ port, request, concurrency, seconds, expected }: LoadOrder): Promise<LoadResult> {
  const firstBytes: number[] = []
  let requests = 0
  let failed = 0
  let sample: string | null = null
  const started = performance.now()
  const until = started + seconds * 1_000
  let count = Date.now() % 1e9
  const client = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      let text = ''
      let asked = 0
      let firstByte: number | null = null
      const ask = (): void => {
        if (performance.now() >= until) {
          socket.destroy()
          return resolve()
        }
        text = ''
        firstByte = null
        count += 1
        asked = performance.now()
        socket.write(request.replaceAll('{id}', String(count).padStart(12, '0')))
      }
      socket.on('error', reject)
      socket.on('close', () => (performance.now() >= until ? resolve() : reject(new Error(`the gateway hung up: ${text.slice(0, 500)}`))))
      socket.on('connect', ask)
      socket.setEncoding('latin1').on('data', (part: string) => {
        text += part
        const { done, hasBody } = look(text)
        if (hasBody) firstByte ??= performance.now() - asked
        if (!done) return
        requests += 1
        firstBytes.push(firstByte ?? performance.now() - asked)
        if (!text.startsWith('HTTP/1.1 200') || !text.includes(expected)) {
          failed += 1
          sample ??= text.slice(0, 2_000)
        }
        ask()
      })
    })
  await Promise.all(Array.from({ length: concurrency }, client))
  firstBytes.sort((a, b) => a - b)
  const at = (share: number): number => firstBytes[Math.min(firstBytes.length - 1, Math.floor(firstBytes.length * share))] ?? 0
  return { requests, failed, seconds: (performance.now() - started) / 1_000, firstByteP50Ms: at(0.5), firstByteP99Ms: at(0.99), sample }
}

if (process.send !== undefined) {
  const say = (answer: LoadAnswer): void => void process.send?.(answer)
  const server = createServer(upstream).listen(0, '127.0.0.1', () => say({ type: 'ready', port: (server.address() as AddressInfo).port }))
  process.on('message', (message: LoadMessage) => {
    if (message.type === 'stop') process.exit(0)
    void load(message.order).then((result) => say({ type: 'result', result }))
  })
  process.on('disconnect', () => process.exit(0))
}
