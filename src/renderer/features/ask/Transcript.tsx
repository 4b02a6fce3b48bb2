// The messages of a session: a window over pages, at the bottom only for whoever is at the bottom.
import { ArrowDown, CircleAlert } from 'lucide-react'
import { memo, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { useActions, useAppStore, useLocal, useMirror } from '../../state/context.tsx'
import type { Transcript as TranscriptState } from '../../state/mirror.ts'
import { formatDay, formatTime, isSameDay } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { useNow } from '../../ui/clock.ts'
import { focusWhenVisible } from '../../ui/focus.ts'
import { AnswerRow } from './AnswerRow.tsx'
import { QuestionRow } from './QuestionRow.tsx'
import { changeOf } from './stretch.ts'

/** Distances in px: this near the end counts as at the end; this near an edge the next page is fetched. */
const AT_END = 40
const FETCH_AT = 1_200
const FLASH_MS = 1_800

export function Transcript({ sessionId, transcript }: { readonly sessionId: string; readonly transcript: TranscriptState }): ReactNode {
  const actions = useActions()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const atEnd = useRef(true)
  const lastOffset = useRef(0)
  const [newBelow, setNewBelow] = useState(false)
  const jump = useLocal((local) => (local.jump?.sessionId === sessionId ? local.jump : null))
  const { ids } = transcript

  // virtua must know in the very render whether rows came in front.
  const [stretch, setStretch] = useState({ ids, generation: 0, shift: false })
  if (stretch.ids !== ids) {
    const change = changeOf(stretch.ids, ids)
    setStretch({ ids, generation: stretch.generation + (change === 'replaced' ? 1 : 0), shift: change === 'earlier' })
  }

  const toEnd = (): void => {
    // Not the list's scrollToIndex: it goes on scrolling while sizes change, and a reader could not leave a growing answer.
    const element = scroller.current
    if (element !== null) element.scrollTop = element.scrollHeight
  }
  const onResize = (): void => {
    if (atEnd.current) toEnd()
  }
  const onScroll = (offset: number): void => {
    const handle = list.current
    if (handle === null) return
    const left = handle.scrollSize - offset - handle.viewportSize
    // Growth below moves nobody: only a person who scrolls up, however little, leaves the end. A transcript that
    // shrinks also moves up, but ends at the very end.
    const up = offset < lastOffset.current - 1
    if (!transcript.hasLater && (left <= 1 || (left <= AT_END && !up))) {
      atEnd.current = true
      setNewBelow(false)
    } else if (up) atEnd.current = false
    lastOffset.current = offset
    if (offset < FETCH_AT && transcript.hasEarlier) void actions.loadEarlier(sessionId)
    if (left < FETCH_AT && transcript.hasLater) void actions.loadLater(sessionId)
  }

  useLayoutEffect(() => {
    if (jump !== null) {
      const index = ids.indexOf(jump.messageId)
      if (index >= 0) {
        atEnd.current = false
        list.current?.scrollToIndex(index, { align: 'center' })
      }
    } else if (atEnd.current) toEnd()
    // A jump is followed once; rows that arrive later do not repeat it.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [jump?.nonce, ids, stretch.generation])

  const goToNewest = async (): Promise<void> => {
    atEnd.current = true
    setNewBelow(false)
    if (transcript.hasLater) await actions.loadLatest(sessionId)
    else toEnd()
  }

  const onNewText = (): void => {
    if (!atEnd.current) setNewBelow(true)
  }

  return (
    <div className="transcript-frame">
      {/* A scrolling region must be reachable by keyboard. */}
      <div className="transcript" ref={scroller} role="region" aria-label={text.transcript.label} tabIndex={0}>
        <Virtualizer
          key={stretch.generation}
          ref={list}
          scrollRef={scroller}
          shift={stretch.shift}
          itemSize={180}
          onScroll={onScroll}
          onResize={onResize}
        >
          {ids.map((id, index) => (
            <Row key={id} id={id} previousId={index === 0 ? null : (ids[index - 1] ?? null)} first={index === 0 && !transcript.hasEarlier} />
          ))}
        </Virtualizer>
      </div>
      {transcript.error === null ? null : (
        <p className="load-error" role="alert">
          <CircleAlert size={14} aria-hidden />
          {text.transcript.loadFailed} {transcript.error}
        </p>
      )}
      <NewTextWatch ids={ids} onNewText={onNewText} />
      {newBelow || transcript.hasLater ? (
        <Button small className="new-below" onClick={() => void goToNewest()}>
          <ArrowDown size={14} aria-hidden />
          {newBelow ? text.transcript.newBelow : text.transcript.toNewest}
        </Button>
      ) : null}
    </div>
  )
}

/** Renders nothing: notices that the end of the transcript has grown. */
function NewTextWatch({ ids, onNewText }: { readonly ids: readonly string[]; readonly onNewText: () => void }): ReactNode {
  const store = useAppStore()
  const lastId = ids.at(-1) ?? null
  const callback = useRef(onNewText)
  useEffect(() => {
    callback.current = onNewText
  })
  useEffect(() => {
    let known: string | undefined
    const measure = (): string => {
      const mirror = store.getState().mirror
      return lastId === null ? '' : `${lastId} ${mirror?.turns[lastId]?.lastSeq ?? mirror?.messages[lastId]?.answer?.lastSeq ?? 0}`
    }
    known = measure()
    return store.subscribe(() => {
      const now = measure()
      if (now !== known) callback.current()
      known = now
    })
  }, [store, lastId])
  const seen = useRef(lastId)
  useEffect(() => {
    if (seen.current !== null && lastId !== null && seen.current !== lastId) callback.current()
    seen.current = lastId
  }, [lastId])
  return null
}

const Row = memo(function Row({
  id,
  previousId,
  first
}: {
  readonly id: string
  readonly previousId: string | null
  readonly first: boolean
}): ReactNode {
  const actions = useActions()
  const element = useRef<HTMLElement>(null)
  const message = useMirror((mirror) => mirror.messages[id])
  const newDay = useMirror((mirror) => {
    const before = previousId === null ? undefined : mirror.messages[previousId]
    return before === undefined || message === undefined || !isSameDay(before.createdAt, message.createdAt)
  })
  const now = useNow()
  const flash = useLocal((local) => (local.jump?.messageId === id ? local.jump.nonce : 0))
  useEffect(() => {
    if (flash === 0 || element.current === null) return undefined
    const endFocus = focusWhenVisible(element.current)
    const timer = setTimeout(actions.endJump, FLASH_MS)
    return () => {
      endFocus()
      clearTimeout(timer)
    }
  }, [flash, actions])
  if (message === undefined) return null
  return (
    <>
      {newDay ? (
        <div className="day">
          <strong>{formatDay(message.createdAt, now, text.transcript)}</strong>
          {first ? <span>{text.transcript.start}</span> : null}
        </div>
      ) : null}
      <article ref={element} tabIndex={-1} data-flash={flash === 0 ? undefined : flash % 2 === 0 ? 'a' : 'b'} data-message={id}>
        {message.role === 'user' ? (
          <QuestionRow message={message} />
        ) : message.role === 'assistant' ? (
          <AnswerRow messageId={id} />
        ) : (
          <SystemRow text={message.text} at={message.createdAt} />
        )}
      </article>
    </>
  )
})

function SystemRow({ text: words, at }: { readonly text: string; readonly at: number }): ReactNode {
  return (
    <div className="entry entry-system">
      <div className="entry-margin">
        <time dateTime={new Date(at).toISOString()}>{formatTime(at)}</time>
        <span className="delivery">{text.answer.system}</span>
      </div>
      <p className="entry-body">{words}</p>
    </div>
  )
}
