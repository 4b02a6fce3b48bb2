// The consultant chat's WebSocket, malformed: every frame is answered once, and every message that was kept has one answer.
import { z } from 'zod'
import { webSocketAt } from './connection.ts'
import { checkError, isFields, spoiltFrame } from './dialectChecks.ts'
import { socketDialect } from './socketLane.ts'

const path = '/api/v1/admin/chat/ws'
const context = { client: 'Northwind', seats: '5' }
const goodsIn = (session: string) => [
  {
    type: 'message',
    session_id: session,
    message_id: 'm',
    content: 'x',
    metadata: { client_name: 'N', context, quick_action: 'cost', correlation_id: '0190a000-0000-4000-8000-00000000000d' },
    timestamp: '2026-01-01T00:00:00Z'
  },
  { type: 'message', session_id: '', message_id: '', content: 'x', metadata: { client_name: 'N', context: 'c' } },
  { type: 'status', session_id: session, message_id: 'm', content: '', metadata: {}, timestamp: '2026-01-01T00:00:00Z' },
  { type: 'typing', session_id: session, message_id: '', content: '', metadata: {} }
]

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
  path,
  dial: webSocketAt(path),
  talk(_target, tally) {
    let session = ''
    const restored = new Set<string>()
    const given = new Set<string>()
    return {
      bad: (chance) =>
        spoiltFrame(chance, chance.pick(goodsIn(session)), (frame) => ({
          due: isFields(frame) && (frame['type'] === 'typing' || frame['type'] === 'error') ? 0 : 1
        })),
      good: (id) => ({ message: JSON.stringify({ type: 'message', message_id: id, content: 'good' }), due: 1 }),
      hear(text) {
        const { type, session_id: sessionId, message_id: messageId, metadata, content } = chatFrame.parse(JSON.parse(text))
        if (type === 'error') {
          checkError({ ...metadata, message: 'x' })
          tally.came()
          return metadata['code'] === 4003 ? { putsOff: messageId } : {}
        }
        if (type === 'status' && 'saved_at' in metadata) {
          session = sessionId
          tally.kept(`${sessionId} ${messageId}`)
          tally.came()
        } else if (type === 'status' && content === 'restored') {
          restored.add(sessionId)
          tally.came()
        } else if (type === 'message' && metadata['role'] !== 'user') {
          // A session that is restored says again what was missed.
          const key = `${sessionId} ${String(metadata['reply_to'])}`
          if (!given.has(key) || !restored.has(sessionId)) tally.answered(key)
          given.add(key)
          return { answers: String(metadata['reply_to']) }
        }
        return {}
      }
    }
  }
})
