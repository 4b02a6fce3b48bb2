// Everything that waits, is being sent or failed, by session and in order; each can be sent, changed or cancelled here.
import { CornerDownRight } from 'lucide-react'
import { useEffect, useMemo, useRef, type ReactNode, type RefObject } from 'react'
import type { Message } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { formatRecent } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { IconButton } from '../../ui/Button.tsx'
import { useNow } from '../../ui/clock.ts'
import { DeliveryMark } from '../ask/DeliveryMark.tsx'
import { QuestionActions } from '../ask/QuestionActions.tsx'
import { QuestionEditor, useEditing } from '../ask/QuestionEditor.tsx'
import { useDelivery } from '../ask/useDelivery.ts'
import { MenuButton } from '../sessions/SessionHeader.tsx'
import { Banners } from '../shell/Announcements.tsx'
import { countOutbox, groupOutbox, type OutboxEntry, type OutboxGroup } from './groups.ts'

const NONE: readonly Message[] = []

export function OutboxView(): ReactNode {
  const actions = useActions()
  const outbox = useMirror((mirror) => mirror.outbox)
  const sessions = useMirror((mirror) => mirror.sessions)
  const groups = useMemo(() => groupOutbox(outbox ?? NONE, sessions), [outbox, sessions])
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => void actions.loadOutbox(), [actions])
  useKeptFocus(list)
  const words = text.outbox
  return (
    <main className="page">
      <header className="page-head">
        <MenuButton />
        <div className="page-title">
          <h1>{words.title}</h1>
          <p className="num" role="status">
            {outbox === null ? text.common.loading : words.summary(countOutbox(outbox))}
          </p>
        </div>
      </header>
      <Banners />
      <div className="page-scroll" tabIndex={0} role="region" aria-label={words.title} ref={list}>
        {outbox !== null && groups.length === 0 ? (
          <div className="empty">
            <h2>{words.emptyTitle}</h2>
            <p>{words.emptyBody}</p>
          </div>
        ) : (
          groups.map((group) => <Group key={group.sessionId} group={group} />)
        )}
      </div>
    </main>
  )
}

function Group({ group: { sessionId, session, entries } }: { readonly group: OutboxGroup }): ReactNode {
  const actions = useActions()
  const title = session === undefined || session.title === '' ? text.rail.untitled : session.title
  return (
    <section aria-label={title} className="outbox-group">
      <h2 className="day">
        <button type="button" onClick={() => actions.selectSession(sessionId)}>
          {title}
        </button>
        {session === undefined || session.clientName === '' ? null : <span>{session.clientName}</span>}
      </h2>
      {entries.map((entry) => (
        <Entry key={entry.message.id} entry={entry} />
      ))}
    </section>
  )
}

function Entry({ entry: { message, isBehind } }: { readonly entry: OutboxEntry }): ReactNode {
  const actions = useActions()
  const now = useNow()
  const delivery = useDelivery(message, isBehind)
  const editing = useEditing(message, delivery)
  if (delivery === null) return null
  return (
    <article className="entry entry-question" data-outbox={message.id}>
      <div className="entry-margin">
        <time dateTime={new Date(message.createdAt).toISOString()}>{formatRecent(message.createdAt, now)}</time>
        <DeliveryMark view={delivery} />
      </div>
      <div className="entry-body">
        {editing ? <QuestionEditor message={message} /> : <p className="question-text outbox-text">{message.text}</p>}
        {delivery.detail === '' ? null : (
          <p className="question-detail" data-word={delivery.word}>
            {delivery.detail}
          </p>
        )}
        {editing ? null : (
          <div className="entry-actions" data-open>
            <QuestionActions message={message} delivery={delivery} onEdit={() => actions.beginEdit(message)} />
            <IconButton
              small
              label={text.outbox.show}
              place={{ align: 'end' }}
              onClick={() => void actions.openMessage(message.sessionId, message.id)}
            >
              <CornerDownRight size={14} aria-hidden />
            </IconButton>
          </div>
        )}
      </div>
    </article>
  )
}

/** What was acted on goes from the list, and with it the focus: it moves on to what took its place, never to nowhere. */
function useKeptFocus(list: RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    const element = list.current
    if (element === null) return undefined
    let last: number | null = null
    const remember = (event: FocusEvent): void => {
      const own = event.target instanceof Element ? event.target.closest('article') : null
      last = own === null ? null : [...element.querySelectorAll('article')].indexOf(own)
    }
    const observer = new MutationObserver(() => {
      if (last === null || document.activeElement !== document.body) return
      const entries = element.querySelectorAll('article')
      const next = entries[Math.min(last, entries.length - 1)]?.querySelector('button')
      ;(next ?? element).focus()
    })
    element.addEventListener('focusin', remember)
    observer.observe(element, { childList: true, subtree: true })
    return () => {
      element.removeEventListener('focusin', remember)
      observer.disconnect()
    }
  }, [list])
}
