// A call that becomes a job: its dialog stays while there may be something to say in it, then hands over to the list of jobs.
import { useEffect, useRef, useState } from 'react'
import type { Job } from '../../../shared/domain.ts'
import { toCopilotError, type CopilotError } from '../../../shared/errors.ts'
import { useActions, useAppStore, useMirror } from '../../state/context.tsx'

/** A wrong passphrase or a foreign file is found sooner: then the dialog is still there to say it. */
const HAND_OVER_AFTER_MS = 1_200

export interface LongWork {
  readonly busy: boolean
  readonly error: CopilotError | null
  /** Resolves to what shall be said when it is done; null: the person chose no file, nothing happened. */
  start(work: () => Promise<string | null>): void
}

/** `onEnd`: it is done, it was stopped, or the list of jobs tells the rest. */
export function useLongWork(kind: Job['kind'], onEnd: () => void): LongWork {
  const actions = useActions()
  const store = useAppStore()
  const [before, setBefore] = useState<ReadonlySet<string> | null>(null)
  const [error, setError] = useState<CopilotError | null>(null)
  const shown = useRef(true)
  const end = useRef(onEnd)
  useEffect(() => {
    end.current = onEnd
  }, [onEnd])
  useEffect(() => {
    shown.current = true
    return () => {
      shown.current = false
    }
  }, [])

  const isRunning = useMirror(
    (mirror) => before !== null && mirror.jobs.some((job) => job.kind === kind && job.state === 'running' && !before.has(job.id))
  )
  useEffect(() => {
    if (!isRunning) return undefined
    const timer = setTimeout(() => end.current(), HAND_OVER_AFTER_MS)
    return () => clearTimeout(timer)
  }, [isRunning])

  // What is said here need not be said by the list as well.
  const told = useMirror((mirror) =>
    error === null ? undefined : mirror.jobs.find((job) => job.kind === kind && job.state === 'failed' && job.error?.message === error.message)?.id
  )
  useEffect(() => {
    if (told !== undefined) void actions.dismissJob(told)
  }, [actions, told])

  const run = async (work: () => Promise<string | null>): Promise<void> => {
    try {
      const words = await work()
      if (words !== null) {
        actions.note('info', words)
        if (shown.current) end.current()
      }
    } catch (failure) {
      const known = toCopilotError(failure)
      if (known.code === 'cancelled') {
        actions.note('info', known.message)
        if (shown.current) end.current()
      } else if (shown.current) setError(known)
      else if (store.getState().mirror?.jobs.some((job) => job.kind === kind) !== true) actions.fail(known)
    } finally {
      setBefore(null)
    }
  }
  return {
    busy: before !== null,
    error,
    start: (work) => {
      setError(null)
      setBefore(new Set(store.getState().mirror?.jobs.map((job) => job.id)))
      void run(work)
    }
  }
}
