// An answer as it stands this frame: what is stored, with the live turn's events on top.
import type { Message } from '../../../shared/domain.ts'
import type { Citation, Notice, Usage } from '../../../shared/turn.ts'
import type { WireError } from '../../../shared/errors.ts'
import { useMirror } from '../../state/context.tsx'
import type { Mirror } from '../../state/mirror.ts'

export interface AnswerView {
  readonly message: Message
  readonly text: string
  readonly streaming: boolean
  /** What the service is doing before or between words; null when there is nothing to say. */
  readonly stage: string | null
  readonly progress: number | null
  readonly citations: readonly Citation[]
  readonly notices: readonly Notice[]
  readonly usage: Usage | null
  readonly error: WireError | null
  readonly stopped: boolean
}

/** Renders again only when this answer changes. Null when the message is gone or is no answer. */
export function useAnswer(messageId: string | null): AnswerView | null {
  const message = useMirror((mirror) => (messageId === null ? undefined : mirror.messages[messageId]))
  const live = useMirror((mirror) => (messageId === null ? undefined : mirror.turns[messageId]))
  if (message === undefined || message.answer === null) return null
  const { answer } = message
  const ended = answer.state !== 'answering' || live?.state === 'done' || live?.state === 'failed' || live?.state === 'cancelled'
  return {
    message,
    text: live?.text ?? message.text,
    streaming: !ended,
    stage: live?.stage ?? null,
    progress: live?.progress ?? null,
    citations: live?.citations ?? answer.citations,
    notices: live?.notices ?? answer.notices,
    usage: live?.usage ?? answer.usage,
    error: live?.error ?? answer.error,
    stopped: answer.state === 'cancelled' || live?.state === 'cancelled'
  }
}

/** The answer that belongs to a question. */
export function answerIdOf(mirror: Mirror, question: Message): string | null {
  return question.turnId === null ? null : (mirror.answers[question.turnId] ?? null)
}
