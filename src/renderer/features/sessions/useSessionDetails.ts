// A session's details while they are edited: what is typed wins over what is mirrored, and is saved soon after.
import { useCallback, useEffect, useRef, useState } from 'react'
import type { Session, SessionDetails } from '../../../shared/domain.ts'
import { useActions } from '../../state/context.tsx'

const SAVE_AFTER_MS = 500

export interface EditedDetails {
  readonly details: SessionDetails
  readonly change: (change: Partial<SessionDetails>) => void
  /** Saves at once what is still waiting. */
  readonly flush: () => void
}

export function useSessionDetails(session: Session): EditedDetails {
  const actions = useActions()
  const [edits, setEdits] = useState<Partial<SessionDetails>>({})
  const pending = useRef<Partial<SessionDetails>>({})
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  const { id } = session

  const flush = useCallback(() => {
    if (timer.current !== null) clearTimeout(timer.current)
    timer.current = null
    const changed = pending.current
    if (Object.keys(changed).length === 0) return
    pending.current = {}
    void actions.updateSession({ id, details: changed }).then((saved) => {
      // Only what was not typed over meanwhile is main's again; what could not be saved stays visible.
      if (saved !== null)
        setEdits((old) => Object.fromEntries(Object.entries(old).filter(([key, value]) => changed[key as keyof SessionDetails] !== value)))
      return undefined
    })
  }, [actions, id])

  const change = useCallback(
    (next: Partial<SessionDetails>) => {
      pending.current = { ...pending.current, ...next }
      setEdits((old) => ({ ...old, ...next }))
      if (timer.current !== null) clearTimeout(timer.current)
      timer.current = setTimeout(flush, SAVE_AFTER_MS)
    },
    [flush]
  )

  // Leaving the panel or the window saves.
  useEffect(() => {
    window.addEventListener('pagehide', flush)
    return () => {
      window.removeEventListener('pagehide', flush)
      flush()
    }
  }, [flush])

  return { details: { ...session, ...edits }, change, flush }
}
