// Review: one field over every message of every session; Enter opens the message where it was said.
import { Search, X } from 'lucide-react'
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import type { SearchHit } from '../../../shared/domain.ts'
import { useActions, useLocal } from '../../state/context.tsx'
import type { SearchDraft } from '../../state/model.ts'
import { formatDate, formatTime } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { Banners } from '../shell/Announcements.tsx'
import { MenuButton } from '../sessions/SessionHeader.tsx'
import { SearchFilters } from './SearchFilters.tsx'
import { FIRST_HITS, MOST_HITS, useSearch, type SearchState } from './useSearch.ts'

export function SearchView(): ReactNode {
  const actions = useActions()
  const draft = useLocal((local) => local.search)
  const [wide, setWide] = useState<SearchDraft | null>(null)
  const state = useSearch(draft, wide === draft ? MOST_HITS : FIRST_HITS)
  const canWiden = state.more && state.of === draft && wide !== draft
  const [choice, setChoice] = useState({ of: state.of, index: 0 })
  // Another search: the first one is chosen again. More of the same one: the choice stays.
  const active = choice.of === state.of ? Math.min(choice.index, Math.max(0, state.hits.length - 1)) : 0
  const setActive = (index: number): void => setChoice({ of: state.of, index })
  const listId = useId()
  const field = useRef<HTMLInputElement>(null)
  const optionId = (index: number): string => `${listId}-${index}`

  useEffect(() => field.current?.select(), [])
  useEffect(() => {
    // In braces: newer engines answer with a promise, which React would take for a clean-up.
    document.getElementById(optionId(active))?.scrollIntoView({ block: 'nearest' })
  })

  const open = (hit: SearchHit | undefined): void => {
    if (hit !== undefined) void actions.openMessage(hit.sessionId, hit.messageId, hit.sessionTitle)
  }
  // Enter means what is in the field: typed faster than found, it waits for the hits of the whole text.
  const [awaited, setAwaited] = useState<SearchDraft | null>(null)
  const fresh = state.of === draft
  const [first] = state.hits
  useEffect(() => {
    if (fresh && awaited === draft && first !== undefined) void actions.openMessage(first.sessionId, first.messageId, first.sessionTitle)
  }, [actions, awaited, draft, first, fresh])
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    const last = state.hits.length - 1
    const to = {
      ArrowDown: Math.min(last, active + 1),
      ArrowUp: Math.max(0, active - 1),
      PageDown: Math.min(last, active + 8),
      PageUp: Math.max(0, active - 8)
    }[event.key]
    if (to !== undefined) {
      event.preventDefault()
      setActive(Math.max(0, to))
      if (to === last && canWiden) setWide(draft)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (fresh) open(state.hits[active])
      else setAwaited(draft)
    } else if (event.key === 'Escape') {
      event.preventDefault()
      actions.showView('ask')
    }
  }

  return (
    <main className="page">
      <h1 className="sr-only">{text.search.label}</h1>
      <header className="search-head">
        <MenuButton />
        <label className="search-field">
          <Search size={20} aria-hidden />
          <input
            ref={field}
            autoFocus // oxlint-disable-line jsx-a11y/no-autofocus -- the person has just asked for the search
            role="combobox"
            aria-expanded={state.hits.length > 0}
            aria-controls={listId}
            aria-autocomplete="list"
            aria-activedescendant={state.hits.length > 0 ? optionId(active) : undefined}
            aria-label={text.search.label}
            placeholder={text.search.placeholder}
            maxLength={500}
            spellCheck={false}
            value={draft.text}
            onChange={(event) => actions.setSearch({ ...draft, text: event.target.value })}
            onKeyDown={onKeyDown}
          />
        </label>
        <IconButton label={text.search.close} shortcut="Esc" place={{ side: 'below', align: 'end' }} onClick={() => actions.showView('ask')}>
          <X size={18} aria-hidden />
        </IconButton>
      </header>
      <SearchFilters draft={draft} />
      <Banners />
      <SearchStatus state={state} draft={draft} />
      <div className="search-results" id={listId} role="listbox" aria-label={text.search.label}>
        {state.hits.map((hit, index) => (
          <Hit
            key={hit.messageId}
            id={optionId(index)}
            hit={hit}
            active={index === active}
            onPoint={() => setActive(index)}
            onOpen={() => open(hit)}
          />
        ))}
      </div>
      {canWiden ? (
        <Button kind="quiet" className="search-more" onClick={() => setWide(draft)}>
          {text.search.showMore}
        </Button>
      ) : state.more && wide === draft ? (
        <p className="search-more hint">{text.search.tooMany}</p>
      ) : null}
      {state.hits.length === 0 && state.status !== 'searching' ? <SearchEmpty state={state} draft={draft} /> : null}
    </main>
  )
}

