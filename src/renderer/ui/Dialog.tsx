// A modal dialog on the browser's own <dialog>: focus stays inside, Esc closes, focus returns.
import { X } from 'lucide-react'
import { useEffect, useId, useRef, type ReactNode } from 'react'
import { text } from '../text/text.ts'
import { IconButton } from './Button.tsx'

interface DialogProps {
  readonly title: string
  readonly size?: 'small' | 'normal'
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Is open as long as it is mounted. */
export function Dialog({ title, size = 'normal', onClose, children }: DialogProps): ReactNode {
  const element = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={element}
      className="dialog"
      data-size={size}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
    >
      <header>
        <h2 id={titleId}>{title}</h2>
        <IconButton label={text.common.close} place={{ side: 'below', align: 'end' }} onClick={onClose}>
          <X size={18} aria-hidden />
        </IconButton>
      </header>
      <div className="dialog-body">{children}</div>
    </dialog>
  )
}
