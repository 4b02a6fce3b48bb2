// How the history is: read when it is looked at, and again when long work on it ends or another history is shown.
import { useCallback, useEffect, useState } from 'react'
import type { HistoryStatus } from '../../../shared/domain.ts'
import { toCopilotError } from '../../../shared/errors.ts'
import { useAppStore, useMirror } from '../../state/context.tsx'

export interface HistoryStatusView {
  readonly status: HistoryStatus | null
  readonly error: string | null
  /** A status that a call has answered with. */
  readonly put: (status: HistoryStatus) => void
  readonly reload: () => void
}

export function useHistoryStatus(): HistoryStatusView {
  const { bridge } = useAppStore()
  const [status, setStatus] = useState<HistoryStatus | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  const running = useMirror((mirror) => mirror.jobs.filter((job) => job.state === 'running').length)
  const stale = useMirror((mirror) => mirror.stale)
  useEffect(() => {
    const ended = new AbortController()
    bridge.call('history.status', null, { signal: ended.signal }).then(
      (value) => {
        setStatus(value)
        setError(null)
      },
      (failure: unknown) => {
        if (!ended.signal.aborted) setError(toCopilotError(failure).message)
      }
    )
    return () => ended.abort()
  }, [bridge, running, stale, attempt])
  const reload = useCallback(() => setAttempt((old) => old + 1), [])
  return { status, error, put: setStatus, reload }
}
