// The left rail: sessions to choose from, the ways to the other views, and the state of the link.
import { Archive, ChartNoAxesColumn, ChevronLeft, ListFilter, Plus, Search, SendHorizontal, Settings as SettingsIcon, X } from 'lucide-react'
import { memo, useDeferredValue, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import type { Session } from '../../../shared/domain.ts'
import { useActions, useLocal, useMirror } from '../../state/context.tsx'
import type { View } from '../../state/model.ts'
import { formatRecent } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { commandKey } from '../../ui/accelerator.ts'
import { IconButton } from '../../ui/Button.tsx'
import { useNow } from '../../ui/clock.ts'
import { Mark } from '../../ui/Mark.tsx'
import { LinkIndicator } from '../shell/LinkIndicator.tsx'
import { groupSessions } from './order.ts'

const FIND_DELAY_MS = 180

export function Rail(): ReactNode {
  const actions = useActions()
  const sessions = useMirror((mirror) => mirror.sessions)
  const selected = useLocal((local) => local.selectedSessionId)
  const view = useLocal((local) => local.view)
  const archived = useLocal((local) => local.archivedShown)
  const [filter, setFilter] = useState('')
  const deferred = useDeferredValue(filter)
  const railOpen = useLocal((local) => local.railOpen)
  const closeButton = useRef<HTMLButtonElement>(null)
  const status = archived ? 'archived' : 'active'
  useEffect(() => {
    // As a drawer it takes the focus, and gives it back to whatever had it.
    if (!railOpen) return undefined
    const before = document.activeElement
    closeButton.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [railOpen])
  const { pinned, recent } = useMemo(() => groupSessions(Object.values(sessions), deferred, status), [sessions, deferred, status])

  useEffect(() => {
    // The snapshot holds 200 sessions: what is archived or older is asked for.
    if (filter.trim() === '' && !archived) return undefined
    const ended = new AbortController()
    const timer = setTimeout(() => void actions.findSessions({ status, text: filter.trim().slice(0, 200) }, ended.signal), FIND_DELAY_MS)
    return () => {
      clearTimeout(timer)
      ended.abort()
    }
  }, [actions, filter, archived, status])

  const list = (label: string, group: readonly Session[]): ReactNode =>
    group.length === 0 ? null : (
      <section aria-label={label}>
        <h2>{label}</h2>
        <ul>
          {group.map((session) => (
            <SessionItem key={session.id} session={session} current={view === 'ask' && session.id === selected} onOpen={actions.selectSession} />
          ))}
        </ul>
      </section>
    )

  return (
    <nav className="rail" aria-label={text.rail.label}>
      <div className="rail-head">
        <span className="brand">
          <Mark size={20} />
          {text.product}
        </span>
        <IconButton label={text.rail.newSession} place={{ side: 'below', align: 'end' }} onClick={() => actions.setPanels({ newSessionOpen: true })}>
          <Plus size={18} aria-hidden />
        </IconButton>
        <IconButton
          ref={closeButton}
          className="rail-close"
          label={text.rail.close}
          place={{ side: 'below', align: 'end' }}
          onClick={() => actions.setPanels({ railOpen: false })}
        >
          <X size={18} aria-hidden />
        </IconButton>
      </div>
      <label className="rail-filter">
        <ListFilter size={15} aria-hidden />
        <input
          type="search"
          aria-label={text.rail.filter}
          placeholder={text.rail.filter}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </label>
      <div className="rail-list">
        {archived ? (
          <button type="button" className="rail-back" onClick={() => actions.setPanels({ archivedShown: false })}>
            <ChevronLeft size={15} aria-hidden />
            {text.rail.label}
          </button>
        ) : null}
        {archived ? list(text.rail.archived, [...pinned, ...recent]) : list(text.rail.pinned, pinned)}
        {archived ? null : list(text.rail.recent, recent)}
        {pinned.length + recent.length > 0 ? null : (
          <p className="rail-empty">{filter !== '' ? text.rail.nothing : archived ? text.rail.noArchived : text.rail.none}</p>
        )}
      </div>
      <RailFoot view={view} archived={archived} />
    </nav>
  )
}

function RailFoot({ view, archived }: { readonly view: View; readonly archived: boolean }): ReactNode {
  const actions = useActions()
  const platform = useMirror((mirror) => mirror.desktop.platform)
  return (
    <div className="rail-foot">
      {archived ? null : (
        <button type="button" className="rail-link" onClick={() => actions.setPanels({ archivedShown: true })}>
          <Archive size={16} aria-hidden />
          {text.rail.showArchived}
        </button>
      )}
      <OutboxLink view={view} />
      <button type="button" className="rail-link" aria-current={view === 'search' ? 'page' : undefined} onClick={() => actions.showView('search')}>
        <Search size={16} aria-hidden />
        {text.rail.search}
        <kbd aria-hidden="true">{commandKey(platform)} K</kbd>
      </button>
      <button type="button" className="rail-link" aria-current={view === 'usage' ? 'page' : undefined} onClick={() => actions.showView('usage')}>
        <ChartNoAxesColumn size={16} aria-hidden />
        {text.rail.usage}
      </button>
      <button
        type="button"
        className="rail-link"
        aria-current={view === 'settings' ? 'page' : undefined}
        onClick={() => actions.showView('settings')}
      >
        <SettingsIcon size={16} aria-hidden />
        {text.rail.settings}
        <kbd aria-hidden="true">{commandKey(platform)} ,</kbd>
      </button>
      <LinkIndicator />
    </div>
  )
}

/** The way to the outbox, with what is in it. */
function OutboxLink({ view }: { readonly view: View }): ReactNode {
  const actions = useActions()
  const platform = useMirror((mirror) => mirror.desktop.platform)
  const count = useMirror((mirror) => mirror.outbox?.length ?? mirror.waiting)
  const failed = useMirror((mirror) => mirror.outbox?.some((message) => message.delivery?.state === 'failed') === true)
  return (
    <button type="button" className="rail-link" aria-current={view === 'outbox' ? 'page' : undefined} onClick={() => actions.showView('outbox')}>
      <SendHorizontal size={16} aria-hidden />
      {text.rail.outbox}
      {count === 0 ? (
        <kbd aria-hidden="true">{commandKey(platform)} O</kbd>
      ) : (
        <span className="tag num" data-tone={failed ? 'failed' : 'waiting'}>
          <span aria-hidden="true">{count}</span>
          <span className="sr-only">{text.rail.outboxCount(count)}</span>
        </span>
      )}
    </button>
  )
}

interface SessionItemProps {
  readonly session: Session
  readonly current: boolean
  readonly onOpen: (id: string) => void
}

const SessionItem = memo(function SessionItem({ session, current, onOpen }: SessionItemProps): ReactNode {
  const now = useNow()
  const about = [session.clientName, session.meetingType].filter((part) => part !== '').join(' · ')
  return (
    <li>
      <button type="button" className="rail-session" aria-current={current ? 'page' : undefined} onClick={() => onOpen(session.id)}>
        <span className="rail-title">{session.title === '' ? text.rail.untitled : session.title}</span>
        <time className="num" dateTime={new Date(session.lastActivityAt).toISOString()}>
          {formatRecent(session.lastActivityAt, now)}
        </time>
        {about === '' ? null : <span className="rail-about">{about}</span>}
      </button>
    </li>
  )
})
