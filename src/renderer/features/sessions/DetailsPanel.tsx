// The right panel: what the session tells about its meeting, and the consultant's own notes. Saved while typing.
import { Archive, ArchiveRestore, Download, Pin, PinOff, Trash2, X } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import type { Session } from '../../../shared/domain.ts'
import { useActions } from '../../state/context.tsx'
import { formatDate, formatInteger } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field } from '../../ui/Fields.tsx'
import { SessionForm } from './SessionForm.tsx'
import { useSessionDetails } from './useSessionDetails.ts'

export function DetailsPanel({ session }: { readonly session: Session }): ReactNode {
  const actions = useActions()
  const { details, change, flush } = useSessionDetails(session)
  const [removing, setRemoving] = useState(false)
  const words = text.session
  const archived = session.status === 'archived'
  return (
    // Leaving a field saves it; the panel listens for all of them.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <aside className="details" aria-label={words.details} onBlur={flush}>
      <header>
        <h2>{words.details}</h2>
        <IconButton label={words.closeDetails} place={{ side: 'below', align: 'end' }} onClick={() => actions.setPanels({ detailsOpen: false })}>
          <X size={18} aria-hidden />
        </IconButton>
      </header>
      <div className="details-body">
        <SessionForm details={details} withTitle={false} onChange={change} />
        <Field label={words.notes} hint={words.notesHint}>
          <textarea
            className="input"
            rows={7}
            maxLength={100_000}
            value={details.notes}
            onChange={(event) => change({ notes: event.target.value })}
          />
        </Field>
        <p className="hint num">
          {words.created(formatDate(session.createdAt))} · {words.messages(formatInteger(session.messageCount))}
          {session.expiresAt === null ? '' : ` · ${words.expires(formatDate(session.expiresAt))}`}
        </p>
        <div className="details-actions">
          <Button small onClick={() => void actions.updateSession({ id: session.id, pinned: !session.pinned })}>
            {session.pinned ? <PinOff size={14} aria-hidden /> : <Pin size={14} aria-hidden />}
            {session.pinned ? words.unpin : words.pin}
          </Button>
          <Button small onClick={() => void actions.updateSession({ id: session.id, status: archived ? 'active' : 'archived' })}>
            {archived ? <ArchiveRestore size={14} aria-hidden /> : <Archive size={14} aria-hidden />}
            {archived ? words.restore : words.archive}
          </Button>
          <Button small onClick={() => actions.beginExport({ sessionId: session.id })}>
            <Download size={14} aria-hidden />
            {text.care.export}
          </Button>
          <Button small kind="danger" onClick={() => setRemoving(true)}>
            <Trash2 size={14} aria-hidden />
            {words.remove}
          </Button>
        </div>
      </div>
      {removing ? (
        <Dialog title={words.remove} size="small" onClose={() => setRemoving(false)}>
          <p>{words.removeAsk}</p>
          <div className="dialog-actions">
            <Button kind="quiet" onClick={() => setRemoving(false)}>
              {words.cancel}
            </Button>
            <Button
              kind="danger"
              onClick={() => {
                setRemoving(false)
                void actions.removeSession(session.id)
              }}
            >
              {words.removeYes}
            </Button>
          </div>
        </Dialog>
      ) : null}
    </aside>
  )
}
