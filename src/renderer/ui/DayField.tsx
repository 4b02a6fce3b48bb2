// A day that is typed, as people write it: 2026-03-14, 14.3.2026, 14 March, today.
import { useState, type ReactNode } from 'react'
import { parseDay } from '../text/days.ts'
import { text } from '../text/text.ts'
import { Field } from './Fields.tsx'

interface DayFieldProps {
  readonly label: string
  /** As it was typed; empty: no day. */
  readonly written: string
  readonly now: number
  readonly onChange: (written: string) => void
}

export function isNoDay(written: string, now: number): boolean {
  return written.trim() !== '' && parseDay(written, now) === null
}

export function DayField({ label, written, now, onChange }: DayFieldProps): ReactNode {
  // What is wrong is said once the field is left: a date that is being typed is not wrong yet.
  const [left, setLeft] = useState(false)
  const isWrong = left && isNoDay(written, now)
  return (
    <Field label={label} error={isWrong ? text.search.noDay : null}>
      <input
        className="input num"
        autoComplete="off"
        spellCheck={false}
        maxLength={40}
        placeholder={text.search.dayExample}
        value={written}
        aria-invalid={isWrong}
        onChange={(event) => {
          setLeft(false)
          onChange(event.target.value)
        }}
        onBlur={() => setLeft(true)}
      />
    </Field>
  )
}
