// One question and its answer in the overlay: large, the first lines first, the rest unfolded on demand.
import { ChevronDown, ChevronLeft, ChevronRight, ChevronUp, Square } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import type { Message } from '../../../shared/domain.ts'
import { Blocks, CitationContext, useMarkdown } from '../../markdown/Markdown.tsx'
import { withShownNumbers } from '../../markdown/citations.ts'
import { useActions, useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button, IconButton } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { AnswerEnd, LocalTag, NoticeLines, StageLine, useSources } from '../ask/AnswerRow.tsx'
import { Citations } from '../ask/Citations.tsx'
import { DeliveryMark } from '../ask/DeliveryMark.tsx'
import { QuestionActions } from '../ask/QuestionActions.tsx'
import { answerIdOf, useAnswer, type AnswerView } from '../ask/useAnswer.ts'
import { useDelivery } from '../ask/useDelivery.ts'
import { leadOf } from './lead.ts'

interface OverlayAnswerProps {
  readonly questionId: string
  readonly place: number
  readonly count: number
  readonly onStep: (step: -1 | 1) => void
}

export function OverlayAnswer({ questionId, place, count, onStep }: OverlayAnswerProps): ReactNode {
  const question = useMirror((mirror) => mirror.messages[questionId])
  const answerId = useMirror((mirror) => (question === undefined ? null : answerIdOf(mirror, question)))
  const view = useAnswer(answerId)
  if (question === undefined) return null
  return (
    <article className="overlay-turn">
      <div className="overlay-question">
        <p>{question.text}</p>
        {count < 2 ? null : (
          <span className="overlay-steps num">
            <IconButton small label={text.overlay.older} disabled={place <= 0} place={{ side: 'below', align: 'end' }} onClick={() => onStep(-1)}>
              <ChevronLeft size={15} aria-hidden />
            </IconButton>
            {text.overlay.position(place + 1, count)}
            <IconButton
              small
              label={text.overlay.newer}
              disabled={place >= count - 1}
              place={{ side: 'below', align: 'end' }}
              onClick={() => onStep(1)}
            >
              <ChevronRight size={15} aria-hidden />
            </IconButton>
          </span>
        )}
      </div>
      {view === null ? <QuestionState question={question} /> : <AnswerText view={view} />}
    </article>
  )
}

/** Before there is an answer: where the question stands, and what can be done. */
function QuestionState({ question }: { readonly question: Message }): ReactNode {
  const delivery = useDelivery(question)
  if (delivery === null) return null
  return (
    <div className="overlay-waiting" role="status">
      <DeliveryMark view={delivery} />
      <span>{delivery.detail}</span>
      <QuestionActions message={question} delivery={delivery} />
    </div>
  )
}

function AnswerText({ view }: { readonly view: AnswerView }): ReactNode {
  const actions = useActions()
  const [open, setOpen] = useState(false)
  const { shown, toggle, target } = useSources(view)
  const { finished, open: openBlocks } = useMarkdown(view.text)
  const { lead, rest } = leadOf([...finished, ...openBlocks])
  const settled = !view.streaming
  const { turnId } = view.message

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!event.altKey || event.code !== 'KeyD' || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      setOpen((old) => !old)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [])

  return (
    <>
      <CitationContext value={target}>
        <div className="overlay-text answer-text" data-streaming={(view.streaming && view.text !== '' && (open || rest.length === 0)) || undefined}>
          <div className="md">
            <Blocks blocks={lead} settled={settled || rest.length > 0} />
            {open ? <Blocks blocks={rest} settled={settled} /> : null}
          </div>
        </div>
      </CitationContext>
      <StageLine view={view} />
      <NoticeLines notices={view.notices} />
      <AnswerEnd view={view} />
      <div className="overlay-actions">
        {view.streaming && turnId !== null ? (
          <Button small onClick={() => void actions.stop(turnId)}>
            <Square size={11} fill="currentColor" aria-hidden />
            {text.overlay.stop}
          </Button>
        ) : null}
        {rest.length === 0 ? null : (
          <Button small aria-expanded={open} aria-keyshortcuts="Alt+D" onClick={() => setOpen(!open)}>
            {open ? <ChevronUp size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />}
            {open ? text.overlay.less : text.overlay.details}
          </Button>
        )}
        {view.streaming && rest.length > 0 && !open ? <span className="hint">{text.overlay.moreComing}</span> : null}
        <span className="overlay-notices">
          <LocalTag notices={view.notices} />
        </span>
        {settled && view.text !== '' ? <CopyButton value={withShownNumbers(view.text, view.citations)} label={text.answer.copy} /> : null}
      </div>
      <Citations citations={view.citations} shown={shown} onToggle={toggle} />
    </>
  )
}
