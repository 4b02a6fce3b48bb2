// A passphrase to be set, typed twice, with guidance while it is typed.
import type { ReactNode } from 'react'
import { text } from '../../text/text.ts'
import { PassphraseField } from '../../ui/PassphraseField.tsx'
import { adviseOn } from './passphrase.ts'

export interface TypedTwice {
  readonly first: string
  readonly second: string
}
export const typedNothing: TypedTwice = { first: '', second: '' }

/** Both the same, and long enough to be set. */
export function isSettable({ first, second }: TypedTwice): boolean {
  return first === second && first !== '' && adviseOn(first) !== 'tooShort'
}

interface NewPassphraseProps {
  readonly label: string
  readonly repeatLabel: string
  readonly typed: TypedTwice
  readonly onChange: (typed: TypedTwice) => void
}

export function NewPassphrase({ label, repeatLabel, typed, onChange }: NewPassphraseProps): ReactNode {
  const advice = adviseOn(typed.first)
  const words = text.passphrase
  return (
    <>
      <PassphraseField
        purpose="new"
        label={label}
        value={typed.first}
        hint={advice === null ? undefined : words[advice]}
        onChange={(first) => onChange({ ...typed, first })}
      />
      <PassphraseField
        purpose="new"
        label={repeatLabel}
        value={typed.second}
        hint={typed.second === '' ? undefined : typed.first === typed.second ? words.same : words.differs}
        onChange={(second) => onChange({ ...typed, second })}
      />
    </>
  )
}
