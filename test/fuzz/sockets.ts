// Malformed frames, packets and messages of the socket dialects: over `ws` where the transport itself is right, by hand where it is not.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { v7 as uuidv7 } from 'uuid'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { aiErrorSchema } from '../../src/shared/wire/socket.ts'
import { GOOD_MS, within, type FuzzedDialect, type Lane, type Target } from './fuzz.ts'
import { hostileBytes, hostileText, hostileValue, spoil, spoiltText, type Chance } from './hostile.ts'

/** One message as it goes out. */
type Outgoing = string | { readonly bytes: Buffer; readonly isText: boolean }

interface Protocol {
  readonly name: string
  readonly path: string
  /** What is said right after the connection, and the beginning of the answer to it; null: nothing. */
  readonly greeting: { readonly say: (token: string) => string; readonly answer: string } | null
  bad(chance: Chance): Outgoing
  /** A good message that is known again by its id. */
  good(id: string): string
  /** What a frame is: throws for what is not specified. */
  read(text: string): Heard
}
interface Heard {
  /** The id of the good message that it answers. */
  readonly answers?: string | undefined
  /** The id of the good message that it puts off. */
  readonly putsOff?: string | undefined
  readonly reply?: string
}

const specified = new Set([4001, 4002, 4003, 4004, 1008])

function checkError(data: unknown): void {
  const { code, error } = aiErrorSchema.parse(data)
  if (!specified.has(code) || error === undefined || error.code === 'internal')
    throw new Error(`an error that is not specified: ${JSON.stringify(data)}`)
}

export function socketDialect(protocol: Protocol): FuzzedDialect {
  return { name: protocol.name, open: (target) => openLane(protocol, target) }
}

async function openLane(protocol: Protocol, target: Target): Promise<Lane> {
  let socket = await dial(protocol, target)
  return {
    async batch(size, chance) {
      const faults: Error[] = []
      const waiting = new Map<string, () => void>()
      const hear = (data: Buffer): void => {
        try {
          const { answers, putsOff, reply } = protocol.read(data.toString())
          if (reply !== undefined) socket.send(reply)
          if (answers !== undefined) waiting.get(answers)?.()
          if (putsOff !== undefined && waiting.has(putsOff)) setTimeout(() => socket.send(protocol.good(putsOff)), 20)
        } catch (error) {
          faults.push(new Error(`${String(error)} in ${data.toString().slice(0, 500)}`))
        }
      }
      socket.on('message', hear)
      const again = async (): Promise<void> => {
        socket = await dial(protocol, target)
        socket.on('message', hear)
      }
      for (let n = 0; n < size; n += 1) {
        if (chance.next() < 0.003) {
          await rawGarbage(protocol, target, chance)
          continue
        }
        const message = protocol.bad(chance)
        if (socket.readyState !== WebSocket.OPEN) await again()
        if (typeof message === 'string') socket.send(message)
        else socket.send(message.bytes, { binary: !message.isText })
        // Lets the service answer, and close, between some of them.
        if (n % 20 === 19) await new Promise((resolve) => setImmediate(resolve))
      }
      // A connection that a bad packet has ended is known as such only after a while.
      for (let isAnswered = false; !isAnswered && faults.length === 0;) {
        if (socket.readyState !== WebSocket.OPEN) await again()
        const id = uuidv7()
        const ended = once(socket, 'close').then(() => false)
        const answered = new Promise<boolean>((resolve) => waiting.set(id, () => resolve(true)))
        socket.send(protocol.good(id))
        isAnswered = await within(GOOD_MS, 'the good message was not answered', Promise.race([answered, ended]))
        waiting.delete(id)
      }
      socket.off('message', hear)
      if (faults[0] !== undefined) throw faults[0]
    },
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return
      const closed = once(socket, 'close')
      socket.terminate()
      await closed
    }
  }
}

