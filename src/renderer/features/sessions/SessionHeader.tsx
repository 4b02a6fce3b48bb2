// Above the transcript: the meeting's client and title, and what can be done with the session.
import { Archive, ArchiveRestore, Menu, PanelRight, PictureInPicture2, Pin, PinOff } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Session } from '../../../shared/domain.ts'
import { useActions, useLocal } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { IconButton } from '../../ui/Button.tsx'
import { useSessionDetails } from './useSessionDetails.ts'

export function MenuButton(): ReactNode {
  const actions = useActions()
  return (
    <IconButton
      className="menu-button"
      label={text.rail.open}
      place={{ side: 'below', align: 'start' }}
      onClick={() => actions.setPanels({ railOpen: true })}
    >
      <Menu size={19} aria-hidden />
    </IconButton>
  )
}

export function SessionHeader({ session }: { readonly session: Session }): ReactNode {
  const actions = useActions()
  const detailsOpen = useLocal((local) => local.detailsOpen)
  const { details, change, flush } = useSessionDetails(session)
  const archived = session.status === 'archived'
  const about = [session.clientName, session.meetingType, ...session.cloudProviders].filter((part) => part !== '')
  const below = { side: 'below', align: 'end' } as const
  return (
    <header className="page-head">
      <MenuButton />
      <div className="page-title">
        <h1>
          <input
            aria-label={text.session.editTitle}
            value={details.title}
            placeholder={text.rail.untitled}
            maxLength={200}
            spellCheck={false}
            onChange={(event) => change({ title: event.target.value })}
            onBlur={flush}
            onKeyDown={(event) => {
              if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur()
            }}
          />
        </h1>
        {about.length === 0 ? null : <p>{about.join(' · ')}</p>}
      </div>
      <div className="page-actions">
        <IconButton label={text.session.overlay} place={below} onClick={() => void actions.showOverlay(session.id)}>
          <PictureInPicture2 size={17} aria-hidden />
        </IconButton>
        <IconButton
          className="wide-only"
          label={session.pinned ? text.session.unpin : text.session.pin}
          place={below}
          onClick={() => void actions.updateSession({ id: session.id, pinned: !session.pinned })}
        >
          {session.pinned ? <PinOff size={17} aria-hidden /> : <Pin size={17} aria-hidden />}
        </IconButton>
        <IconButton
          className="wide-only"
          label={archived ? text.session.restore : text.session.archive}
          place={below}
          onClick={() => void actions.updateSession({ id: session.id, status: archived ? 'active' : 'archived' })}
        >
          {archived ? <ArchiveRestore size={17} aria-hidden /> : <Archive size={17} aria-hidden />}
        </IconButton>
        <IconButton
          label={detailsOpen ? text.session.closeDetails : text.session.details}
          place={below}
          aria-pressed={detailsOpen}
          onClick={() => actions.setPanels({ detailsOpen: !detailsOpen })}
        >
          <PanelRight size={17} aria-hidden />
        </IconButton>
      </div>
    </header>
  )
}
