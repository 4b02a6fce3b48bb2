// What can be done with a question that waits or failed. The same in the transcript, in the outbox and in the overlay.
import { Ban, Pencil, RotateCcw, Send } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Message } from '../../../shared/domain.ts'
import { useActions } from '../../state/context.tsx'
import type { DeliveryView } from '../../state/delivery.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'

interface QuestionActionsProps {
  readonly message: Message
  readonly delivery: DeliveryView
  /** Absent where there is no room for an editor. */
  readonly onEdit?: () => void
}

export function QuestionActions({ message, delivery, onEdit }: QuestionActionsProps): ReactNode {
  const actions = useActions()
  const words = text.delivery.actions
  return (
    <>
      {delivery.canSendNow ? (
        <Button small kind={delivery.word === 'confirm' ? 'primary' : 'plain'} onClick={() => void actions.sendNow(message.id)}>
          <Send size={13} aria-hidden />
          {words.sendNow}
        </Button>
      ) : null}
      {delivery.canSendAgain ? (
        <Button small onClick={() => void actions.sendAgain(message.id)}>
          <RotateCcw size={13} aria-hidden />
          {words.sendAgain}
        </Button>
      ) : null}
      {delivery.word === 'failed' && !delivery.canEdit && delivery.canAskAgain ? (
        // It was answered, in part: what is asked again is a question of its own.
        <Button small onClick={() => void actions.askAgain(message.id)}>
          <RotateCcw size={13} aria-hidden />
          {words.again}
        </Button>
      ) : null}
      {delivery.canEdit && onEdit !== undefined ? (
        <Button small kind="quiet" onClick={onEdit}>
          <Pencil size={13} aria-hidden />
          {words.edit}
        </Button>
      ) : null}
      {delivery.canCancel ? (
        <Button small kind="quiet" onClick={() => void actions.cancel(message.id)}>
          <Ban size={13} aria-hidden />
          {delivery.word === 'failed' ? words.dontSend : words.cancel}
        </Button>
      ) : null}
    </>
  )
}
