// What a person should know outside of any message: banners that stay, notices that go, and words for screen readers.
import { CircleAlert, CloudOff, Info, RefreshCw, TriangleAlert, X, type LucideIcon } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { Announcement } from '../../../shared/bridge.ts'
import { plainBlock } from '../../markdown/nodes.ts'
import { parseMarkdown } from '../../markdown/incremental.ts'
import { useActions, useAppStore, useLink, useLocal, useMirror, useMirrorShallow } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Jobs } from './Jobs.tsx'

const icons: Record<Announcement['level'], LucideIcon> = { info: Info, warning: TriangleAlert, error: CircleAlert }
const SHOWN_MS = 7_000
/** As much of an answer as is read out when it is finished. */
const SPOKEN_LENGTH = 220

export function Banners(): ReactNode {
  const actions = useActions()
  const link = useLink()
  const waiting = useMirror((mirror) => mirror.waiting)
  const sticky = useMirrorShallow((mirror) => mirror.announcements.filter((announcement) => announcement.sticky))
  const stickyNotes = useLocal((local) => local.notes)
  return (
    <>
      {link.state === 'offline' ? (
        <div className="banner" data-tone="waiting">
          <CloudOff size={16} aria-hidden />
          <span>
            {waiting === 0 ? text.link.banner : text.link.bannerWaiting(waiting)} <span className="banner-reason">{link.reason}</span>
          </span>
          {waiting === 0 ? null : (
            <Button small kind="quiet" onClick={() => actions.showView('outbox')}>
              {text.link.showOutbox}
            </Button>
          )}
          <Button small onClick={() => void actions.retryLink()}>
            <RefreshCw size={13} aria-hidden />
            {text.link.retry}
          </Button>
        </div>
      ) : null}
      {[...sticky, ...stickyNotes.filter((note) => note.sticky)].map((announcement) => {
        const Icon = icons[announcement.level]
        return (
          <div
            key={announcement.id}
            className="banner"
            data-tone={announcement.level === 'error' ? 'failed' : announcement.level === 'warning' ? 'waiting' : undefined}
            role={announcement.level === 'error' ? 'alert' : 'status'}
          >
            <Icon size={16} aria-hidden />
            <span>{announcement.text}</span>
            <IconButton
              small
              label={text.announcements.dismiss}
              place={{ side: 'below', align: 'end' }}
              onClick={() => void actions.dismiss(announcement.id)}
            >
              <X size={15} aria-hidden />
            </IconButton>
          </div>
        )
      })}
      <Jobs />
    </>
  )
}

export function Toasts(): ReactNode {
  const announced = useMirrorShallow((mirror) => mirror.announcements.filter((announcement) => !announcement.sticky))
  const notes = useLocal((local) => local.notes)
  const shown = [...announced, ...notes.filter((note) => !note.sticky)]
  return (
    <div className="toasts" role="region" aria-label={text.announcements.label} aria-live="polite">
      {shown.map((announcement) => (
        <Toast key={announcement.id} announcement={announcement} />
      ))}
    </div>
  )
}

function Toast({ announcement }: { readonly announcement: Announcement }): ReactNode {
  const actions = useActions()
  const [held, setHeld] = useState(false)
  useEffect(() => {
    // Errors wait for the person; the rest goes by itself, but not under the pointer.
    if (held || announcement.level === 'error') return undefined
    const timer = setTimeout(() => void actions.dismiss(announcement.id), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [held, announcement, actions])
  const Icon = icons[announcement.level]
  return (
    <div className="toast" data-level={announcement.level} onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      <Icon size={16} aria-hidden />
      <span>{announcement.text}</span>
      <IconButton small label={text.announcements.dismiss} place={{ align: 'end' }} onClick={() => void actions.dismiss(announcement.id)}>
        <X size={15} aria-hidden />
      </IconButton>
    </div>
  )
}

/** Tells screen readers when the link has gone or come back; the first state is read by whoever asks. */
export function LinkAnnouncer(): ReactNode {
  const link = useLink()
  const told = useRef(link.state)
  const [spoken, setSpoken] = useState('')
  useEffect(() => {
    // "Connecting" is neither: it ends in one of them.
    if (link.state === 'connecting' || link.state === told.current) return
    told.current = link.state
    setSpoken(link.state === 'offline' ? text.link.spokenOffline(link.reason) : text.link.spokenOnline)
  }, [link])
  return (
    <div className="sr-only" role="status" aria-live="polite">
      {spoken}
    </div>
  )
}

/** Tells screen readers that an answer of this session has ended; never its tokens. */
export function AnswerAnnouncer(): ReactNode {
  const store = useAppStore()
  const [spoken, setSpoken] = useState('')
  const streaming = useRef(new Set<string>())
  useEffect(
    () =>
      store.subscribe(({ mirror }) => {
        if (mirror === null) return
        for (const id of Object.keys(mirror.turns)) streaming.current.add(id)
        for (const id of streaming.current) {
          const message = mirror.messages[id]
          const live = mirror.turns[id]
          if (live !== undefined && live.endedAt === null) continue
          streaming.current.delete(id)
          if (message === undefined) continue
          const error = live?.error ?? message.answer?.error ?? null
          const words = parseMarkdown(live?.text ?? message.text)
            .map((block) => plainBlock(block.node))
            .join(' ')
          setSpoken(error === null ? text.answer.finished(words.slice(0, SPOKEN_LENGTH)) : text.answer.failed(error.message))
        }
      }),
    [store]
  )
  return (
    <div className="sr-only" role="status" aria-live="polite">
      {spoken}
    </div>
  )
}
