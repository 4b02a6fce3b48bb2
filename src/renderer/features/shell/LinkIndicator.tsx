// A quiet word about the link: state, transport or reason, who answers; on demand the rest, and a retry.
import { Cloud, CloudOff, Laptop, LoaderCircle, RefreshCw, SendHorizontal } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { LinkStatus } from '../../../shared/domain.ts'
import { useActions, useLink, useMirror } from '../../state/context.tsx'
import { formatTime } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'

function LinkGlyph({ link, size }: { readonly link: LinkStatus; readonly size: number }): ReactNode {
  if (link.state === 'offline') return <CloudOff size={size} aria-hidden />
  if (link.state === 'connecting') return <LoaderCircle size={size} aria-hidden className="spin" />
  return link.service.embedded ? <Laptop size={size} aria-hidden /> : <Cloud size={size} aria-hidden />
}

/** `compact`: the overlay's, where a word must do. */
export function LinkIndicator({ compact = false }: { readonly compact?: boolean }): ReactNode {
  const link = useLink()
  const waiting = useMirror((mirror) => mirror.waiting)
  const [open, setOpen] = useState(false)
  const host = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!open) return undefined
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && host.current?.contains(event.target) !== true) setOpen(false)
    }
    document.addEventListener('pointerdown', onPointer)
    return () => document.removeEventListener('pointerdown', onPointer)
  }, [open])
  const by = link.state === 'online' ? (link.service.answeredBy ?? link.service.address) : link.reason
  return (
    // Esc closes the details from anywhere inside; the button is the control.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className="link"
      ref={host}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return
        event.preventDefault()
        event.stopPropagation()
        setOpen(false)
        button.current?.focus()
      }}
    >
      <button ref={button} type="button" className="link-state" data-state={link.state} aria-expanded={open} onClick={() => setOpen(!open)}>
        <LinkGlyph link={link} size={15} />
        <span className="link-word">{text.link.states[link.state]}</span>
        {compact || link.transport === null ? null : <span className="link-transport">{text.link.via(text.link.transport[link.transport])}</span>}
        {compact && waiting > 0 && link.state !== 'online' ? <span className="link-by num">{text.rail.waitingShort(waiting)}</span> : null}
        {compact || by === '' ? null : <span className="link-by">{by}</span>}
      </button>
      {open ? <LinkDetails link={link} waiting={waiting} compact={compact} onClose={() => setOpen(false)} /> : null}
    </div>
  )
}

interface LinkDetailsProps {
  readonly link: LinkStatus
  readonly waiting: number
  readonly compact: boolean
  readonly onClose: () => void
}

function LinkDetails({ link, waiting, compact, onClose }: LinkDetailsProps): ReactNode {
  const actions = useActions()
  const { service } = link
  return (
    <div className="popover link-details" role="dialog" aria-label={text.link.details}>
      <p>
        <strong>{service.embedded ? text.link.embedded : service.address}</strong>
      </p>
      {link.reason === '' ? null : <p>{link.reason}</p>}
      {service.answeredBy === null ? null : <p className="hint">{service.answeredBy}</p>}
      <p className="hint num">
        {text.link.since(formatTime(link.since))}
        {link.transport === null ? '' : `, ${text.link.via(text.link.transport[link.transport])}`}
      </p>
      {link.retryAt === null || link.state === 'online' ? null : <Countdown to={link.retryAt} />}
      {link.state === 'online' && (compact || waiting === 0) ? null : (
        <div className="link-actions">
          {link.state === 'online' ? null : (
            <Button small onClick={() => void actions.retryLink()}>
              <RefreshCw size={13} aria-hidden />
              {text.link.retry}
            </Button>
          )}
          {compact || waiting === 0 ? null : (
            <Button
              small
              kind="quiet"
              onClick={() => {
                onClose()
                actions.showView('outbox')
              }}
            >
              <SendHorizontal size={13} aria-hidden />
              {text.rail.waiting(waiting)}
            </Button>
          )}
        </div>
      )}
    </div>
  )
}

/** Ticks only while it is looked at, and is not read out second by second. */
function Countdown({ to }: { readonly to: number }): ReactNode {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.max(0, Math.ceil((to - now) / 1_000))
  return <p className="hint num">{seconds === 0 ? text.link.tryingNow : text.link.nextTryIn(seconds)}</p>
}
