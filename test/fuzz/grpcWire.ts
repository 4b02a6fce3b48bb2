// gRPC by hand over real HTTP/2, as a client library would not write it: messages, metadata and frames that are none.
import type { IncomingHttpHeaders } from 'node:http'
import { constants, type ClientHttp2Session } from 'node:http2'
import { GOOD_MS, within } from './fuzz.ts'
import { hostileBytes, hostileText, type Chance } from './hostile.ts'

export function varint(value: number): Buffer {
  const out: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  return Buffer.from([...out, rest])
}
export const delimited = (field: number, data: Buffer): Buffer => Buffer.concat([varint(field * 8 + 2), varint(data.length), data])

export function framed(message: Buffer, chance: Chance): Buffer {
  const head = Buffer.alloc(5)
  const kind = chance.next()
  head.writeUInt8(kind < 0.97 ? 0 : chance.below(256), 0)
  head.writeUInt32BE(kind < 0.95 ? message.length : chance.pick([0, 1, message.length + 5, 4_294_967_295, 2_000_000]), 1)
  return kind < 0.96 || kind > 0.97 ? Buffer.concat([head, message]) : hostileBytes(chance, 10)
}

export interface GrpcCall {
  readonly path: string
  readonly body: Buffer
  readonly token: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Cancelled with its first whole message: it has no end of its own. */
  readonly isEndless?: boolean
}
export interface GrpcAnswer {
  /** Null: the service said none. */
  readonly status: number | null
  readonly message: string
  readonly data: Buffer
}

export async function callGrpc(
  session: ClientHttp2Session,
  { path, body, token, type = 'application/grpc', headers = {}, isEndless = false }: GrpcCall
): Promise<GrpcAnswer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': type,
    te: 'trailers',
    authorization: `Bearer ${token}`,
    'grpc-timeout': '15S',
    ...headers
  })
  let status: number | null = null
  let message = ''
  const data: Buffer[] = []
  const read = (received: IncomingHttpHeaders): void => {
    if (received['grpc-status'] === undefined) return
    status = Number(received['grpc-status'])
    message = received['grpc-message']?.toString() ?? ''
  }
  stream.on('response', read)
  stream.on('trailers', read)
  stream.on('error', () => undefined)
  stream.on('data', (chunk: Buffer) => {
    data.push(chunk)
    if (isEndless && messagesIn(Buffer.concat(data)).length > 0) stream.close(constants.NGHTTP2_CANCEL)
  })
  stream.end(body)
  await within(GOOD_MS, `${path} has no answer`, new Promise<void>((resolve) => void stream.once('close', () => resolve())))
  return { status, message, data: Buffer.concat(data) }
}

/** The whole messages of an answer. */
export function messagesIn(data: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + HEAD <= data.length;) {
    const end = at + HEAD + data.readUInt32BE(at + 1)
    if (end > data.length) break
    messages.push(data.subarray(at + HEAD, end))
    at = end
  }
  return messages
}
/** A byte that says whether it is compressed, and the length. */
const HEAD = 5

/** Metadata that no good client sends. */
export function oddHeaders(chance: Chance): Record<string, string> {
  if (chance.next() < 0.9) return {}
  const text = encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 2_000)
  return {
    [chance.pick(['x-correlation-id', 'grpc-encoding', 'grpc-accept-encoding', 'user-agent', 'x-odd-bin', 'aside-protocol'])]: text,
    'grpc-timeout': chance.pick(['15S', '0S', '1n', '99999999H', 'x', '-1S'])
  }
}
