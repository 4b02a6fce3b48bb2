// An answer in the transcript: its text as it arrives, notices, sources, and its facts on demand.
import { CircleAlert, EyeOff, Import, Info, Laptop, LoaderCircle, RefreshCw, Repeat2, Square, Wallet, Waypoints, type LucideIcon } from 'lucide-react'
import { useCallback, useMemo, useState, type ReactNode } from 'react'
import type { Notice } from '../../../shared/turn.ts'
import { CitationContext, Markdown } from '../../markdown/Markdown.tsx'
import { withShownNumbers } from '../../markdown/citations.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { formatTime } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { AnswerFacts } from './AnswerFacts.tsx'
import { Citations } from './Citations.tsx'
import { useAnswer, type AnswerView } from './useAnswer.ts'

/** An answer this soon after its question needs no time of its own. */
const SAME_TIME_MS = 60_000

const noticeIcons: Record<Notice['kind'], LucideIcon> = {
  failover: Waypoints,
  local: Laptop,
  budget: Wallet,
  masked: EyeOff,
  cached: Repeat2,
  resumed: RefreshCw,
  imported: Import
}

export function AnswerRow({ messageId }: { readonly messageId: string }): ReactNode {
  const view = useAnswer(messageId)
  const turnId = view?.message.turnId ?? null
  const askedAt = useMirror((mirror) => (turnId === null ? null : (mirror.messages[mirror.questions[turnId] ?? '']?.createdAt ?? null)))
  return view === null ? null : (
    <div className="entry entry-answer">
      <div className="entry-margin">
        {askedAt !== null && view.message.createdAt - askedAt < SAME_TIME_MS ? null : (
          <time dateTime={new Date(view.message.createdAt).toISOString()}>{formatTime(view.message.createdAt)}</time>
        )}
        <LocalTag notices={view.notices} />
      </div>
      <div className="entry-body">
        <h2 className="sr-only">{text.answer.label}</h2>
        <AnswerBody view={view} />
      </div>
    </div>
  )
}

/** Marks an answer that was made on this machine; everything else is said in `NoticeLines`. */
export function LocalTag({ notices }: { readonly notices: readonly Notice[] }): ReactNode {
  const notice = notices.find((candidate) => candidate.kind === 'local')
  if (notice === undefined) return null
  return (
    <span className="tag" data-tone="local" title={notice.text}>
      <Laptop size={12} aria-hidden />
      {text.answer.notices.local}
      <span className="sr-only">: {notice.text}</span>
    </span>
  )
}

/** What changed under way is said in its own words, where it is read. */
export function NoticeLines({ notices }: { readonly notices: readonly Notice[] }): ReactNode {
  return notices
    .filter((notice) => notice.kind !== 'local')
    .map((notice, index) => {
      const Icon = noticeIcons[notice.kind]
      return (
        <p key={index} className="answer-notice">
          <Icon size={14} aria-hidden />
          {notice.text}
        </p>
      )
    })
}

export function StageLine({ view }: { readonly view: AnswerView }): ReactNode {
  // Once there are words, they are what is going on.
  if (!view.streaming || view.text !== '') return null
  return (
    <p className="stage">
      <LoaderCircle size={14} aria-hidden className="spin" />
      {view.stage ?? text.answer.waiting}
      {view.progress === null ? null : <span className="num"> {Math.round(view.progress)} %</span>}
    </p>
  )
}

/** How the answer ended, where that needs words. */
export function AnswerEnd({ view }: { readonly view: AnswerView }): ReactNode {
  if (view.stopped) return <p className="answer-end">{text.answer.stopped}</p>
  if (view.error !== null) {
    return (
      <p className="answer-end" data-tone="failed">
        <CircleAlert size={14} aria-hidden />
        <span>
          <strong>{text.answer.failedTitle}.</strong> {view.error.message}
        </span>
      </p>
    )
  }
  const finish = view.message.answer?.finish
  if (finish === 'length') return <p className="answer-end">{text.answer.cutOff}</p>
  return finish === 'filtered' ? <p className="answer-end">{text.answer.filtered}</p> : null
}

/** Which source is unfolded, and the markers' way to it. */
export function useSources(view: AnswerView) {
  const [shown, setShown] = useState<{ readonly n: number; readonly nonce: number } | null>(null)
  const show = useCallback((n: number) => setShown((old) => ({ n, nonce: (old?.nonce ?? 0) + 1 })), [])
  const toggle = useCallback((n: number) => setShown((old) => (old?.n === n ? null : { n, nonce: 0 })), [])
  const { citations } = view
  const target = useMemo(() => ({ citations, show }), [citations, show])
  return { shown, toggle, target }
}

function AnswerBody({ view }: { readonly view: AnswerView }): ReactNode {
  const actions = useActions()
  const [factsOpen, setFactsOpen] = useState(false)
  const { shown, toggle, target } = useSources(view)
  const { turnId } = view.message
  return (
    <>
      <div className="answer-text" data-streaming={(view.streaming && view.text !== '') || undefined}>
        <CitationContext value={target}>
          <Markdown source={view.text} streaming={view.streaming} />
        </CitationContext>
      </div>
      <StageLine view={view} />
      <NoticeLines notices={view.notices} />
      <AnswerEnd view={view} />
      <Citations citations={view.citations} shown={shown} onToggle={toggle} />
      {factsOpen && view.usage !== null ? <AnswerFacts usage={view.usage} /> : null}
      <div className="entry-actions" data-open={view.streaming || factsOpen || undefined}>
        {view.streaming && turnId !== null ? (
          <Button small onClick={() => void actions.stop(turnId)}>
            <Square size={11} fill="currentColor" aria-hidden />
            {text.answer.stop}
          </Button>
        ) : null}
        {view.streaming || view.text === '' ? null : <CopyButton value={withShownNumbers(view.text, view.citations)} label={text.answer.copy} />}
        {view.usage === null ? null : (
          <IconButton
            small
            label={text.answer.facts}
            place={{ align: 'end' }}
            aria-expanded={factsOpen}
            aria-pressed={factsOpen}
            onClick={() => setFactsOpen(!factsOpen)}
          >
            <Info size={14} aria-hidden />
          </IconButton>
        )}
      </div>
    </>
  )
}
