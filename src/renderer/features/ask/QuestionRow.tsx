// A question in the transcript: the words, where they stand, and what can be done with them.
import { Ban, Copy, Pencil, RotateCcw, Send } from 'lucide-react'
import { useEffect, type ReactNode } from 'react'
import type { Message } from '../../../shared/domain.ts'
import { useActions, useLocal, useMirror } from '../../state/context.tsx'
import { deliveryView, type DeliveryView } from '../../state/delivery.ts'
import { draftOf, editKey } from '../../state/model.ts'
import { formatTime } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { quickActionIcons } from './QuickActions.tsx'
import { DeliveryMark } from './DeliveryMark.tsx'
import { answerIdOf } from './useAnswer.ts'

/** A question's delivery, in words, as it stands now. */
export function useDelivery(message: Message): DeliveryView | null {
  const link = useMirror((mirror) => mirror.link.state)
  const answer = useMirror((mirror) => {
    const id = answerIdOf(mirror, message)
    return id === null ? null : (mirror.messages[id]?.answer ?? null)
  })
  return deliveryView(message.delivery, { answer, link, time: formatTime })
}

export function QuestionRow({ message }: { readonly message: Message }): ReactNode {
  const actions = useActions()
  const delivery = useDelivery(message)
  const editing = useLocal((local) => local.drafts[editKey(message.id)] !== undefined)
  const canEdit = delivery?.canEdit === true
  useEffect(() => {
    if (canEdit) actions.restoreEdit(message.id)
  }, [actions, canEdit, message.id])
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
            {delivery.canSendNow ? (
              <Button small kind={delivery.word === 'confirm' ? 'primary' : 'plain'} onClick={() => void actions.sendNow(message.id)}>
                <Send size={13} aria-hidden />
                {words.sendNow}
              </Button>
            ) : null}
            {delivery.word === 'failed' && delivery.canAskAgain ? (
              <Button small onClick={() => void actions.askAgain(message.id)}>
                <RotateCcw size={13} aria-hidden />
                {words.again}
              </Button>
            ) : null}
            {delivery.canEdit ? (
              <Button small kind="quiet" onClick={() => actions.beginEdit(message)}>
                <Pencil size={13} aria-hidden />
                {words.edit}
              </Button>
            ) : null}
            {delivery.canCancel ? (
              <Button small kind="quiet" onClick={() => void actions.cancel(message.id)}>
                <Ban size={13} aria-hidden />
                {words.cancel}
              </Button>
            ) : null}
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

function QuestionEditor({ message }: { readonly message: Message }): ReactNode {
  const actions = useActions()
  const key = editKey(message.id)
  const value = useLocal((local) => draftOf(local, key).text)
  const error = useLocal((local) => local.boxErrors[key])
  const sending = useLocal((local) => local.sending[key] === true)
  return (
    <form
      className="question-editor"
      onSubmit={(event) => {
        event.preventDefault()
        void actions.edit(message.id)
      }}
    >
      <textarea
        className="input"
        aria-label={text.composer.label}
        value={value}
        autoFocus // oxlint-disable-line jsx-a11y/no-autofocus -- the person has just asked to edit here
        onChange={(event) => actions.setDraft(key, event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') actions.endEdit(message.id)
          if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault()
            void actions.edit(message.id)
          }
        }}
      />
      {error === undefined ? null : (
        <p className="question-detail" data-word="failed" role="alert">
          {error}
        </p>
      )}
      <div className="entry-actions" data-open>
        <Button small kind="primary" type="submit" disabled={sending || value.trim() === ''}>
          {text.composer.send}
        </Button>
        <Button small kind="quiet" onClick={() => actions.endEdit(message.id)}>
          {text.session.cancel}
        </Button>
      </div>
    </form>
  )
}
