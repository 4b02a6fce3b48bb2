// Malformed gRPC calls of the copilot, of health and of reflection: messages, metadata and frames that are none, and bytes that are
// no HTTP/2.
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import { CancelResponse, ChatResponse, HealthResponse, StreamResponse } from '../../src/shared/wire/gen/ai.ts'
import { checkReplies, type FuzzedDialect, type Lane, type Target } from './fuzz.ts'
import { callGrpc, delimited, framed, messagesIn, oddHeaders, varint, type GrpcAnswer } from './grpcWire.ts'
import { hostileBytes, hostileText, type Chance } from './hostile.ts'
import { sendRaw } from './httpLane.ts'

const AT_ONCE = 32
const methods = [
  'ai.AICopilot/Chat',
  'ai.AICopilot/StreamChat',
  'ai.AICopilot/HealthCheck',
  'ai.AICopilot/CancelTurn',
  'grpc.health.v1.Health/Check',
  'grpc.health.v1.Health/Watch',
  'grpc.health.v1.Health/List',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
]
/** Every status but UNKNOWN, ABORTED and DATA_LOSS, which nothing here means. INTERNAL is grpc-js's word for bytes that are no message. */
const grpcStatuses = new Set([0, 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16])

/** CANCELLED and DEADLINE_EXCEEDED. */
const ended = new Set([1, 4])

const goodFields = (userId: string): readonly (readonly [number, Buffer])[] => [
  [1, Buffer.from('x')],
  [2, Buffer.concat([delimited(1, Buffer.from('client')), delimited(2, Buffer.from('N'))])],
  [3, Buffer.from(userId)],
  [4, Buffer.from('s')],
  [10, Buffer.from('0190a000-0000-7000-8000-00000000000e')],
  [11, Buffer.from('cost')],
  // What health is asked about.
  [1, Buffer.from('ai.AICopilot')],
  [1, Buffer.alloc(0)],
  [13, Buffer.from('cost')]
]

/** Fields with wrong wire types and lengths, unknown ones, texts that are no texts. */
function badMessage(chance: Chance, userId: string): Buffer {
  if (chance.next() < 0.1) return hostileBytes(chance, 200)
  const parts = Array.from({ length: chance.below(6) }, () => {
    const field = chance.pick([1, 1, 2, 3, 4, 10, 11, 12, 13, 99, 536_870_911])
    const kind = chance.next()
    if (kind < 0.4) return delimited(field, Buffer.from(hostileText(chance)))
    // As it should be, so that the others are read as well.
    if (kind < 0.5) return delimited(...chance.pick(goodFields(userId)))
    if (kind < 0.6) return delimited(field, hostileBytes(chance))
    if (kind < 0.7)
      return delimited(2, Buffer.concat([delimited(1, Buffer.from(hostileText(chance))), delimited(2, Buffer.from(hostileText(chance)))]))
    if (kind < 0.85) return Buffer.concat([varint(field * 8 + chance.pick([0, 1, 3, 4, 5, 6, 7])), hostileBytes(chance, 12)])
    return Buffer.concat([varint(field * 8), varint(chance.pick([0, 1, 2 ** 31, 2 ** 53]))])
  })
  const whole = Buffer.concat(parts)
  return chance.next() < 0.1 ? whole.subarray(0, chance.below(whole.length + 1)) : whole
}

/** Throws unless the answer is exactly what its method gives: one message, or pieces with one end that comes last. */
function checkMessages(path: string, { data }: GrpcAnswer): void {
  const messages = messagesIn(data)
  const decode = decoders[path]
  if (decode !== undefined) {
    if (messages.length !== 1 || messages[0] === undefined) throw new Error(`${messages.length} messages for one call of ${path}`)
    decode(messages[0])
  } else if (path === '/ai.AICopilot/StreamChat') {
    const ends = messages.map((message) => StreamResponse.decode(message).isFinal)
    // Without any: a named turn of which the client says that it has read everything.
    if (messages.length > 0 && ends.indexOf(true) !== ends.length - 1)
      throw new Error(`a stream whose end is not its last message: ${ends.join(' ')}`)
  }
}
const WATCH = '/grpc.health.v1.Health/Watch'

