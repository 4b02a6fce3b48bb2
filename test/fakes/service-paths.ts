// Every way into the service, read off the service itself, so that a new one can't be forgotten: the routes as Fastify adds them, the
// gRPC methods as reflection tells them, the paths of its WebSockets, the events of its Socket.IO.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request } from 'node:http'
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import type { FastifyInstance } from 'fastify'
import { WebSocket } from 'ws'
import { frameDialects } from '../../src/service/gateway/compose.ts'
import { handlesOf } from '../../src/service/gateway/sockets.socketio.ts'
import type { GatewayParts } from '../../src/service/gateway/gateway.ts'
import type { Peer } from '../../src/service/gateway/peer.ts'

export interface Route {
  readonly method: string
  /** As it was added, such as `/api/v1/agent/tasks/:id`. */
  readonly url: string
}

/** Runs `start` and hears of every route that is added to any Fastify meanwhile. */
export async function routesOf<T>(start: () => Promise<T>): Promise<{ readonly started: T; readonly routes: readonly Route[] }> {
  const routes: Route[] = []
  const listen = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.push({ method: one, url })
    })
  }
  subscribe('fastify.initialization', listen)
  try {
    return { started: await start(), routes }
  } finally {
    unsubscribe('fastify.initialization', listen)
  }
}

export function webSocketPaths(): readonly string[] {
  return frameDialects(() => ({}) as GatewayParts).map(({ path }) => path)
}

/** Names of the events that do something. */
export function socketIoEvents(): readonly string[] {
  const desk = { listen: () => () => undefined, sessions: { unread: () => Promise.resolve([]) } }
  const peer = { caller: { userId: 'nobody' }, gone: AbortSignal.abort() }
  return Object.keys(handlesOf(peer as unknown as Peer, { desk } as unknown as GatewayParts))
}

const asBytes = (bytes: Buffer): Buffer => bytes

/** One call with bytes as they are; the gRPC status, 0 when it was answered. */
export async function callBytes(
  address: string,
  path: string,
  { token, body = Buffer.alloc(0) }: { token?: string; body?: Buffer } = {}
): Promise<number> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  try {
    return await new Promise((resolve) => {
      const call = client.makeServerStreamRequest(path, asBytes, asBytes, body, metadata, { deadline: Date.now() + 10_000 })
      call.on('data', () => undefined)
      call.on('error', (error: ServiceError) => resolve(error.code))
      call.on('end', () => resolve(0))
    })
  } finally {
    client.close()
  }
}

/** `/package.Service/Method` of every service that reflection knows. */
export async function grpcPaths(address: string): Promise<readonly string[]> {
  const services = readDelimited(await reflect(address, new BinaryWriter().uint32(58).string('').finish()), 6)
  const found = new Set<string>()
  for (const service of services) {
    const name = new TextDecoder().decode(readFields(service)[0]?.bytes)
    const files = readDelimited(await reflect(address, new BinaryWriter().uint32(34).string(name).finish()), 4)
    for (const bytes of files) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes)
      for (const { name: own, method } of file.service)
        if (`${file.package}.${own}` === name) for (const { name: methodName } of method) found.add(`/${name}/${methodName}`)
    }
  }
  return [...found]
}

async function reflect(address: string, message: Uint8Array): Promise<Uint8Array> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  try {
    const call = client.makeBidiStreamRequest('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', asBytes, asBytes)
    call.end(Buffer.from(message))
    const [answer] = (await once(call, 'data')) as [Buffer]
    return answer
  } finally {
    client.close()
  }
}

interface Field {
  readonly number: number
  readonly bytes: Uint8Array
}

function readFields(message: Uint8Array): Field[] {
  const reader = new BinaryReader(message)
  const fields: Field[] = []
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag()
    if (type === WireType.LengthDelimited) fields.push({ number, bytes: reader.bytes() })
    else reader.skip(type)
  }
  return fields
}

/** The entries of the list in one field of a reflection answer. */
function readDelimited(answer: Uint8Array, field: number): Uint8Array[] {
  return readFields(answer)
    .filter(({ number }) => number === field)
    .flatMap(({ bytes }) => readFields(bytes))
    .map(({ bytes }) => bytes)
}

export interface Refusal {
  readonly status: number
  readonly text: string
}

/** A request as it is, also with headers that `fetch` would not send. */
export async function askHttp(address: string, { method, url }: Route, headers: Readonly<Record<string, string>>, body?: string): Promise<Refusal> {
  const sent = request(`http://${address}${url}`, { method, headers, agent: false, maxHeaderSize: 200_000 })
  // The service may have answered and closed before all of it was written.
  sent.on('error', () => undefined)
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream & { statusCode?: number }]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode ?? 0, text }
}

/** The close code, or the HTTP status that refused the handshake. */
export async function knockAtWebSocket(
  url: string,
  { headers = {}, protocols = [] }: { headers?: Record<string, string>; protocols?: string[] }
): Promise<number> {
  const socket = new WebSocket(url, protocols, { headers })
  return await new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    socket.on('error', () => undefined)
    socket.on('close', (code) => resolve(code))
  })
}
