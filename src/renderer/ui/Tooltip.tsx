// A hint on hover and on keyboard focus. Never the only place of an information: controls have their own names.
import type { ReactNode } from 'react'

export interface TooltipPlace {
  readonly side?: 'above' | 'below'
  readonly align?: 'start' | 'middle' | 'end'
}

export function Tooltip({
  label,
  shortcut,
  place,
  children
}: {
  readonly label: string
  readonly shortcut?: string
  readonly place?: TooltipPlace
  readonly children: ReactNode
}): ReactNode {
  return (
    <span className="tip-host">
      {children}
      <span className="tip" aria-hidden="true" data-side={place?.side ?? 'above'} data-align={place?.align ?? 'middle'}>
        {label}
        {shortcut === undefined ? null : <kbd>{shortcut}</kbd>}
      </span>
    </span>
  )
}