async function dial({ path, greeting }: Protocol, { http, token }: Target): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${http}${path}`, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false })
  // What the service ends, it ends: the lane sees it closed and dials again.
  socket.on('error', () => undefined)
  const greeted = new Promise<void>((resolve) => {
    const hear = (data: Buffer): void => {
      if (greeting === null || !data.toString().startsWith(greeting.answer)) return
      socket.off('message', hear)
      resolve()
    }
    if (greeting === null) resolve()
    else socket.on('message', hear)
  })
  await within(GOOD_MS, 'no connection', once(socket, 'open'))
  if (greeting !== null) socket.send(greeting.say(token))
  await within(GOOD_MS, 'no greeting', greeted)
  return socket
}

/** Bytes that are no WebSocket frames, behind a good handshake. */
async function rawGarbage({ path }: Protocol, { http, token }: Target, chance: Chance): Promise<void> {
  const [host = '', port = '0'] = http.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => undefined)
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${http}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\nAuthorization: Bearer ${token}\r\n\r\n`
  )
  const opcode = chance.below(16)
  socket.write(Buffer.concat([Buffer.from([(chance.below(16) << 4) | opcode, chance.below(256)]), hostileBytes(chance, 200)]))
  socket.end()
  socket.resume()
  await within(GOOD_MS, 'garbage kept the connection open', once(socket, 'close'))
}

const context = { client: 'Northwind', seats: '5' }
const erpGoods = [
  { type: 'ai_chat', data: { message: 'x', context, session_id: 's' }, timestamp: 1 },
  {
    type: 'ai_stream',
    data: { message: 'x', context, session_id: 's', turn_id: '0190a000-0000-7000-8000-00000000000a', after_seq: 0, quick_action: 'cost' },
    timestamp: 1
  },
  { type: 'ai_stream', data: { message: 'x', user_id: 'fuzz' }, timestamp: 1 },
  { type: 'ai_status', data: {}, timestamp: 1 },
  { type: 'ai_cancel', data: { turn_id: '0190a000-0000-7000-8000-00000000000b' }, timestamp: 1 },
  { type: 'ai_hello', data: {}, timestamp: 1 }
]
const chatGoods = [
  {
    type: 'message',
    session_id: '',
    message_id: 'm',
    content: 'x',
    metadata: { client_name: 'N', context, quick_action: 'cost' },
    timestamp: '2026-01-01T00:00:00Z'
  },
  { type: 'status', session_id: 's', message_id: 'm', content: '', metadata: {}, timestamp: '2026-01-01T00:00:00Z' },
  { type: 'typing', session_id: 's', message_id: '', content: '', metadata: {} }
]
const threadGoods = [
  ['send_message', { thread_id: 't', content: 'x', content_type: 'text', message_id: 'm', context }],
  ['typing', { thread_id: 't', typing: true }]
]

function frame(chance: Chance, goods: readonly unknown[]): Outgoing {
  const text = spoiltText(spoil(chance.pick(goods), chance), chance)
  const kind = chance.next()
  if (kind < 0.97) return text
  if (kind < 0.995) return { bytes: Buffer.from(text), isText: false }
  // Not UTF-8: the connection ends with 1007.
  return { bytes: Buffer.concat([Buffer.from(text), Buffer.from([0xc3, 0x28, 0xff])]), isText: true }
}

const erpTypes = z.enum(['ai_chat', 'ai_stream', 'ai_status', 'ai_cancel', 'ai_hello'])
export const erpWebSocket = socketDialect({
  name: 'erp-ws',
  path: '/ws',
  greeting: null,
  bad: (chance) => frame(chance, erpGoods),
  good: (id) => JSON.stringify({ type: 'ai_chat', data: { message: 'good', turn_id: id }, timestamp: 1 }),
  read(text) {
    const { type, data } = z
      .strictObject({ type: z.string(), data: z.record(z.string(), z.unknown()), timestamp: z.number() })
      .parse(JSON.parse(text))
    if (type === 'error') checkError(data)
    else erpTypes.parse(type)
    return type === 'ai_chat' ? { answers: String(data['turn_id']) } : {}
  }
})

