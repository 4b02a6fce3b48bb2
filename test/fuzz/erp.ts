// The ERP dialect, malformed: over plain WebSockets, and what its replies are over whatever carries them.
import { z } from 'zod'
import { aiStreamPieceSchema } from '../../src/shared/wire/socket.ts'
import { webSocketAt } from './connection.ts'
import { checkError, isFields, spoiltFrame } from './dialectChecks.ts'
import type { Chance } from './hostile.ts'
import { socketDialect, type Heard, type Sending } from './socketLane.ts'
import type { Tally } from './tally.ts'

const context = { client: 'Northwind', seats: '5' }

/** Every type with every field; some of them name the asker. */
export function erpGoods(userId: string): readonly (readonly [string, Record<string, unknown>])[] {
  return [
    ['ai_chat', { message: 'x', context, session_id: 's', user_id: userId, correlation_id: '0190a000-0000-4000-8000-00000000000d' }],
    ['ai_chat', { message: 'x', turn_id: '0190a000-0000-7000-8000-00000000000c', quick_action: 'clarify' }],
    ['ai_stream', { message: 'x', context, session_id: 's', turn_id: '0190a000-0000-7000-8000-00000000000a', after_seq: 0, quick_action: 'cost' }],
    ['ai_stream', { message: 'x', user_id: userId }],
    ['ai_status', {}],
    ['ai_cancel', { turn_id: '0190a000-0000-7000-8000-00000000000b' }],
    ['ai_hello', {}]
  ]
}

/** A named turn that the client says it has read further than its beginning may have nothing more to say. */
export function mayBeSilent(type: unknown, data: unknown): boolean {
  return type === 'ai_stream' && isFields(data) && Number.isSafeInteger(data['after_seq']) && Number(data['after_seq']) > 0
}

const statusSchema = z.object({ status: z.string(), message_id: z.string(), progress: z.number().min(0).max(100) })
const chatSchema = z.object({ response: z.string(), message_id: z.string().min(1), timestamp: z.number(), turn_id: z.string() })

/** One event of the service, checked; the last one of its message is counted. Null: it is not of this dialect. */
export function hearErp(tally: Tally, type: string, data: unknown): Heard | null {
  switch (type) {
    case 'error':
      checkError(data)
      tally.came()
      return {}
    case 'ai_chat':
      tally.came()
      return { answers: chatSchema.parse(data).turn_id }
    case 'ai_stream':
      if (aiStreamPieceSchema.parse(data).is_final) tally.came()
      return {}
    case 'ai_status': {
      // Of an answer under way, or what was asked for.
      if (statusSchema.parse(data).message_id === '') tally.came()
      return {}
    }
    case 'ai_cancel':
    case 'ai_hello':
      tally.came()
      return {}
    default:
      return null
  }
}

const envelope = z.strictObject({ type: z.string(), data: z.record(z.string(), z.unknown()), timestamp: z.number() })

export const erpWebSocket = socketDialect({
  name: 'erp-ws',
  path: '/ws',
  dial: webSocketAt('/ws'),
  talk({ person }, tally) {
    const goods = erpGoods(person.userId).map(([type, data]) => ({ type, data, timestamp: 1 }))
    return {
      bad: (chance: Chance): Sending =>
        spoiltFrame(chance, chance.pick(goods), (frame) =>
          isFields(frame) && mayBeSilent(frame['type'], frame['data']) ? { due: 0, open: 1 } : { due: 1 }
        ),
      good: (id) => ({ message: JSON.stringify({ type: 'ai_chat', data: { message: 'good', turn_id: id }, timestamp: 1 }), due: 1 }),
      hear(text) {
        const { type, data } = envelope.parse(JSON.parse(text))
        const heard = hearErp(tally, type, data)
        if (heard === null) throw new Error('a type that is not specified')
        return heard
      }
    }
  }
})