/** SERVING or NOT_SERVING for what there is; a watch also says that there is none such. */
function checkHealth(message: Buffer, statuses: readonly number[]): void {
  const [tag, value = 0] = message
  if (message.length !== 2 || tag !== 8 || !statuses.includes(value)) throw new Error(`no state of health: ${message.toString('hex')}`)
}

const decoders: Readonly<Record<string, (message: Buffer) => unknown>> = {
  '/ai.AICopilot/Chat': (message) => ChatResponse.decode(message),
  '/ai.AICopilot/HealthCheck': (message) => HealthResponse.decode(message),
  '/ai.AICopilot/CancelTurn': (message) => CancelResponse.decode(message),
  '/grpc.health.v1.Health/Check': (message) => checkHealth(message, [1, 2])
}

export const grpc: FuzzedDialect = {
  name: 'grpc',
  async open(target: Target): Promise<Lane> {
    const dial = (): ClientHttp2Session => connectHttp2(`http://${target.grpc}`).on('error', () => undefined)
    let session = dial()
    let came = 0
    const one = async (chance: Chance): Promise<void> => {
      const path = `/${chance.next() < 0.97 ? chance.pick(methods) : encodeURIComponent(hostileText(chance).toWellFormed()).slice(0, 200)}`
      const type = chance.next() < 0.98 ? 'application/grpc' : chance.pick(['application/json', 'application/grpc+json', 'text/plain'])
      const body = framed(badMessage(chance, target.person.userId), chance)
      const token = chance.next() < 0.97 ? target.person.token : 'forged'
      const answer = await callGrpc(session, { path, body, type, token, headers: oddHeaders(chance), isEndless: path === WATCH })
      came += 1
      const seen = (what: string): Error => new Error(`${what} for ${path} ${body.toString('hex').slice(0, 400)}`)
      // Null: refused as HTTP, or the stream was reset, which is the transport's way.
      if (answer.status !== null && !grpcStatuses.has(answer.status)) throw seen(`status ${answer.status} (${answer.message})`)
      if (path === WATCH) {
        for (const message of messagesIn(answer.data)) checkHealth(message, [1, 2, 3])
        if (answer.status === 0) throw seen('a watch has ended by itself')
      } else if (answer.status === 0) checkMessages(path, answer)
      // A call that runs out of its time may have had its message.
      else if (!ended.has(answer.status ?? 4) && decoders[path] !== undefined && answer.data.length > 0)
        throw seen(`a message beside status ${answer.status}`)
    }
    return {
      async batch({ size, chance }) {
        came = 0
        for (let sent = 0; sent < size; sent += AT_ONCE) {
          if (session.closed || session.destroyed) session = dial()
          await Promise.all(Array.from({ length: Math.min(AT_ONCE, size - sent) }, () => one(chance)))
        }
        const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
        const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
        const opening = [Buffer.from(chance.next() < 0.8 ? preface : ''), chance.next() < 0.8 ? settings : Buffer.alloc(0)]
        await sendRaw(target.grpc, Buffer.concat([...opening, hostileBytes(chance, 300)]))
        if (session.closed || session.destroyed) session = dial()
        const message = delimited(1, Buffer.from('good'))
        const head = Buffer.from([0, 0, 0, 0, message.length])
        const path = '/ai.AICopilot/Chat'
        const answer = await callGrpc(session, { path, body: Buffer.concat([head, message]), token: target.person.token })
        if (answer.status !== 0) throw new Error(`the good message was answered with ${answer.status}`)
        checkMessages(path, answer)
        checkReplies({ due: size, open: 0, came })
        return { due: size, open: 0, came }
      },
      async close() {
        session.destroy()
        await Promise.resolve()
      }
    }
  }
}
