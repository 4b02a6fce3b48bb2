// Socket.IO, malformed, packet by packet: the ERP events, the desktop's numbered ones over long polling, and the threads.
import { z } from 'zod'
import { aiAckSchema } from '../../src/shared/wire/socket.ts'
import { socketIoPolling, socketIoWebSocket } from './connection.ts'
import { isFields, isTooLarge, parsed, specifiedCodes } from './dialectChecks.ts'
import { erpGoods, hearErp, mayBeSilent } from './erp.ts'
import { hostileBytes, hostileText, hostileValue, spoil, spoiltText, type Chance } from './hostile.ts'
import { socketDialect, type Heard, type Sending, type Talk } from './socketLane.ts'
import type { Tally } from './tally.ts'

type Event = readonly [string, Record<string, unknown>]

const reserved = new Set(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])
const erpEvents = new Set(['ai_chat', 'ai_stream', 'ai_status', 'ai_cancel', 'ai_hello'])

/** Engine.IO and Socket.IO packets that are wrong as such. */
function wrongPacket(chance: Chance, event: string): Sending['message'] {
  const kind = chance.next()
  if (kind < 0.3) return `${chance.below(10)}${chance.below(10)}${event}`
  if (kind < 0.5) return `45${chance.below(5)}-${event}`
  if (kind < 0.6) return `42/${hostileText(chance).slice(0, 100)},${event}`
  if (kind < 0.7) return `43${chance.pick(['', '9', '99999999999999999999', '-1'])}${event}`
  if (kind < 0.8) return { bytes: hostileBytes(chance), isText: false }
  const odd = [
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
    '4',
    'b',
    'bAAAA'
  ]
  return chance.pick([...odd, '42["error"]', '2probe'])
}

/** The event in a packet that Socket.IO takes for one; null: it ends the connection, or may. */
function eventIn(packet: string, head: string): readonly unknown[] | null {
  const text = packet.slice(head.length)
  // Blanks before the bracket would be read as part of the acknowledgement's number.
  const event = text.startsWith('[') && !isTooLarge(packet) ? parsed(text) : undefined
  return Array.isArray(event) && typeof event[0] === 'string' && !reserved.has(event[0]) ? event : null
}

/** Replies to an event beside its acknowledgement. */
function dueTo(type: unknown, payload: unknown): Pick<Sending, 'due' | 'open'> {
  if (type === 'typing') return { due: isFields(payload) ? 0 : 1 }
  if (mayBeSilent(type, payload)) return { due: 0, open: 1 }
  return { due: typeof type === 'string' && (erpEvents.has(type) || type === 'send_message') ? 1 : 0 }
}

function spoiltEvent(chance: Chance, event: Event): string {
  // Mostly what it says; now and then its name, or that it is one.
  const bad = chance.next() < 0.95 ? [event[0], spoil(event[1], chance)] : spoil(event, chance)
  const more = chance.next() < 0.1 && Array.isArray(bad) ? [...(bad as unknown[]), hostileValue(chance)] : bad
  // Each text that is no JSON ends its connection: fewer of them leave time for more of the others.
  return chance.next() < 0.9 ? JSON.stringify(more) : spoiltText(more, chance)
}

/** `goods`: fresh for each message. */
function talkIn(tally: Tally, goods: (chance: Chance) => readonly Event[], good: Talk['good']): Talk {
  const acks = new Map<number, unknown>()
  let ackId = 0
  // The greeting comes unasked.
  tally.sent(1)
  const bad = (chance: Chance): Sending => {
    const text = spoiltEvent(chance, chance.pick(goods(chance)))
    if (chance.next() < 0.02) return { message: wrongPacket(chance, text), due: 0, breaks: true }
    const wantsAck = chance.next() < 0.3
    if (wantsAck) ackId += 1
    const head = `42${wantsAck ? ackId : ''}`
    const event = eventIn(head + text, head)
    if (event === null) return { message: head + text, due: 0, breaks: true }
    const { due, open } = dueTo(event[0], event[1])
    const isKnown = erpEvents.has(String(event[0])) || event[0] === 'send_message' || event[0] === 'typing'
    if (!wantsAck || !isKnown) return { message: head + text, due, ...(open === undefined ? {} : { open }) }
    acks.set(ackId, event[0])
    // These say by the acknowledgement what they would say by an event, and an error by both.
    const isSaidByAck = event[0] === 'ai_cancel' || event[0] === 'ai_hello'
    return { message: head + text, due: isSaidByAck ? 1 : due + 1, ...(open === undefined ? {} : { open }) }
  }
  const hearAck = (id: number, answer: unknown): void => {
    if (!acks.has(id)) throw new Error('an acknowledgement that nobody waits for')
    const type = acks.get(id)
    acks.delete(id)
    tally.came()
    if (type === 'ai_hello' || type === 'ai_status') return
    if (!aiAckSchema.parse(answer).ok && type === 'ai_cancel') tally.sent(1)
  }
  const hear = (text: string): Heard => {
    const [, ack, args] = /^4(?:2|3(\d+))(\[.*\])$/s.exec(text) ?? []
    if (args === undefined) throw new Error('a packet that is not expected')
    if (ack !== undefined) {
      hearAck(Number(ack), (JSON.parse(args) as unknown[])[0])
      return {}
    }
    const [event, data] = z.tuple([z.string(), z.record(z.string(), z.unknown())]).parse(JSON.parse(args))
    return hearErp(tally, event, data) ?? hearThread(tally, event, data)
  }
  return { bad, good, hear }
}

