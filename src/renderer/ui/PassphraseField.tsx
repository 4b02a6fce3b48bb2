// A field for a passphrase: hidden until one asks to see it, with a word when Caps Lock is on.
import { ArrowBigUpDash, Eye, EyeOff } from 'lucide-react'
import { useId, useState, type KeyboardEvent, type ReactNode, type Ref } from 'react'
import { text } from '../text/text.ts'
import { IconButton } from './Button.tsx'

interface PassphraseFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  /** For the password manager of the person, where one reaches into this window. */
  readonly purpose: 'current' | 'new'
  readonly hint?: string | undefined
  readonly error?: string | null | undefined
  readonly autoFocus?: boolean
  readonly disabled?: boolean
  readonly ref?: Ref<HTMLInputElement>
}

export function PassphraseField({
  label,
  value,
  onChange,
  purpose,
  hint,
  error,
  autoFocus = false,
  disabled = false,
  ref
}: PassphraseFieldProps): ReactNode {
  const id = useId()
  const [shown, setShown] = useState(false)
  const [capsLock, setCapsLock] = useState(false)
  const watchCapsLock = (event: KeyboardEvent): void => setCapsLock(event.getModifierState('CapsLock'))
  const failed = error !== null && error !== undefined
  const note = failed ? error : hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="passphrase" data-error={failed || undefined}>
        <input
          ref={ref}
          id={id}
          className="input"
          type={shown ? 'text' : 'password'}
          autoComplete={purpose === 'current' ? 'current-password' : 'new-password'}
          autoCapitalize="off"
          spellCheck={false}
          maxLength={1_000}
          value={value}
          readOnly={disabled}
          aria-invalid={failed}
          aria-describedby={`${id}-note`}
          autoFocus={autoFocus} // oxlint-disable-line jsx-a11y/no-autofocus -- the person has just asked to type it, or nothing else can be done
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={watchCapsLock}
          onKeyUp={watchCapsLock}
          onBlur={() => setCapsLock(false)}
        />
        <IconButton
          small
          label={shown ? text.passphrase.hide : text.passphrase.show}
          aria-pressed={shown}
          place={{ align: 'end' }}
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff size={15} aria-hidden /> : <Eye size={15} aria-hidden />}
        </IconButton>
      </div>
      <div id={`${id}-note`} className="passphrase-note" aria-live="polite">
        {capsLock ? (
          <small className="caps-lock">
            <ArrowBigUpDash size={14} aria-hidden />
            {text.passphrase.capsLock}
          </small>
        ) : null}
        {note === undefined ? null : <small data-level={failed ? 'error' : undefined}>{note}</small>}
      </div>
    </div>
  )
}
