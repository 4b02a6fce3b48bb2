// Station 5 on the way of a question: saves it before anything else happens, then lets the outbox send it.
import type { Accepted } from '../../shared/bridge.ts'
import type { Message, Session } from '../../shared/domain.ts'
import { CopilotError } from '../../shared/errors.ts'
import type { Clock, NewId } from '../../shared/kit/clock.ts'
import { cleanText } from '../../shared/kit/text.ts'
import { MAX_QUESTION_LENGTH, type Question, type QuickAction } from '../../shared/turn.ts'
import type { History } from '../history/history.ts'
import type { Pump } from '../outbox/pump.ts'

export interface AskInput {
  readonly turnId: string
  readonly sessionId: string
  readonly text: string
  readonly quickAction?: QuickAction | undefined
}

export interface DeskOptions {
  readonly history: History
  readonly pump: Pump
  readonly clock: Clock
  readonly newId: NewId
  readonly onMessage: (message: Message) => void
  readonly onSession: (session: Session) => void
}

export interface Desk {
  /**
   * Resolves when the question is durable; it is then delivered whatever happens to this process.
   * @throws CopilotError `invalid_request` for an empty or overlong text, `not_found` for an unknown session.
   */
  ask(input: AskInput): Promise<Accepted>
  askAgain(messageId: string, turnId: string): Promise<Accepted>
  edit(messageId: string, text: string): Promise<Message>
  stop(turnId: string): Promise<void>
  sendNow(messageId: string): Promise<void>
  cancel(messageId: string): Promise<void>
  waiting(): Promise<readonly Message[]>
}

/** Cleaned text of a question. @throws CopilotError `invalid_request`, in words for the person who typed it. */
export function checkQuestion(text: string): string {
  const clean = cleanText(text).trim()
  if (clean === '') throw new CopilotError('invalid_request', 'There is nothing to ask yet. Type a question first.')
  if (clean.length > MAX_QUESTION_LENGTH) {
    const limit = MAX_QUESTION_LENGTH.toLocaleString('en')
    throw new CopilotError(
      'invalid_request',
      `This question has ${clean.length.toLocaleString('en')} characters; ${limit} is the most. Your text is still in the field: shorten it and ask again.`
    )
  }
  return clean
}

/** What a session tells the service about its meeting. Empty fields are left out. */
export function contextOf(session: Session): Record<string, string> {
  const fields: Record<string, string> = {
    session_title: session.title,
    client_name: session.clientName,
    meeting_type: session.meetingType,
    project_context: session.projectContext,
    service_types: session.serviceTypes.join(', '),
    cloud_providers: session.cloudProviders.join(', ')
  }
  for (const [name, value] of Object.entries(session.customFields).slice(0, 50)) fields[`custom.${name}`.slice(0, 128)] = value
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}

export function createDesk(options: DeskOptions): Desk {
  const { history, pump, clock, newId, onMessage, onSession } = options

  const accept = async (question: Question): Promise<Accepted> => {
    const saved = await history.accept({ question, messageId: newId(), at: clock.now() })
    if (saved.fresh) {
      onSession(saved.session)
      onMessage(saved.message)
    }
    pump.wake()
    return { turnId: question.turnId, sessionId: question.sessionId, message: saved.message }
  }
  const userMessage = async (messageId: string): Promise<Message & { turnId: string }> => {
    const message = await history.message(messageId)
    if (message?.role !== 'user' || message.turnId === null) throw new CopilotError('not_found', 'This question is no longer there.')
    return { ...message, turnId: message.turnId }
  }

  const stop = async (turnId: string): Promise<void> => {
    if (await pump.stopTurn(turnId)) return
    const row = await history.outboxRow(turnId)
    if (row?.state !== 'waiting' && row?.state !== 'sending') return
    onMessage(await history.changeOutbox(turnId, { state: 'cancelled', nextAttemptAt: null }))
    pump.wake()
  }

  return {
    async ask({ turnId, sessionId, text, quickAction }) {
      const clean = checkQuestion(text)
      const session = await history.session(sessionId)
      if (session === null) throw new CopilotError('not_found', 'This session was removed. Choose another one; your text is kept in the field.')
      return accept({ turnId, sessionId, text: clean, context: contextOf(session), ...(quickAction ? { quickAction } : {}) })
    },
    async askAgain(messageId, turnId) {
      const message = await userMessage(messageId)
      const session = await history.session(message.sessionId)
      if (session === null) throw new CopilotError('not_found', 'This session was removed.')
      return accept({
        turnId,
        sessionId: session.id,
        text: message.text,
        context: contextOf(session),
        ...(message.quickAction ? { quickAction: message.quickAction } : {})
      })
    },
    async edit(messageId, text) {
      const clean = checkQuestion(text)
      const message = await history.editQuestion(messageId, { text: clean, turnId: newId(), at: clock.now() })
      onMessage(message)
      pump.wake()
      return message
    },
    stop,
    async sendNow(messageId) {
      const { turnId } = await userMessage(messageId)
      const row = await history.outboxRow(turnId)
      if (row === null || row.state === 'settled' || row.state === 'sending') return
      if (row.state === 'cancelled' || (row.state === 'failed' && row.lastSeq > 0)) {
        throw new CopilotError('conflict', 'This question has ended. Ask it again instead.')
      }
      onMessage(await history.changeOutbox(turnId, { state: 'waiting', attempts: 0, nextAttemptAt: null, confirmedAt: clock.now(), error: null }))
      pump.wake()
    },
    async cancel(messageId) {
      const { turnId } = await userMessage(messageId)
      const row = await history.outboxRow(turnId)
      // One that failed is taken from the outbox; its words stay in the transcript.
      if (row?.state === 'failed') onMessage(await history.changeOutbox(turnId, { state: 'cancelled', nextAttemptAt: null }))
      else await stop(turnId)
    },
    async waiting() {
      const rows = await history.outbox()
      const messages = await Promise.all(rows.map((row) => history.message(row.messageId)))
      return messages.filter((message) => message !== null)
    }
  }
}
