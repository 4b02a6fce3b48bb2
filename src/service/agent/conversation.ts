// What a person and the copilot have said in a session: the port of the agent's memory.
import type { ConversationMessage } from '../providers/provider.ts'
import type { Bond } from '../store/bond.ts'

interface MessageRecord {
  readonly userId: string
  readonly sessionId: string
  readonly turnId: string
  /** The client of the meeting, as it is compared; absent: none is named. */
  readonly client?: string
  readonly role: 'user' | 'assistant'
  readonly text: string
  /** Unix ms. */
  readonly createdAt: number
}

export interface Conversation {
  /** Durable when it resolves. A turn has one message of each role: the first question stays, and the longest answer. `bond`: of a memory in the turns' own store. */
  save(message: MessageRecord, bond?: Bond): Promise<void>
  /** The last messages of the user's session from before this turn, oldest first: those about its client, or about none. */
  before(turn: Pick<MessageRecord, 'userId' | 'sessionId' | 'turnId' | 'client'>, limit: number): Promise<readonly ConversationMessage[]>
}
