// `net`: fetch that also knows file: and the app's own schemes.
import type { Net } from 'electron'
import { createReadStream, statSync } from 'node:fs'
import { extname } from 'node:path'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { fileURLToPath } from 'node:url'
import { hooks } from './hooks.ts'
import { schemeHandler } from './protocol.ts'
import { needReady } from './state.ts'
import { strictModule } from './strict.ts'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.cjs': 'text/javascript',
  '.css': 'text/css',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2'
}

function readFile(url: string): Response {
  const path = fileURLToPath(url.replace(/[?#].*$/, ''))
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isFile()) throw new Error('net::ERR_FILE_NOT_FOUND')
  const headers = { 'content-type': MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream', 'content-length': String(stats.size) }
  return new Response(Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, { headers })
}

export const net = strictModule('net', 'Net', {
  isOnline: (): boolean => hooks.online,
  get online(): boolean {
    return hooks.online
  },
  async fetch(input: string | URL | Request, init: RequestInit & { bypassCustomProtocolHandlers?: boolean } = {}): Promise<Response> {
    needReady('net module can only be used after app is ready')
    const { bypassCustomProtocolHandlers, ...plain } = init
    const url = input instanceof Request ? input.url : String(input)
    const scheme = url.slice(0, url.indexOf(':'))
    if (scheme === 'file') return readFile(url)
    const handler = bypassCustomProtocolHandlers ? undefined : schemeHandler(scheme)
    if (handler) return handler(new Request(input, plain))
    if (!hooks.online) throw new Error('net::ERR_INTERNET_DISCONNECTED')
    return fetch(input, plain)
  }
} satisfies Partial<Net>)