const threadError = z.object({
  error: z.string().min(1),
  thread_id: z.string(),
  retry_after: z.number(),
  code: z.number(),
  reply_to: z.string().optional()
})
const threadResponse = z.object({
  thread_id: z.string(),
  message_id: z.string(),
  content: z.string(),
  model_used: z.string(),
  confidence_score: z.number().min(0).max(1),
  processing_time_ms: z.number().min(0),
  is_final: z.boolean(),
  reply_to: z.string()
})
const threadSaved = z.object({ message_id: z.string(), thread_id: z.string(), saved_at: z.iso.datetime() })

function hearThread(tally: Tally, event: string, data: unknown): Heard {
  switch (event) {
    case 'ai_typing':
    case 'ai_unavailable':
      return {}
    case 'message_sent': {
      const saved = threadSaved.parse(data)
      tally.kept(`${saved.thread_id} ${saved.message_id}`)
      tally.came()
      return {}
    }
    case 'ai_response': {
      const response = threadResponse.parse(data)
      if (!response.is_final) return {}
      tally.answered(`${response.thread_id} ${response.reply_to}`)
      return { answers: response.reply_to }
    }
    case 'ai_error': {
      const { code, retry_after: retryAfter, thread_id: thread } = threadError.parse(data)
      if (!specifiedCodes.has(code)) throw new Error('an ai_error that is not specified')
      tally.came()
      // The good message has a thread of its own, named like itself.
      return retryAfter > 0 ? { putsOff: thread.slice(1) } : {}
    }
    default:
      throw new Error('an event that is not specified')
  }
}

const goodChat: Talk['good'] = (id) => ({ message: `42${JSON.stringify(['ai_chat', { message: 'good', turn_id: id }])}`, due: 1 })
const path = '/socket.io/?EIO=4&transport=websocket'

export const erpSocketIo = socketDialect({
  name: 'erp-socketio',
  path,
  dial: socketIoWebSocket,
  talk: ({ person }, tally) => talkIn(tally, () => erpGoods(person.userId), goodChat)
})

const uuidFrom = (chance: Chance): string => `0190a000-0000-7000-8000-${String(chance.below(1e12)).padStart(12, '0')}`

/** As the desktop speaks: turns of its own naming, taken up after a number, cancelled; over long polling. */
export const desktopSocketIo = socketDialect({
  name: 'desktop-socketio',
  path,
  dial: socketIoPolling,
  talk({ person }, tally) {
    let latest = uuidFrom({ next: () => 0, below: () => 0, pick: ([first]) => first as never })
    const goods = (chance: Chance): readonly Event[] => {
      const turnId = uuidFrom(chance)
      const asked = { message: 'x', context: { client: 'N' }, session_id: 's', user_id: person.userId, quick_action: 'summarise' }
      const cancelled = latest
      latest = turnId
      return [
        ['ai_stream', { ...asked, turn_id: turnId, after_seq: 0 }],
        ['ai_stream', { ...asked, turn_id: cancelled, after_seq: 1 }],
        ['ai_stream', { message: 'x', turn_id: turnId }],
        ['ai_cancel', { turn_id: cancelled }],
        ['ai_hello', { protocol: 1 }]
      ]
    }
    return talkIn(tally, goods, goodChat)
  }
})

export const threadSocketIo = socketDialect({
  name: 'thread-socketio',
  path,
  dial: socketIoWebSocket,
  talk({ person }, tally) {
    const goods: readonly Event[] = [
      ['send_message', { thread_id: 't', content: 'x', content_type: 'text', message_id: 'm', context: { client: 'N' }, user_id: person.userId }],
      ['send_message', { thread_id: 't', content: 'x' }],
      ['typing', { thread_id: 't', typing: true }]
    ]
    const good: Talk['good'] = (id) => ({
      message: `42${JSON.stringify(['send_message', { thread_id: `t${id}`, content: 'good', message_id: id }])}`,
      due: 1
    })
    return talkIn(tally, () => goods, good)
  }
})
