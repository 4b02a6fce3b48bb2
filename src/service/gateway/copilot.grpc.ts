// The gRPC dialect: `ai.AICopilot`, with health and, where the proto is at hand, reflection. A client that knows only
// fields 1 to 9 holds a correct conversation.
import {
  Metadata,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject
} from '@grpc/grpc-js'
import { once } from 'node:events'
import { isTerminal } from '../../shared/turn.ts'
import { CopilotError, toCopilotError } from '../../shared/errors.ts'
import { AICopilotService, type AICopilotServer, type CancelResponse, type ChatResponse, type HealthResponse } from '../../shared/wire/gen/ai.ts'
import { toStreamResponse } from '../../shared/wire/grpc.ts'
import type { CancelRequest, ChatRequest, HealthRequest, StreamRequest, StreamResponse } from '../../shared/wire/gen/ai.ts'
import { PROTOCOL_VERSION } from '../../shared/wire/socket.ts'
import type { Caller } from '../auth/caller.ts'
import { bearerToken } from '../auth/verifier.ts'
import { acceptedId, correlated, CORRELATION_HEADER } from '../correlation.ts'
import { errorFields } from '../logging.ts'
import type { GrpcMethod } from '../metrics/metrics.ts'
import { admit, MAX_MESSAGE_BYTES } from './admission.ts'
import { createCalls, type Calls } from './calls.ts'
import { listen, whole } from './conversation.ts'
import { toGrpcStatus } from './foreignErrors.ts'
import { answeredBy, type Door, type GatewayParts } from './gateway.ts'
import { createHealth } from './health.ts'
import { portFault } from './portFault.ts'

export interface GrpcOptions {
  readonly host: string
  readonly port: number
  /** Adds reflection to the server; null: there is none. */
  readonly addReflection: ((server: Server) => void) | null
}

/** A call that waits this long for its reader is given up; a named turn goes on without it. */
const SLOW_READER_MS = 60_000

export async function openGrpcDoor(parts: GatewayParts, { host, port, addReflection }: GrpcOptions): Promise<Door> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': 16 * MAX_MESSAGE_BYTES,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.max_concurrent_streams': 1_000
  })
  const calls = createCalls(parts.dismissals)
  server.addService(AICopilotService, copilot(parts, calls))
  const health = createHealth(['', 'ai.AICopilot'])
  health.addTo(server)
  addReflection?.(server)
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error === null ? resolve(actual) : reject(portFault(error, `${host}:${port}`, 'AI_SERVICE_PORT'))
    )
  })
  let shutdown: Promise<void> | null = null
  const drain = (): Promise<void> => {
    health.drain()
    // GOAWAY on every connection: calls under way go on, new ones go to another process.
    return (shutdown ??= new Promise((resolve) => server.tryShutdown(() => resolve())))
  }
  return {
    address: `${host}:${bound}`,
    drain: () => void drain(),
    async close() {
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        drain(),
        // Idle keepalive connections and health watches never end by themselves.
        new Promise<void>((resolve) => (timer = setTimeout(resolve, 200)))
      ])
      clearTimeout(timer)
      calls.stop()
      server.forceShutdown()
    }
  }
}

interface Call {
  readonly metadata: Metadata
  readonly cancelled: boolean
  sendMetadata(metadata: Metadata): void
  on(event: 'cancelled', listener: () => void): unknown
}

