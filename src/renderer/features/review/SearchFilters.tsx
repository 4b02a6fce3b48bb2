// What narrows a search: client, who spoke, session, when.
import { X } from 'lucide-react'
import { useMemo, useState, type ReactNode } from 'react'
import { roles } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import type { SearchDraft } from '../../state/model.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { ClientFilter } from './ClientFilter.tsx'
import { PeriodFilter } from './PeriodFilter.tsx'

type Filters = Omit<SearchDraft, 'text'>

/** The draft with some filters changed; undefined and empty ones are taken away. */
function changed(draft: SearchDraft, change: { readonly [K in keyof Filters]: Filters[K] | '' }): SearchDraft {
  const filters = Object.entries({ ...draft, ...change, text: undefined }).filter(([, value]) => value !== undefined && value !== '')
  return { text: draft.text, ...(Object.fromEntries(filters) as Filters) }
}

export function SearchFilters({ draft }: { readonly draft: SearchDraft }): ReactNode {
  const actions = useActions()
  const sessions = useMirror((mirror) => mirror.sessions)
  const all = useMemo(() => Object.values(sessions).sort((a, b) => b.lastActivityAt - a.lastActivityAt), [sessions])
  const clients = useMemo(
    () => [...new Set(all.map((session) => session.clientName).filter((name) => name !== ''))].sort((a, b) => a.localeCompare(b)),
    [all]
  )
  const client = draft.clientName ?? ''
  const shown = client === '' ? all : all.filter((session) => session.clientName === client)
  const set = (change: Parameters<typeof changed>[1]): void => actions.setSearch(changed(draft, change))
  const any = Object.keys(draft).length > 1
  // Made anew when all is cleared: days that were written but meant nothing go too.
  const [cleared, setCleared] = useState(0)
  return (
    <div className="search-filters" role="group" aria-label={text.search.filters}>
      <ClientFilter
        clients={clients}
        value={client}
        onChange={(clientName) => {
          const stays = draft.sessionId !== undefined && (clientName === '' || sessions[draft.sessionId]?.clientName === clientName)
          // A session of another client would find nothing.
          set({ clientName, sessionId: stays ? draft.sessionId : undefined })
        }}
      />
      <select
        className="input"
        aria-label={text.search.session}
        value={draft.sessionId ?? ''}
        onChange={(event) => set({ sessionId: event.target.value })}
      >
        <option value="">{text.search.anySession}</option>
        {shown.map((session) => (
          <option key={session.id} value={session.id}>
            {session.title === '' ? text.rail.untitled : session.title}
          </option>
        ))}
      </select>
      <select
        className="input"
        aria-label={text.search.role}
        value={draft.role ?? ''}
        onChange={(event) => set({ role: event.target.value as SearchDraft['role'] | '' })}
      >
        <option value="">{text.search.anyRole}</option>
        {roles.map((role) => (
          <option key={role} value={role}>
            {text.search.roles[role]}
          </option>
        ))}
      </select>
      <PeriodFilter key={cleared} span={draft} onChange={({ from, to }) => set({ from, to })} />
      {any ? (
        <Button
          small
          kind="quiet"
          onClick={() => {
            setCleared(cleared + 1)
            actions.setSearch({ text: draft.text })
          }}
        >
          <X size={14} aria-hidden />
          {text.search.clear}
        </Button>
      ) : null}
    </div>
  )
}
