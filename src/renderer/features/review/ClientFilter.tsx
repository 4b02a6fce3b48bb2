// Which client it was said at: a field that suggests the clients of the sessions as one types.
import { X } from 'lucide-react'
import { useId, useState, type KeyboardEvent, type ReactNode } from 'react'
import { text } from '../../text/text.ts'
import { IconButton } from '../../ui/Button.tsx'
import { suggestClients } from './clients.ts'

interface ClientFilterProps {
  readonly clients: readonly string[]
  /** The one that is chosen; empty: any. */
  readonly value: string
  readonly onChange: (client: string) => void
}

export function ClientFilter({ clients, value, onChange }: ClientFilterProps): ReactNode {
  /** What is in the field while it is typed in; null: what is chosen. */
  const [typed, setTyped] = useState<string | null>(null)
  const [active, setActive] = useState(0)
  const listId = useId()
  const open = typed !== null
  const suggestions = open ? suggestClients(clients, typed) : []
  const chosen = suggestions[Math.min(active, suggestions.length - 1)]

  const choose = (client: string): void => {
    setTyped(null)
    onChange(client)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      if (open) setActive(Math.max(0, Math.min(suggestions.length - 1, active + step)))
      else setTyped('')
    } else if (event.key === 'Enter' && open) {
      event.preventDefault()
      if (typed.trim() === '') choose('')
      else if (chosen !== undefined) choose(chosen)
    } else if (event.key === 'Escape' && open) {
      // Closes the list; the search stays.
      event.stopPropagation()
      event.preventDefault()
      setTyped(null)
    }
  }
  return (
    <div className="client-filter">
      <input
        className="input"
        role="combobox"
        aria-label={text.search.client}
        aria-expanded={suggestions.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={chosen === undefined ? undefined : `${listId}-${suggestions.indexOf(chosen)}`}
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        placeholder={text.search.anyClient}
        value={typed ?? value}
        onChange={(event) => {
          setTyped(event.target.value)
          setActive(0)
        }}
        onKeyDown={onKeyDown}
        onClick={() => setTyped(typed ?? '')}
        // What was typed but not chosen is no filter. An empty field that had one takes it away.
        onBlur={() => setTyped(null)}
      />
      {value === '' || open ? null : (
        <IconButton small label={text.search.anyClient} onClick={() => choose('')}>
          <X size={14} aria-hidden />
        </IconButton>
      )}
      <div id={listId} role="listbox" aria-label={text.search.clients} className="popover client-list" hidden={!open}>
        {suggestions.map((client, index) => (
          // The field keeps the focus: the pointer chooses before it could be lost.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={client}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={client === chosen}
            onPointerMove={() => setActive(index)}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(client)}
          >
            {client}
          </div>
        ))}
        {suggestions.length === 0 ? <p className="hint">{text.search.noClient}</p> : null}
      </div>
    </div>
  )
}