function copilot(parts: GatewayParts, calls: Calls): AICopilotServer {
  const { broker, verifier, status, newId, logger, version, metrics, meter } = parts

  const callerOf = async (call: Call): Promise<Caller> => await verifier.verify(bearerToken(call.metadata.get('authorization')[0]?.toString()))

  /** Aborted when the client has gone. */
  const goneWith = (call: Call): AbortController => {
    const controller = new AbortController()
    call.on('cancelled', () => controller.abort())
    if (call.cancelled) controller.abort()
    return controller
  }

  /** Answers as long as the client is there and is not sent away. */
  const during = async <T>(call: Call, caller: Caller, answer: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const controller = goneWith(call)
    const end = calls.begin(caller, controller)
    try {
      return await answer(controller.signal)
    } finally {
      end()
    }
  }

  /** One call from its first byte to its end: counted, and found again by its id. `handle` resolves when the call has been answered. */
  const conduct = async (call: Call, method: GrpcMethod, handle: () => Promise<void>, refuse: (status: StatusObject) => void): Promise<void> => {
    const id = acceptedId(call.metadata.get(CORRELATION_HEADER)[0], newId)
    const metadata = new Metadata()
    metadata.set('aside-protocol', String(PROTOCOL_VERSION))
    metadata.set(CORRELATION_HEADER, id)
    meter.message()
    const end = meter.connected()
    try {
      call.sendMetadata(metadata)
      await correlated(id, handle)
      metrics.grpcCall(method, 'ok')
    } catch (error) {
      const { code } = toCopilotError(error)
      metrics.grpcCall(method, code)
      meter.refused(code)
      if (code === 'internal') logger.error({ correlationId: id, ...errorFields(error) }, 'grpc.bug')
      refuse(toGrpcStatus(error, id))
    } finally {
      end()
    }
  }

  const unary = <Request, Response>(method: GrpcMethod, handle: (request: Request, call: Call) => Promise<Response>) => {
    return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      void conduct(
        call,
        method,
        async () => callback(null, await handle(call.request, call)),
        (status) => callback(status)
      )
    }
  }

  const stream = async (call: ServerWritableStream<StreamRequest, StreamResponse>): Promise<void> => {
    const caller = await callerOf(call)
    const { message, context, userId, sessionId, turnId, afterSeq, quickAction } = call.request
    const admitted = admit({ message, context, userId, sessionId, turnId, afterSeq, quickAction }, caller, newId)
    await during(call, caller, async (signal) => {
      const listening = await listen(broker, caller, admitted, signal)
      for await (const event of listening.events()) {
        // A base client expects text and an end, nothing between; its failure is the call's status.
        const isForBase = event.type === 'delta' || event.type === 'done'
        if ((admitted.isNamed || isForBase) && !call.write(toStreamResponse(event, listening.turn.messageId))) await drained(call, signal)
        if (event.type === 'failed') throw CopilotError.fromWire(event.error)
        if (isTerminal(event)) break
      }
    })
    call.end()
  }

  return {
    chat: unary<ChatRequest, ChatResponse>('Chat', async (request, call) => {
      const caller = await callerOf(call)
      const admitted = admit({ ...request, afterSeq: 0 }, caller, newId)
      return await during(call, caller, async (signal) => {
        const listening = await listen(broker, caller, admitted, signal, 'whole')
        const { text, citations, usage, finish, at } = await whole(listening)
        const { turnId, messageId } = listening.turn
        return {
          response: text,
          messageId,
          timestamp: at,
          turnId,
          citations: citations.map(({ n, title, source, date, url, excerpt }) => ({ n, title, source, date, url, excerpt })),
          usage: usage ?? undefined,
          finish
        }
      })
    }),
    streamChat: (call) => {
      void conduct(
        call,
        'StreamChat',
        () => stream(call),
        (status) => call.emit('error', asServiceError(status))
      )
    },
    healthCheck: unary<HealthRequest, HealthResponse>('HealthCheck', async (_request, call) => {
      // Probes come without a token; a bad one is refused like everywhere else.
      if (call.metadata.get('authorization').length > 0) await callerOf(call)
      const now = await status(goneWith(call).signal)
      return { healthy: true, status: 'serving', version, protocol: PROTOCOL_VERSION, answeredBy: answeredBy(now) ?? '' }
    }),
    cancelTurn: unary<CancelRequest, CancelResponse>('CancelTurn', async ({ turnId }, call) => ({
      cancelled: await broker.cancel(await callerOf(call), turnId.toLowerCase())
    }))
  }
}

/** grpc-js takes a status through the stream's `error` event, after what was written; `destroy` would lose both. */
function asServiceError(status: StatusObject): ServiceError {
  return Object.assign(new Error(status.details), status)
}

async function drained(call: ServerWritableStream<StreamRequest, StreamResponse>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const late = AbortSignal.timeout(SLOW_READER_MS)
  try {
    await once(call, 'drain', { signal: AbortSignal.any([signal, late]) })
  } catch (error) {
    if (late.aborted) throw new CopilotError('timeout', 'The client does not read its answer. Resume the turn to read the rest.', { cause: error })
    if (!signal.aborted) throw error
  }
}
