// Long work in one small place: what runs and how far it is, with a way to stop it; what failed, until it was read.
import { CircleAlert, LoaderCircle, X } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import type { Job } from '../../../shared/domain.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { formatShare } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'

/** What is over sooner needs no row. */
const SHOW_AFTER_MS = 400

export function Jobs(): ReactNode {
  const jobs = useMirror((mirror) => mirror.jobs)
  return jobs.map((job) => <JobRow key={job.id} job={job} />)
}

function JobRow({ job }: { readonly job: Job }): ReactNode {
  const actions = useActions()
  const [due, setDue] = useState(false)
  const isOver = job.state === 'done' || job.state === 'cancelled'
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), SHOW_AFTER_MS)
    return () => clearTimeout(timer)
  }, [])
  useEffect(() => {
    // Whoever began it tells how it ended; the list is for what runs and what went wrong.
    if (isOver) void actions.dismissJob(job.id)
  }, [actions, isOver, job.id])

  if (job.state === 'failed') {
    return (
      <div className="banner" data-tone="failed" role="alert">
        <CircleAlert size={16} aria-hidden />
        <span>
          <strong>{text.jobs.failed[job.kind]}</strong> {job.error?.message ?? ''}
        </span>
        <IconButton small label={text.announcements.dismiss} place={{ side: 'below', align: 'end' }} onClick={() => void actions.dismissJob(job.id)}>
          <X size={15} aria-hidden />
        </IconButton>
      </div>
    )
  }
  if (isOver || !due) return null
  return (
    <div className="banner job">
      <LoaderCircle size={16} aria-hidden className="spin" />
      <span>{job.text}</span>
      <progress className="job-progress" aria-label={job.text} {...(job.total === null ? {} : { max: Math.max(job.total, 1), value: job.done })} />
      <span className="job-share num">{job.total === null ? '' : formatShare(Math.floor((100 * job.done) / Math.max(job.total, 1)), 100)}</span>
      {job.cancellable ? (
        <Button small kind="quiet" onClick={() => void actions.cancelJob(job.id)}>
          {text.jobs.stop}
        </Button>
      ) : null}
    </div>
  )
}
