// A modal dialog on the browser's own <dialog>: focus stays inside, Esc closes, focus returns.
import { X } from 'lucide-react'
import { useId, useLayoutEffect, useRef, type ReactNode } from 'react'
import { text } from '../text/text.ts'
import { IconButton } from './Button.tsx'

interface DialogProps {
  readonly title: string
  readonly size?: 'small' | 'normal'
  readonly onClose: () => void
  readonly children: ReactNode
}

/** What a person came for: the first field, not the button that closes; without a field the first button of the body. */
function firstControl(dialog: HTMLDialogElement): HTMLElement | null {
  const find = (selector: string): HTMLElement | null => dialog.querySelector(selector)
  const first = find('.dialog-body :is(input, select, textarea)')
  if (first instanceof HTMLInputElement && first.type === 'radio') return find('.dialog-body input:checked') ?? first
  return first ?? find('.dialog-body button')
}

/** Is open as long as it is mounted. */
export function Dialog({ title, size = 'normal', onClose, children }: DialogProps): ReactNode {
  const element = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  // Before the element is taken from the page: only then does the browser give the focus back to where it was.
  useLayoutEffect(() => {
    const dialog = element.current
    if (dialog === null) return undefined
    dialog.showModal()
    firstControl(dialog)?.focus()
    return () => dialog.close()
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
