// Chooses one session, or any, of one client, or of any.
import { useMemo, type ReactNode } from 'react'
import { useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'

interface SessionPickerProps {
  /** Empty: any. */
  readonly value: string
  /** Empty: of any client. */
  readonly clientName: string
  readonly anyLabel: string
  readonly onChange: (sessionId: string) => void
}

export function SessionPicker({ value, clientName, anyLabel, onChange }: SessionPickerProps): ReactNode {
  const sessions = useMirror((mirror) => mirror.sessions)
  const shown = useMemo(
    () =>
      Object.values(sessions)
        .filter((session) => clientName === '' || session.clientName === clientName)
        .sort((a, b) => b.lastActivityAt - a.lastActivityAt),
    [sessions, clientName]
  )
  return (
    <select className="input" value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">{anyLabel}</option>
      {shown.map((session) => (
        <option key={session.id} value={session.id}>
          {session.title === '' ? text.rail.untitled : session.title}
        </option>
      ))}
    </select>
  )
}
