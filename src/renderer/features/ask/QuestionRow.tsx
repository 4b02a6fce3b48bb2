// A question in the transcript: the words, where they stand, and what can be done with them.
import { Copy, Pencil, RotateCcw } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Message } from '../../../shared/domain.ts'
import { useActions } from '../../state/context.tsx'
import { formatTime } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { IconButton } from '../../ui/Button.tsx'
import { quickActionIcons } from './QuickActions.tsx'
import { DeliveryMark } from './DeliveryMark.tsx'
import { QuestionActions } from './QuestionActions.tsx'
import { QuestionEditor, useEditing } from './QuestionEditor.tsx'
import { useDelivery } from './useDelivery.ts'

export function QuestionRow({ message }: { readonly message: Message }): ReactNode {
  const actions = useActions()
  const delivery = useDelivery(message)
  const editing = useEditing(message, delivery)
  const QuickIcon = message.quickAction === null ? null : quickActionIcons[message.quickAction]
  const words = text.delivery.actions
  const open = delivery !== null && (delivery.word === 'confirm' || delivery.word === 'failed' || delivery.word === 'queued')
  return (
    <div className="entry entry-question">
      <div className="entry-margin">
        <time dateTime={new Date(message.createdAt).toISOString()}>{formatTime(message.createdAt)}</time>
        {delivery === null ? null : <DeliveryMark view={delivery} />}
      </div>
      <div className="entry-body">
        {editing ? (
          <QuestionEditor message={message} />
        ) : (
          <>
            <h2 className="sr-only">{text.answer.question}</h2>
            <p className="question-text">
              {QuickIcon === null || message.quickAction === null ? null : (
                <span className="question-quick">
                  <QuickIcon size={13} aria-hidden />
                  {text.quickActions[message.quickAction].label}
                </span>
              )}
              {message.text}
            </p>
          </>
        )}
        {delivery === null || delivery.detail === '' ? null : (
          <p className="question-detail" data-word={delivery.word}>
            {delivery.detail}
          </p>
        )}
        {editing || delivery === null ? null : (
          <div className="entry-actions" data-open={open || undefined}>
            <QuestionActions message={message} delivery={delivery} onEdit={() => actions.beginEdit(message)} />
            {open ? null : (
              <>
                <IconButton small label={words.copy} onClick={() => void actions.copy(message.text)}>
                  <Copy size={14} aria-hidden />
                </IconButton>
                {delivery.canAskAgain ? (
                  <>
                    <IconButton small label={words.reuse} onClick={() => actions.addToDraft(message.sessionId, message.text)}>
                      <Pencil size={14} aria-hidden />
                    </IconButton>
                    <IconButton small label={words.again} place={{ align: 'end' }} onClick={() => void actions.askAgain(message.id)}>
                      <RotateCcw size={14} aria-hidden />
                    </IconButton>
                  </>
                ) : null}
              </>
            )}
          </div>
        )}
      </div>
    </div>
  )
}
