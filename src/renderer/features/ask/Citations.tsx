// What an answer rests on: numbered sources with their date; each unfolds to the passage that was used.
import { ChevronRight, ExternalLink } from 'lucide-react'
import { useEffect, useRef, type ReactNode } from 'react'
import type { Citation } from '../../../shared/turn.ts'
import { isSafeLink } from '../../markdown/incremental.ts'
import { SafeLink } from '../../markdown/Markdown.tsx'
import { text } from '../../text/text.ts'

interface CitationsProps {
  readonly citations: readonly Citation[]
  /** Which source is unfolded; `nonce` grows when it is asked for again. */
  readonly shown: { readonly n: number; readonly nonce: number } | null
  readonly onToggle: (n: number) => void
}

export function Citations({ citations, shown, onToggle }: CitationsProps): ReactNode {
  if (citations.length === 0) return null
  return (
    <div className="sources">
      <ol aria-label={text.answer.sources}>
        {citations.map((citation, place) => (
          <Source key={citation.n} number={place + 1} citation={citation} nonce={shown?.n === citation.n ? shown.nonce : null} onToggle={onToggle} />
        ))}
      </ol>
    </div>
  )
}

function Source({
  number,
  citation,
  nonce,
  onToggle
}: {
  /** As shown; the service's own numbers may have gaps. */
  readonly number: number
  readonly citation: Citation
  readonly nonce: number | null
  readonly onToggle: (n: number) => void
}): ReactNode {
  const head = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    // A marker in the text was pressed: the eyes and the keyboard go to its source.
    if (nonce !== null && nonce > 0) head.current?.focus()
  }, [nonce])
  const open = nonce !== null
  return (
    <li>
      <button ref={head} type="button" className="source-head" aria-expanded={open} onClick={() => onToggle(citation.n)}>
        <span className="source-n">{number}</span>
        <span className="source-title">{citation.title}</span>
        <span className="source-origin">
          {citation.source}
          {citation.date === undefined ? '' : ` · ${text.answer.asOf(citation.date)}`}
        </span>
        <ChevronRight size={14} aria-hidden />
      </button>
      {open ? (
        <div className="source-body">
          {citation.excerpt === undefined ? null : <blockquote>{citation.excerpt}</blockquote>}
          {citation.url === undefined || !isSafeLink(citation.url) ? null : (
            <SafeLink href={citation.url}>
              {text.answer.openSource} <ExternalLink size={12} aria-hidden />
            </SafeLink>
          )}
        </div>
      ) : null}
    </li>
  )
}
