// The loopback server behind origins.ts: a request of Chromium's becomes the Request that protocol.handle's callback answers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import type { Origins } from './origins.ts'
import type { SchemeHandler } from './protocol.ts'
import { violation } from './state.ts'

/** Headers of this hop, which are neither the app's nor the page's. */
const HOP_HEADERS = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'content-encoding'])

function toRequest(incoming: IncomingMessage, url: string, origins: Origins): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value === undefined || HOP_HEADERS.has(name)) continue
    const text = Array.isArray(value) ? value.join(', ') : value
    // Origin and Referer name the page by Chromium's URL; the app knows its own.
    headers.set(name, name === 'origin' || name === 'referer' ? origins.fromChromium(text) : text)
  }
  const method = incoming.method ?? 'GET'
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  return new Request(url, { method, headers, body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' })
}

function toHeaders(response: Response, origins: Origins): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of response.headers) {
    if (HOP_HEADERS.has(name)) continue
    if (name === 'set-cookie') headers[name] = response.headers.getSetCookie()
    else headers[name] = name.startsWith('content-security-policy') ? origins.toChromiumPolicy(value) : value
  }
  return headers
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origins: Origins,
  handlerOf: (scheme: string) => SchemeHandler | undefined
): Promise<void> {
  const url = origins.fromChromium(`http://${incoming.headers.host ?? ''}${incoming.url ?? '/'}`)
  const handler = url.startsWith('http:') ? undefined : handlerOf(url.slice(0, url.indexOf(':')))
  if (!handler) {
    incoming.socket.destroy()
    return
  }
  if (incoming.url === '/favicon.ico') {
    // Stock Chromium asks for it by itself, Electron does not.
    outgoing.writeHead(204).end()
    return
  }
  const response: unknown = await handler(toRequest(incoming, url, origins))
  if (!(response instanceof Response)) {
    violation(`the handler of protocol.handle for ${url} did not return a Response`)
    incoming.socket.destroy()
    return
  }
  if (response.type === 'error') {
    incoming.socket.destroy()
    return
  }
  outgoing.writeHead(response.status, toHeaders(response, origins))
  if (!response.body) {
    outgoing.end()
    return
  }
  await pipeline(Readable.fromWeb(response.body), outgoing)
}

/** The page went away in the middle of an answer: nobody's fault. */
const isPageGone = (error: unknown): boolean =>
  ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String((error as NodeJS.ErrnoException | null)?.code))

/** Listens on a free loopback port and does not keep the process alive. Resolves with the port. */
export async function startSchemeServer(origins: Origins, handlerOf: (scheme: string) => SchemeHandler | undefined): Promise<number> {
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing, origins, handlerOf).catch((error: unknown) => {
      if (!isPageGone(error)) console.error(error)
      incoming.socket.destroy()
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  return (server.address() as AddressInfo).port
}
