// As-you-type search: the newest text wins, what it overtook is dropped.
import { useEffect, useState } from 'react'
import type { SearchHit } from '../../../shared/domain.ts'
import { toCopilotError } from '../../../shared/errors.ts'
import { useAppStore } from '../../state/context.tsx'
import type { SearchDraft } from '../../state/model.ts'

export interface SearchState {
  readonly status: 'idle' | 'searching' | 'ready' | 'failed'
  readonly hits: readonly SearchHit[]
  readonly more: boolean
  readonly error: string
  /** What these hits answer: while the next ones are on their way, not what is in the field. */
  readonly of: SearchDraft | null
}
const idle: SearchState = { status: 'idle', hits: [], more: false, error: '', of: null }

/** Waits for a pause this short, so that a fast typist does not ask for every letter. */
const PAUSE_MS = 40
/** A screenful or two at first, which is what is looked at; then all that main gives. */
export const FIRST_HITS = 30
export const MOST_HITS = 100

export function useSearch(draft: SearchDraft, limit: number): SearchState {
  const { bridge } = useAppStore()
  const [state, setState] = useState(idle)
  const empty = draft.text.trim() === ''
  useEffect(() => {
    if (empty) return undefined
    const overtaken = new AbortController()
    const timer = setTimeout(() => {
      setState((old) => ({ ...old, status: 'searching' }))
      bridge.call('search.query', { ...draft, limit }, { signal: overtaken.signal }).then(
        (result) => setState({ status: 'ready', hits: result.hits, more: result.more, error: '', of: draft }),
        (error: unknown) => {
          if (!overtaken.signal.aborted) setState({ ...idle, status: 'failed', error: toCopilotError(error).message })
        }
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      overtaken.abort()
    }
  }, [bridge, draft, empty, limit])
  return empty ? idle : state
}