const chatFrame = z.object({
  type: z.enum(['message', 'typing', 'status', 'error']),
  session_id: z.string(),
  message_id: z.string(),
  content: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  timestamp: z.iso.datetime()
})
export const consultantWebSocket = socketDialect({
  name: 'consultant-ws',
  path: '/api/v1/admin/chat/ws',
  greeting: null,
  bad: (chance) => frame(chance, chatGoods),
  good: (id) => JSON.stringify({ type: 'message', message_id: id, content: 'good' }),
  read(text) {
    const { type, metadata, message_id: messageId } = chatFrame.parse(JSON.parse(text))
    if (type !== 'error') return type === 'message' ? { answers: String(metadata['reply_to']) } : {}
    checkError({ ...metadata, message: 'x' })
    return metadata['code'] === 4003 ? { putsOff: messageId } : {}
  }
})

/** Engine.IO and Socket.IO packets that are wrong as such. */
function packet(chance: Chance, event: string): Outgoing {
  const kind = chance.next()
  if (kind < 0.9) return `42${chance.next() < 0.2 ? chance.below(1_000) : ''}${event}`
  if (kind < 0.93) return `${chance.below(10)}${chance.below(10)}${event}`
  if (kind < 0.95) return `45${chance.below(5)}-${event}`
  if (kind < 0.96) return `42/${hostileText(chance).slice(0, 100)},${event}`
  if (kind < 0.97) return `43${chance.pick(['', '9', '99999999999999999999', '-1'])}${event}`
  if (kind < 0.98) return { bytes: hostileBytes(chance), isText: false }
  return chance.pick([
    '',
    '2',
    '3',
    '5',
    '6',
    '40',
    '41',
    '44"x"',
    '42',
    '42[]',
    '42[1]',
    '42[null,1]',
    '42["connect"]',
    '42["disconnect"]',
    '42["error"]',
    '4',
    'b',
    'bAAAA',
    '2probe'
  ])
}

const socketIoEvents = new Set([
  'ai_chat',
  'ai_stream',
  'ai_status',
  'ai_hello',
  'ai_cancel',
  'ai_typing',
  'ai_response',
  'ai_unavailable',
  'message_sent'
])
function readPacket(text: string): Heard {
  if (text === '2') return { reply: '3' }
  if (/^4[0134]/.test(text) || /^[06]/.test(text)) return {}
  const match = /^42(?:\/[^,]*,)?\d*(\[.*\])$/s.exec(text)
  if (match === null) throw new Error('a packet that is not expected')
  const [event, data] = z.tuple([z.string(), z.record(z.string(), z.unknown())]).parse(JSON.parse(match[1] ?? ''))
  if (event === 'error') checkError(data)
  else if (event === 'ai_error') {
    const {
      code,
      retry_after: retryAfter,
      reply_to: replyTo
    } = z.object({ error: z.string(), thread_id: z.string(), retry_after: z.number(), code: z.number(), reply_to: z.string().optional() }).parse(data)
    if (!specified.has(code)) throw new Error('an ai_error that is not specified')
    return retryAfter > 0 ? { putsOff: replyTo } : {}
  } else if (!socketIoEvents.has(event)) throw new Error(`an event that is not specified: ${event}`)
  if (event === 'ai_chat') return { answers: String(data['turn_id']) }
  return event === 'ai_response' && data['is_final'] === true ? { answers: String(data['reply_to']) } : {}
}

const socketIo = {
  path: '/socket.io/?EIO=4&transport=websocket',
  greeting: { say: (token: string) => `40${JSON.stringify({ token })}`, answer: '40' },
  read: readPacket
}
const spoiltEvent = (chance: Chance, event: unknown): string => {
  const bad = spoil(event, chance)
  const more = chance.next() < 0.1 && Array.isArray(bad) ? [...(bad as unknown[]), hostileValue(chance)] : bad
  return spoiltText(more, chance)
}

export const erpSocketIo = socketDialect({
  ...socketIo,
  name: 'erp-socketio',
  bad: (chance) => {
    const { type, data } = chance.pick(erpGoods)
    return packet(chance, spoiltEvent(chance, [type, data]))
  },
  good: (id) => `42${JSON.stringify(['ai_chat', { message: 'good', turn_id: id }])}`
})
export const threadSocketIo = socketDialect({
  ...socketIo,
  name: 'thread-socketio',
  bad: (chance) => packet(chance, spoiltEvent(chance, chance.pick(threadGoods))),
  good: (id) => `42${JSON.stringify(['send_message', { thread_id: `t${id}`, content: 'good', message_id: id }])}`
})