interface StateProps {
  readonly state: SearchState
  readonly draft: SearchDraft
}

function SearchStatus({ state, draft }: StateProps): ReactNode {
  const found = state.hits.length
  const words =
    state.status !== 'ready'
      ? ''
      : found > 0
        ? text.search.results(found, state.more)
        : hasWords(draft.text)
          ? text.search.none(draft.text.trim())
          : ''
  return (
    <p className="search-status num">
      {/* Nothing found is written large below; here it is only spoken. */}
      <span role="status" className={found === 0 ? 'sr-only' : undefined}>
        {words}
      </span>
      {found === 0 ? null : <span aria-hidden="true">{text.search.help}</span>}
    </p>
  )
}

/** Punctuation alone can't be looked for. */
function hasWords(typed: string): boolean {
  return /[\p{L}\p{N}]/u.test(typed)
}

function SearchEmpty({ state, draft }: StateProps): ReactNode {
  if (state.status === 'failed') {
    return (
      <div className="empty" role="alert">
        <h2>{text.search.failed}</h2>
        <p>{state.error}</p>
      </div>
    )
  }
  const typed = draft.text.trim()
  const [title, body] =
    typed === '' ? [text.search.idleTitle, text.search.idleBody]
    : hasWords(typed) ? [text.search.none(typed), text.search.noneHint]
    : [text.search.nothingToFind, text.search.nothingToFindHint] // prettier-ignore
  return (
    <div className="empty">
      <h2>{title}</h2>
      <p>{body}</p>
      {hasWords(typed) && Object.keys(draft).length > 1 ? <p>{text.search.noneFiltered}</p> : null}
    </div>
  )
}

interface HitProps {
  readonly id: string
  readonly hit: SearchHit
  readonly active: boolean
  readonly onPoint: () => void
  readonly onOpen: () => void
}

function Hit({ id, hit, active, onPoint, onOpen }: HitProps): ReactNode {
  return (
    // The field keeps the focus and moves the selection: options are not tab stops.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <div id={id} className="hit" role="option" tabIndex={-1} aria-selected={active} onPointerMove={onPoint} onClick={onOpen}>
      <div className="hit-margin num">
        <time dateTime={new Date(hit.createdAt).toISOString()}>{formatDate(hit.createdAt)}</time>
        <span>{formatTime(hit.createdAt)}</span>
      </div>
      <div className="hit-body">
        <p className="hit-place">
          <span className="hit-role" data-role={hit.role}>
            {hit.role === 'user' ? text.answer.question : hit.role === 'assistant' ? text.answer.label : text.answer.system}
          </span>
          <span className="hit-session">{hit.sessionTitle === '' ? text.rail.untitled : hit.sessionTitle}</span>
          {hit.clientName === '' ? null : <span>{hit.clientName}</span>}
        </p>
        <p className="hit-snippet">{hit.snippet.map((piece, index) => (piece.hit ? <mark key={index}>{piece.text}</mark> : piece.text))}</p>
      </div>
    </div>
  )
}
