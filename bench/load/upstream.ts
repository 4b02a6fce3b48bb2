// The model's side of npm run load: a process of its own that speaks OpenAI's streaming chat completions on plain sockets. Each
// piece of an answer is a write of its own, `pieceMs` after the one before. node upstream.ts PIECES PIECE_MS SHORT_EVERY
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { numberIn, piecesOf } from './answers.ts'

export interface UpstreamReady {
  readonly port: number
}

const [pieces = 6, pieceMs = 5, shortEvery = 0] = process.argv.slice(2).map(Number)
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n'
const MODELS = '{"object":"list","data":[{"id":"gpt-4o-mini","object":"model"}]}'
const BEFORE = 'data: {"id":"c1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":'
const usage = { prompt_tokens: 100, completion_tokens: pieces * 4, total_tokens: 100 + pieces * 4 }
const END =
  `${BEFORE}{},"finish_reason":"stop"}]}\n\n` +
  `data: {"id":"c1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[],"usage":${JSON.stringify(usage)}}\n\n` +
  'data: [DONE]\n\n'

/** HTTP's chunked encoding. */
function chunked(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

function answer(socket: Socket, body: string): void {
  const number = numberIn(body)
  const said = piecesOf(number, pieces)
  // The planted fault: an answer that ends in good order, but not with all that belongs to it.
  const last = shortEvery > 0 && number % shortEvery === 0 ? said.length - 1 : said.length
  let index = 0
  const next = (): void => {
    const text = said[index]
    if (socket.destroyed) return
    if (index >= last || text === undefined) {
      socket.write(`${chunked(END)}0\r\n\r\n`)
      return
    }
    const chunk = chunked(`${BEFORE}{"content":"${text}"},"finish_reason":null}]}\n\n`)
    socket.write(index === 0 ? HEAD + chunk : chunk)
    index += 1
    if (index < last) setTimeout(next, pieceMs)
    else next()
  }
  next()
}

function serve(socket: Socket): void {
  let waiting = ''
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.setEncoding('latin1').on('data', (text: string) => {
    waiting += text
    for (;;) {
      const end = waiting.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = waiting.slice(0, end)
      const length = /content-length: (\d+)/i.exec(head)?.[1]
      const chunkedEnd = length === undefined && /transfer-encoding: chunked/i.test(head) ? waiting.indexOf('0\r\n\r\n', end) + 5 : end + 4
      if (chunkedEnd === 4) return
      const total = length === undefined ? chunkedEnd : end + 4 + Number(length)
      if (waiting.length < total) return
      const body = waiting.slice(end + 4, total)
      waiting = waiting.slice(total)
      if (head.startsWith('POST')) answer(socket, body)
      else socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${MODELS.length}\r\n\r\n${MODELS}`)
    }
  })
}

const server = createServer({ noDelay: true }, serve).listen({ port: 0, host: '127.0.0.1', backlog: 2_048 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port } satisfies UpstreamReady)
})
process.on('disconnect', () => process.exit(0))
