// A small AI service for tests of the link: real gRPC and Socket.IO servers, the full protocol (replay, cancel, errors
// told whole), scripted answers, and doors that can be cut and shut.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Metadata, Server as GrpcServer, ServerCredentials, status, type ServerWritableStream } from '@grpc/grpc-js'
import { Server as SocketServer, type Socket } from 'socket.io'
import { CopilotError, errorTable, type WireError } from '../../src/shared/errors.ts'
import { AICopilotService, type AICopilotServer, type StreamRequest, type StreamResponse } from '../../src/shared/wire/gen/ai.ts'
import { ERROR_TRAILER, toStreamResponse } from '../../src/shared/wire/grpc.ts'
import { aiStreamRequestSchema, pieceOf, PROTOCOL_VERSION, socketEvents } from '../../src/shared/wire/socket.ts'
import { createDoor, type Door } from './service-peer-door.ts'
import { createPeerTurns, type Step } from './service-peer-turns.ts'

export { accepted, delta, done } from './service-peer-turns.ts'

interface Asked {
  readonly door: 'grpc' | 'socket'
  readonly turnId: string
  readonly text: string
  readonly afterSeq: number
  readonly context: Readonly<Record<string, string>>
  readonly sessionId: string
  readonly quickAction: string
}

export interface ServicePeer {
  readonly doors: { readonly grpc: Door; readonly socket: Door }
  /** What was asked, in the order it came in. */
  readonly asked: readonly Asked[]
  /** What the question with this text gets. */
  script(text: string, steps: readonly Step[]): void
  /** From now on only this bearer token is let in, and streams that another one opened are thrown out. null: all are. */
  requireToken(token: string | null): void
  /** Every new question is refused with this error; null: none. */
  refuse(error: WireError | null): void
  stop(): Promise<void>
}

interface Caller {
  readonly token: string | null
  throwOut(): void
}

const unauthenticated = new CopilotError('unauthenticated', 'The token has expired.')

/** @param options.greets false: its hello over Socket.IO never comes, as from a service that is busy. */
export async function startServicePeer({ greets = true }: { readonly greets?: boolean } = {}): Promise<ServicePeer> {
  const turns = createPeerTurns()
  const asked: Asked[] = []
  const callers = new Set<Caller>()
  let required: string | null = null
  let refusal: WireError | null = null
  const letIn = (token: string | null): boolean => required === null || token === required

  const grpc = createGrpc()
  const innerGrpc = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)))
  )
  const http = createServer()
  const sockets = createSockets()
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const doors = { grpc: await createDoor(innerGrpc), socket: await createDoor((http.address() as AddressInfo).port) }

  function createGrpc(): GrpcServer {
    const server = new GrpcServer()
    const implementation: AICopilotServer = {
      chat: (_call, callback) => callback({ code: status.UNIMPLEMENTED }),
      streamChat: (call) => void streamChat(call),
      healthCheck: (_call, callback) =>
        callback(null, { healthy: true, status: 'serving', version: '9.9.9', protocol: PROTOCOL_VERSION, answeredBy: 'The scripted peer' }),
      cancelTurn: (call, callback) => callback(null, { cancelled: turns.cancel(call.request.turnId) })
    }
    server.addService(AICopilotService, implementation)
    return server
  }

  async function streamChat(call: ServerWritableStream<StreamRequest, StreamResponse>): Promise<void> {
    const { turnId, message: text, afterSeq, context, sessionId, quickAction } = call.request
    const token =
      call.metadata
        .get('authorization')[0]
        ?.toString()
        .replace(/^Bearer /, '') ?? null
    const gone = new AbortController()
    const caller: Caller = { token, throwOut: () => fail(unauthenticated) }
    const fail = (error: CopilotError): void => {
      gone.abort()
      const metadata = new Metadata()
      metadata.set(ERROR_TRAILER, asciiJson(error.toWire()))
      call.emit('error', { code: errorTable[error.code].grpc, details: error.message, metadata })
    }
    call.on('cancelled', () => gone.abort())
    const headers = new Metadata()
    headers.set('aside-protocol', String(PROTOCOL_VERSION))
    call.sendMetadata(headers)
    if (!letIn(token)) return fail(unauthenticated)
    asked.push({ door: 'grpc', turnId, text, afterSeq, context, sessionId, quickAction })
    if (refusal !== null) return fail(CopilotError.fromWire(refusal))
    callers.add(caller)
    let failed: WireError | null = null
    for await (const event of turns.follow({ turnId, text, afterSeq }, gone.signal)) {
      call.write(toStreamResponse(event, 'm-1'))
      if (event.type === 'failed') failed = event.error
    }
    callers.delete(caller)
    if (gone.signal.aborted) return
    if (failed === null) call.end()
    else fail(CopilotError.fromWire(failed))
  }

  function createSockets(): SocketServer {
    const server = new SocketServer(http, { serveClient: false })
    server.use((socket, next) => {
      if (letIn(tokenOf(socket))) return next()
      next(Object.assign(new Error('refused'), { data: unauthenticated.toWire() }))
    })
    server.on('connection', welcome)
    return server
  }

  function welcome(socket: Socket): void {
    const gone = new AbortController()
    const caller: Caller = {
      token: tokenOf(socket),
      throwOut() {
        socket.emit(socketEvents.error, { code: errorTable.unauthenticated.ws, message: unauthenticated.message, error: unauthenticated.toWire() })
        socket.disconnect(true)
      }
    }
    callers.add(caller)
    socket.on('disconnect', () => {
      callers.delete(caller)
      gone.abort()
    })
    const hello = { protocol: PROTOCOL_VERSION, version: '9.9.9', answered_by: 'The scripted peer' }
    if (greets) socket.emit(socketEvents.hello, hello)
    socket.on(socketEvents.hello, (_data: unknown, acknowledge: (answer: unknown) => void) => acknowledge(hello))
    socket.on(socketEvents.cancel, (data: { turn_id: string }, acknowledge: (answer: unknown) => void) =>
      acknowledge({ ok: turns.cancel(data.turn_id) })
    )
    socket.on(socketEvents.stream, (data: unknown, acknowledge: (answer: unknown) => void) => {
      const request = aiStreamRequestSchema.parse(data)
      const turn = { turnId: request.turn_id ?? '', text: request.message, afterSeq: request.after_seq ?? 0 }
      asked.push({
        door: 'socket',
        ...turn,
        context: request.context ?? {},
        sessionId: request.session_id ?? '',
        quickAction: request.quick_action ?? ''
      })
      if (refusal !== null) return acknowledge({ ok: false, error: refusal })
      acknowledge({ ok: true, message_id: 'm-1', turn_id: turn.turnId, protocol: PROTOCOL_VERSION })
      void (async () => {
        for await (const event of turns.follow(turn, gone.signal)) socket.emit(socketEvents.stream, pieceOf(event, 'm-1'))
      })()
    })
  }

  return {
    doors,
    asked,
    script: (text, steps) => turns.script(text, steps),
    requireToken(token) {
      required = token
      for (const caller of callers) if (!letIn(caller.token)) caller.throwOut()
    },
    refuse: (error) => void (refusal = error),
    async stop() {
      await Promise.all([doors.grpc.shut(), doors.socket.shut()])
      grpc.forceShutdown()
      await sockets.close()
    }
  }
}

function tokenOf(socket: Socket): string | null {
  const auth: { readonly token?: unknown } = socket.handshake.auth
  return typeof auth.token === 'string' ? auth.token : null
}

/** Metadata values are printable ASCII (gRPC over HTTP2, "Custom-Metadata"). */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
