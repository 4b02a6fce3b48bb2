// Buttons: one with words, one with an icon and a tooltip that names it.
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'
import { Tooltip, type TooltipPlace } from './Tooltip.tsx'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: 'plain' | 'primary' | 'quiet' | 'danger'
  readonly small?: boolean
  readonly ref?: Ref<HTMLButtonElement>
}

export function Button({ kind = 'plain', small = false, type = 'button', className, ...rest }: ButtonProps): ReactNode {
  return <button {...rest} type={type} className={joinClasses('button', className)} data-kind={kind} data-small={small || undefined} />
}

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'aria-label' | 'title'> {
  readonly label: string
  readonly shortcut?: string
  readonly small?: boolean
  readonly place?: TooltipPlace
  readonly ref?: Ref<HTMLButtonElement>
}

export function IconButton({ label, shortcut, small = false, place, className, ...rest }: IconButtonProps): ReactNode {
  return (
    <Tooltip label={label} {...(shortcut === undefined ? {} : { shortcut })} {...(place === undefined ? {} : { place })}>
      <button {...rest} type="button" className={joinClasses('icon-button', className)} aria-label={label} data-small={small || undefined} />
    </Tooltip>
  )
}

function joinClasses(...names: readonly (string | undefined)[]): string {
  return names.filter((name) => name !== undefined && name !== '').join(' ')
}
