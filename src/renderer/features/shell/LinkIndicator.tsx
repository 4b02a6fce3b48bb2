// A quiet word about the link: state, who answers, and on demand why, and a retry.
import { Cloud, CloudOff, Laptop, LoaderCircle, RefreshCw } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import type { LinkStatus } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { formatTime } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'

function LinkGlyph({ link, size }: { readonly link: LinkStatus; readonly size: number }): ReactNode {
  if (link.state === 'offline') return <CloudOff size={size} aria-hidden />
  if (link.state === 'connecting') return <LoaderCircle size={size} aria-hidden className="spin" />
  return link.service.embedded ? <Laptop size={size} aria-hidden /> : <Cloud size={size} aria-hidden />
}

export function LinkIndicator({ compact = false }: { readonly compact?: boolean }): ReactNode {
  const actions = useActions()
  const link = useMirror((mirror) => mirror.link)
  const waiting = useMirror((mirror) => mirror.waiting)
  const [open, setOpen] = useState(false)
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return undefined
    const onPointer = (event: PointerEvent): void => {
      if (event.target instanceof Node && host.current?.contains(event.target) !== true) setOpen(false)
    }
    document.addEventListener('pointerdown', onPointer)
    return () => document.removeEventListener('pointerdown', onPointer)
  }, [open])
  const { service } = link
  return (
    // Esc closes the details from anywhere inside; the button is the control.
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className="link"
      ref={host}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return
        event.stopPropagation()
        setOpen(false)
      }}
    >
      <button type="button" className="link-state" data-state={link.state} aria-expanded={open} onClick={() => setOpen(!open)}>
        <LinkGlyph link={link} size={15} />
        <span className="link-word">{text.link.states[link.state]}</span>
        {link.state === 'online' && !compact ? <span className="link-by">{service.answeredBy ?? service.address}</span> : null}
        {waiting > 0 && link.state !== 'online' && compact ? <span className="link-by num">{text.rail.waitingShort(waiting)}</span> : null}
        {waiting > 0 && link.state !== 'online' && !compact ? (
          <span className="tag num" data-tone="waiting">
            {text.rail.waiting(waiting)}
          </span>
        ) : null}
      </button>
      {open ? (
        <div className="popover link-details" role="dialog" aria-label={text.link.details}>
          <p>
            <strong>{service.embedded ? text.link.embedded : service.address}</strong>
          </p>
          {link.reason === '' ? null : <p>{link.reason}</p>}
          {service.answeredBy === null ? null : <p className="hint">{service.answeredBy}</p>}
          <p className="hint num">
            {text.link.since(formatTime(link.since))}
            {link.transport === null ? '' : `, ${text.link.via(text.link.transport[link.transport])}`}
            {link.retryAt === null ? '' : `. ${text.link.nextTry(formatTime(link.retryAt))}`}
          </p>
          {link.state === 'online' ? null : (
            <Button small onClick={() => void actions.retryLink()}>
              <RefreshCw size={13} aria-hidden />
              {text.link.retry}
            </Button>
          )}
        </div>
      ) : null}
    </div>
  )
}
