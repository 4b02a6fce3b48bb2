// What narrows a search: client, who spoke, session, dates.
import { X } from 'lucide-react'
import { useMemo, type ReactNode } from 'react'
import { roles } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import type { SearchDraft } from '../../state/model.ts'
import { dayKey, dayStart } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'

const DAY_MS = 86_400_000

/** The draft with one filter changed; undefined takes it away. */
function changed(draft: SearchDraft, key: Exclude<keyof SearchDraft, 'text'>, value: string | number | undefined): SearchDraft {
  const { [key]: _old, ...rest } = draft
  return value === undefined || value === '' || (typeof value === 'number' && Number.isNaN(value)) ? rest : { ...rest, [key]: value }
}

export function SearchFilters({ draft }: { readonly draft: SearchDraft }): ReactNode {
  const actions = useActions()
  const sessions = useMirror((mirror) => mirror.sessions)
  const all = useMemo(() => Object.values(sessions).sort((a, b) => b.lastActivityAt - a.lastActivityAt), [sessions])
  const clients = useMemo(
    () => [...new Set(all.map((session) => session.clientName).filter((name) => name !== ''))].sort((a, b) => a.localeCompare(b)),
    [all]
  )
  const set = (key: Exclude<keyof SearchDraft, 'text'>, value: string | number | undefined): void => actions.setSearch(changed(draft, key, value))
  const any = Object.keys(draft).length > 1
  return (
    <div className="search-filters">
      <select
        className="input"
        aria-label={text.search.client}
        value={draft.clientName ?? ''}
        onChange={(event) => set('clientName', event.target.value)}
      >
        <option value="">{text.search.anyClient}</option>
        {clients.map((client) => (
          <option key={client}>{client}</option>
        ))}
      </select>
      <select className="input" aria-label={text.search.role} value={draft.role ?? ''} onChange={(event) => set('role', event.target.value)}>
        <option value="">{text.search.anyRole}</option>
        {roles.map((role) => (
          <option key={role} value={role}>
            {text.search.roles[role]}
          </option>
        ))}
      </select>
      <select
        className="input"
        aria-label={text.search.session}
        value={draft.sessionId ?? ''}
        onChange={(event) => set('sessionId', event.target.value)}
      >
        <option value="">{text.search.anySession}</option>
        {all.map((session) => (
          <option key={session.id} value={session.id}>
            {session.title === '' ? text.rail.untitled : session.title}
          </option>
        ))}
      </select>
      <label className="date-filter">
        <span>{text.search.from}</span>
        <input
          type="date"
          className="input num"
          value={draft.from === undefined ? '' : dayKey(draft.from)}
          onChange={(event) => set('from', dayStart(event.target.value))}
        />
      </label>
      <label className="date-filter">
        <span>{text.search.to}</span>
        <input
          type="date"
          className="input num"
          value={draft.to === undefined ? '' : dayKey(draft.to)}
          // The whole last day counts.
          onChange={(event) => set('to', dayStart(event.target.value) + DAY_MS - 1)}
        />
      </label>
      {any ? (
        <Button small kind="quiet" onClick={() => actions.setSearch({ text: draft.text })}>
          <X size={14} aria-hidden />
          {text.search.clear}
        </Button>
      ) : null}
    </div>
  )
}
