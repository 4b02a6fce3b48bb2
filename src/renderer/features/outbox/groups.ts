// The outbox as people read it: by session, the longest waiting first, each in the order in which it will be sent. Pure.
import type { Message, Session } from '../../../shared/domain.ts'

export interface OutboxEntry {
  readonly message: Message
  /** An earlier question of its session is on its way or waits: this one goes after it. */
  readonly isBehind: boolean
}

export interface OutboxGroup {
  readonly sessionId: string
  /** Undefined for one that was not read yet: archived, or older than the newest 200. */
  readonly session: Session | undefined
  readonly entries: readonly OutboxEntry[]
}

export function groupOutbox(messages: readonly Message[], sessions: Readonly<Record<string, Session>>): readonly OutboxGroup[] {
  const bySession = Map.groupBy(messages, (message) => message.sessionId)
  const groups = [...bySession].map(([sessionId, own]): OutboxGroup => {
    const ordered = own.toSorted((a, b) => a.position - b.position)
    const firstToGo = ordered.find((message) => message.delivery?.state === 'waiting' || message.delivery?.state === 'sending')
    return {
      sessionId,
      session: sessions[sessionId],
      entries: ordered.map((message) => ({ message, isBehind: message.delivery?.state === 'waiting' && message !== firstToGo }))
    }
  })
  return groups.sort((a, b) => oldest(a) - oldest(b))
}

function oldest(group: OutboxGroup): number {
  return Math.min(...group.entries.map(({ message }) => message.createdAt))
}

export interface OutboxCounts {
  readonly waiting: number
  /** Older than an hour: they wait for the person's word. */
  readonly held: number
  readonly failed: number
}

export function countOutbox(messages: readonly Message[]): OutboxCounts {
  const held = messages.filter(({ delivery }) => delivery?.state === 'waiting' && delivery.needsConfirmation).length
  const failed = messages.filter(({ delivery }) => delivery?.state === 'failed').length
  return { waiting: messages.length - held - failed, held, failed }
}
