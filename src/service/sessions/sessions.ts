// Chat sessions and what was said in them: the port. Everything is looked up together with its owner, never without.
import type { Question } from '../../shared/turn.ts'
import type { Caller } from '../auth/caller.ts'

/** Sessions of consultants are made by the service; threads are named by the client that writes in them. */
export type SessionKind = 'consultant' | 'thread'

export interface SessionKey {
  readonly userId: string
  readonly kind: SessionKind
  readonly sessionId: string
}

/** Text, or an object of texts, as the client gave it. */
export type SessionContext = string | Readonly<Record<string, string>>

export interface SessionFields {
  readonly clientName: string
  readonly context: SessionContext
  readonly meetingType: string | null
  /** As the client gave it. */
  readonly metadata: Readonly<Record<string, unknown>>
}

export interface ChatSession extends SessionKey, SessionFields {
  /** Unix ms. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type MessageState = 'pending' | 'answered' | 'failed' | 'unread' | 'delivered'

export interface ChatMessage extends SessionKey {
  readonly messageId: string
  readonly role: 'user' | 'assistant'
  readonly content: string
  /** Unix ms. */
  readonly createdAt: number
  /** A person's message is pending, answered or failed; an answer unread or delivered. */
  readonly state: MessageState
  /** Of an answer. */
  readonly answer?: AnswerDetails
}

export interface AnswerDetails {
  /** The message that it answers. */
  readonly replyTo: string
  /** What answered, in words; null: not known. */
  readonly model: string | null
  /** 0 to 1: the share of the answer's statements that name a source. */
  readonly support: number
  readonly processingMs: number
}

/** A message that waits for its answer, with all that is needed to ask for it again after a restart. */
export interface PendingMessage extends ChatMessage {
  readonly caller: Caller
  readonly question: Question
}

export interface Page {
  /** At most so many. */
  readonly limit: number
  /** Only what is older than this. */
  readonly before?: { readonly at: number; readonly id: string } | undefined
}

export interface HistoryPage {
  readonly limit: number
  /** Only what was said before this message, or before this moment (Unix ms). */
  readonly before?: string | number | undefined
}

/** Every promise resolves when what it says is durable, and rejects with `CopilotError` when the store refuses. */
export interface Sessions {
  /** Makes it, or leaves the one that is there as it is. */
  create(session: ChatSession): Promise<ChatSession>
  find(key: SessionKey): Promise<ChatSession | null>
  /** Newest first. */
  list(owner: Pick<SessionKey, 'userId' | 'kind'>, page: Page): Promise<readonly ChatSession[]>
  /** Null: there is no such session. */
  update(key: SessionKey, fields: Partial<SessionFields>, now: number): Promise<ChatSession | null>
  /** With everything that was said in it; false: there is no such session. */
  remove(key: SessionKey): Promise<boolean>

  /** The last messages before, oldest first. */
  history(key: SessionKey, page: HistoryPage): Promise<readonly ChatMessage[]>
  /** What was said after this message, oldest first; everything when it is not known. */
  after(key: SessionKey, messageId: string, limit: number): Promise<readonly ChatMessage[]>
  message(owner: Pick<SessionKey, 'userId' | 'kind'>, messageId: string): Promise<ChatMessage | null>

  /** Keeps a person's message, once: with a known id nothing changes and the kept one comes back. Throws `not_found` without its session. */
  keep(message: PendingMessage): Promise<ChatMessage>
  /** Oldest first, of everybody or of one person. */
  pending(userId?: string): Promise<readonly PendingMessage[]>
  pendingCount(userId: string): Promise<number>
  /** Those that nobody asks just now: after a start all of an earlier life's, and while it runs those of a process that has died. */
  orphans(): Promise<readonly PendingMessage[]>
  /**
   * Whether this process may ask it: each message is asked by one, and after those before it in its session. `wait`: another asks it, or
   * one before it; `over`: it waits for nothing any more.
   */
  claim(message: Pick<ChatMessage, 'userId' | 'kind' | 'messageId'>): Promise<'mine' | 'wait' | 'over'>
  /** The message waits on, for another turn. */
  askAgain(message: PendingMessage, turnId: string): Promise<void>
  /** The answer, unread, and the end of its message's waiting, in one. False: the session has gone meanwhile, or it was answered. */
  answer(answer: ChatMessage & { readonly answer: AnswerDetails }): Promise<boolean>
  fail(message: Pick<ChatMessage, 'userId' | 'kind' | 'messageId'>): Promise<void>
  /** Answers that nobody has been given yet, oldest first. */
  unread(owner: Pick<SessionKey, 'userId' | 'kind'>, limit: number): Promise<readonly ChatMessage[]>
  markDelivered(owner: Pick<SessionKey, 'userId' | 'kind'>, messageIds: readonly string[]): Promise<void>
}
