// Where the desk says what becomes of messages, for whoever listens for their owner: in this process at once, in the others by the
// fan-out between them.
import { CopilotError, wireErrorSchema, type WireError } from '../../shared/errors.ts'
import type { Fanout } from '../fanout/fanout.ts'
import type { AnswerDetails, ChatMessage, SessionKey, SessionKind } from './sessions.ts'

export type Answer = ChatMessage & { readonly answer: AnswerDetails }

/** What happens to a kept message, told to everybody who listens for its owner. `messageId` is that of the answer. */
export type DeskEvent = { readonly key: SessionKey; readonly replyTo: string } & (
  | { readonly type: 'answering'; readonly messageId: string }
  | { readonly type: 'stage'; readonly messageId: string; readonly stage: string; readonly progress: number }
  | { readonly type: 'piece'; readonly messageId: string; readonly text: string }
  | { readonly type: 'answered'; readonly answer: Answer }
  /** It is kept and goes on waiting. */
  | { readonly type: 'waiting'; readonly error: CopilotError }
  /** It will not be answered. */
  | { readonly type: 'failed'; readonly error: CopilotError }
)

export type Owner = Pick<SessionKey, 'userId' | 'kind'>

export interface DeskListener {
  /** Never throws. */
  readonly tell: (event: DeskEvent) => void
  /** Events of another process may have been missed: what is kept says how things are. Never throws. */
  readonly missed?: () => void
}

export interface Board {
  tell(event: DeskEvent): void
  /** Until the result is called. */
  listen(owner: Owner, listener: DeskListener): () => void
}

export function createBoard(fanout: Fanout): Board {
  const rooms = new Map<string, { readonly listeners: Set<DeskListener>; readonly leave: () => void }>()

  const tellHere = (name: string, event: DeskEvent): void => {
    for (const { tell } of rooms.get(name)?.listeners ?? []) tell(event)
  }
  const tellMissed = (name: string): void => {
    for (const { missed } of rooms.get(name)?.listeners ?? []) missed?.()
  }
  const enter = (name: string) => {
    const hearing = {
      heard: (text: string) => {
        const event = readNews(text)
        if (event === null) tellMissed(name)
        else tellHere(name, event)
      },
      missed: () => tellMissed(name)
    }
    const room = { listeners: new Set<DeskListener>(), leave: fanout.subscribe(name, hearing) }
    rooms.set(name, room)
    return room
  }

  return {
    tell(event) {
      const name = nameOf(event.key)
      tellHere(name, event)
      fanout.publish(name, newsOf(event))
    },
    listen(owner, listener) {
      const name = nameOf(owner)
      const room = rooms.get(name) ?? enter(name)
      room.listeners.add(listener)
      return () => {
        if (!room.listeners.delete(listener) || room.listeners.size > 0) return
        rooms.delete(name)
        room.leave()
      }
    }
  }
}

function nameOf({ userId, kind }: Owner): string {
  return JSON.stringify(['desk', userId, kind] satisfies [string, string, SessionKind])
}

function newsOf(event: DeskEvent): string {
  // Of a message that waits, the board needs only whose it is; the question stays where it is kept.
  const { userId, kind, sessionId } = event.key
  const key = { userId, kind, sessionId }
  return JSON.stringify('error' in event ? { ...event, key, error: event.error.toWire() } : { ...event, key })
}

const types: ReadonlySet<string> = new Set<DeskEvent['type']>(['answering', 'stage', 'piece', 'answered', 'waiting', 'failed'])

/** Null: from a process of another version, which says things that this one does not know. */
function readNews(text: string): DeskEvent | null {
  const news = JSON.parse(text) as { readonly type: string; readonly error?: unknown }
  if (!types.has(news.type)) return null
  if (news.error === undefined) return news as DeskEvent
  const error = wireErrorSchema.safeParse(news.error)
  return error.success ? ({ ...news, error: CopilotError.fromWire(error.data as WireError) } as DeskEvent) : null
}
