// Changes a question that was not sent, or that failed, in its place, and sends it.
import { useEffect, type ReactNode } from 'react'
import type { Message } from '../../../shared/domain.ts'
import { useActions, useLocal } from '../../state/context.tsx'
import type { DeliveryView } from '../../state/delivery.ts'
import { draftOf, editKey } from '../../state/model.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'

/** Whether this question is being changed; an edit that a crash or a reload interrupted goes on. */
export function useEditing(message: Message, delivery: DeliveryView | null): boolean {
  const actions = useActions()
  const canEdit = delivery?.canEdit === true
  useEffect(() => {
    if (canEdit) actions.restoreEdit(message.id)
  }, [actions, canEdit, message.id])
  return useLocal((local) => local.drafts[editKey(message.id)] !== undefined)
}

export function QuestionEditor({ message }: { readonly message: Message }): ReactNode {
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
          if (event.key === 'Escape') {
            // The window's own Esc leaves the view: this one leaves only the editor.
            event.preventDefault()
            actions.endEdit(message.id)
          }
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
