// The session the overlay asks in, and the way to another one. A native list: it opens beyond the small window.
import type { ReactNode } from 'react'
import { useActions, useMirrorShallow } from '../../state/context.tsx'
import { text } from '../../text/text.ts'

const SHOWN = 30
const NEW = ''

export function SessionSwitcher({ sessionId }: { readonly sessionId: string | null }): ReactNode {
  const actions = useActions()
  const sessions = useMirrorShallow((mirror) =>
    Object.values(mirror.sessions)
      .filter((session) => session.status === 'active' || session.id === sessionId)
      .sort((a, b) => Number(b.id === sessionId) - Number(a.id === sessionId) || b.lastActivityAt - a.lastActivityAt)
      .slice(0, SHOWN)
  )
  return (
    <label className="switcher">
      <span className="sr-only">{text.overlay.session}</span>
      <select
        value={sessionId ?? NEW}
        onChange={(event) => {
          const chosen = event.target.value === NEW ? null : event.target.value
          actions.selectSession(chosen)
          if (chosen !== null) void actions.showOverlay(chosen)
        }}
      >
        <option value={NEW}>{text.overlay.newToday}</option>
        {sessions.map((session) => (
          <option key={session.id} value={session.id}>
            {session.title === '' ? text.rail.untitled : session.title}
          </option>
        ))}
      </select>
    </label>
  )
}
