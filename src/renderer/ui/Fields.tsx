// Form parts: labelled fields, a row of exclusive choices, a switch, a key's picture.
import { useId, type ReactNode } from 'react'

export function Field({
  label,
  hint,
  error,
  children
}: {
  readonly label: string
  readonly hint?: string | undefined
  readonly error?: string | null | undefined
  readonly children: ReactNode
}): ReactNode {
  return (
    // The label wraps its control, so the two belong together without ids.
    <label className="field">
      <span>{label}</span>
      {children}
      {error === null || error === undefined ? hint === undefined ? null : <small>{hint}</small> : <small data-level="error">{error}</small>}
    </label>
  )
}

interface SegmentsProps<T extends string> {
  readonly label: string
  readonly value: T | null
  readonly options: readonly { readonly value: T; readonly label: string }[]
  readonly onChange: (value: T) => void
  readonly hideLabel?: boolean
  /** Separate chips, for many choices that wrap. */
  readonly chips?: boolean
}

export function Segments<T extends string>({ label, value, options, onChange, hideLabel = false, chips = false }: SegmentsProps<T>): ReactNode {
  const name = useId()
  return (
    <div className="field" role="radiogroup" aria-label={label}>
      {hideLabel ? null : (
        <span className="legend" aria-hidden="true">
          {label}
        </span>
      )}
      <div>
        <div className={chips ? 'choices' : 'segments'}>
          {options.map((option) => (
            <label key={option.value} className={chips ? 'choice' : undefined}>
              <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
              {option.label}
            </label>
          ))}
        </div>
      </div>
    </div>
  )
}

interface SwitchProps {
  readonly label: string
  readonly hint?: string
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
}

export function Switch({ label, hint, checked, onChange }: SwitchProps): ReactNode {
  const id = useId()
  return (
    <div className="switch">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
      />
      {hint === undefined ? null : (
        <span className="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
    </div>
  )
}

/** Keys as they are printed on the keyboard. */
export function Keys({ keys }: { readonly keys: readonly string[] }): ReactNode {
  return (
    <span className="kbd">
      {keys.map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </span>
  )
}
