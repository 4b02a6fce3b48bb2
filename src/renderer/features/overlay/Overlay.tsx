// The overlay: field first, answer below, everything on the keyboard. It shows the session it asks in.
import { Expand, X } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import type { QuickAction } from '../../../shared/turn.ts'
import { useActions, useLocal, useMirror, useMirrorShallow } from '../../state/context.tsx'
import type { Mirror } from '../../state/mirror.ts'
import { draftOf, OVERLAY_BOX } from '../../state/model.ts'
import { formatMonthDay } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { IconButton } from '../../ui/Button.tsx'
import { lengthWords, isSendKey } from '../ask/Composer.tsx'
import { QuickActions } from '../ask/QuickActions.tsx'
import { Toasts } from '../shell/Announcements.tsx'
import { LinkIndicator } from '../shell/LinkIndicator.tsx'
import { CaptureBadge } from './CaptureBadge.tsx'
import { OverlayAnswer } from './OverlayAnswer.tsx'
import { SessionSwitcher } from './SessionSwitcher.tsx'

export function Overlay(): ReactNode {
  const actions = useActions()
  const sessionId = useLocal((local) => local.selectedSessionId)
  const questionIds = useQuestionIds(sessionId)
  // Null: the newest. Counted by id, so that a new question does not move what is being read.
  const [pinned, setPinned] = useState<string | null>(null)
  const shownId = pinned !== null && questionIds.includes(pinned) ? pinned : (questionIds.at(-1) ?? null)
  const place = shownId === null ? -1 : questionIds.indexOf(shownId)
  const streamingTurn = useMirror((mirror) => streamingTurnOf(mirror.messages, questionIds, mirror.answers))

  const go = useCallback(
    (step: -1 | 1) => {
      const target = questionIds[place + step]
      if (target !== undefined) setPinned(target === questionIds.at(-1) ? null : target)
    },
    [questionIds, place]
  )
  const onAsked = useCallback(() => setPinned(null), [])

  useEffect(() => {
    const onKeyDown = (event: globalThis.KeyboardEvent): void => {
      // Something inside (a popover, an input method) has used the key already.
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return
      event.preventDefault()
      if (streamingTurn === null) void actions.hideOverlay()
      else void actions.stop(streamingTurn)
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [actions, streamingTurn])

  return (
    <div className="overlay">
      <header className="overlay-head">
        <h1 className="sr-only">{text.product}</h1>
        <SessionSwitcher sessionId={sessionId} />
        <IconButton small label={text.overlay.openMain} place={{ side: 'below', align: 'end' }} onClick={() => void actions.showMain(sessionId)}>
          <Expand size={15} aria-hidden />
        </IconButton>
        <IconButton small label={text.overlay.hide} place={{ side: 'below', align: 'end' }} onClick={() => void actions.hideOverlay()}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <main className="overlay-main">
        <OverlayField sessionId={sessionId} streaming={streamingTurn !== null} onAsked={onAsked} onStep={go} />
        {/* A scrolling region must be reachable by keyboard. */}
        <div className="overlay-scroll" tabIndex={0} role="region" aria-label={text.answer.label}>
          {shownId === null ? (
            <div className="overlay-empty">
              <p>{text.overlay.emptyBody}</p>
            </div>
          ) : (
            <OverlayAnswer key={shownId} questionId={shownId} place={place} count={questionIds.length} onStep={go} />
          )}
        </div>
      </main>
      <footer className="overlay-foot">
        <LinkIndicator compact />
        <CaptureBadge />
      </footer>
      <Toasts />
    </div>
  )
}

/** The questions of a session that are loaded, oldest first. */
function useQuestionIds(sessionId: string | null): readonly string[] {
  return useMirrorShallow((mirror) => {
    const ids = sessionId === null ? [] : (mirror.transcripts[sessionId]?.ids ?? [])
    return ids.filter((id) => mirror.messages[id]?.role === 'user')
  })
}

/** The newest turn of these questions that is being answered; null when all is quiet. */
function streamingTurnOf(messages: Mirror['messages'], questionIds: readonly string[], answers: Readonly<Record<string, string>>): string | null {
  for (const id of questionIds.toReversed()) {
    const turnId = messages[id]?.turnId ?? null
    const answerId = turnId === null ? undefined : answers[turnId]
    if (answerId !== undefined && messages[answerId]?.answer?.state === 'answering') return turnId
  }
  return null
}

interface OverlayFieldProps {
  readonly sessionId: string | null
  readonly streaming: boolean
  readonly onAsked: () => void
  readonly onStep: (step: -1 | 1) => void
}

function OverlayField({ sessionId, streaming, onAsked, onStep }: OverlayFieldProps): ReactNode {
  const actions = useActions()
  const key = OVERLAY_BOX
  const value = useLocal((local) => draftOf(local, key).text)
  const sending = useLocal((local) => local.sending[key] === true)
  const error = useLocal((local) => local.boxErrors[key])
  const focusRequests = useLocal((local) => local.focusRequests)
  const visible = useMirror((mirror) => mirror.desktop.overlayVisible)
  const field = useRef<HTMLTextAreaElement>(null)
  const length = lengthWords(value.length)
  const blocked = sending || length?.over === true

  // Focused whenever the window is shown: the first key typed is the first letter of the question.
  useEffect(() => field.current?.focus(), [sessionId, focusRequests, visible])
  useEffect(() => {
    const focus = (): void => field.current?.focus()
    window.addEventListener('focus', focus)
    return () => window.removeEventListener('focus', focus)
  }, [])

  const send = useCallback(
    async (quickAction?: QuickAction) => {
      const askedIn = await actions.ask({
        box: OVERLAY_BOX,
        sessionId,
        newSession: { title: text.overlay.todayTitle(formatMonthDay(Date.now())) },
        ...(quickAction === undefined ? {} : { quickAction })
      })
      if (askedIn === null) return
      onAsked()
      if (askedIn !== sessionId) {
        actions.selectSession(askedIn)
        void actions.showOverlay(askedIn)
      }
    },
    [actions, sessionId, onAsked]
  )
  const runQuick = useCallback((action: QuickAction) => void send(action), [send])

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (isSendKey(event)) {
      event.preventDefault()
      if (!blocked) void send()
      return
    }
    // The arrows walk through earlier answers only while there is no text for them to move in.
    if (value !== '' || event.nativeEvent.isComposing) return
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      event.preventDefault()
      onStep(event.key === 'ArrowUp' ? -1 : 1)
    }
  }

  const note = useMemo(() => error ?? length?.words ?? null, [error, length])
  return (
    <form
      className="overlay-field"
      aria-busy={streaming}
      onSubmit={(event) => {
        event.preventDefault()
        if (!blocked) void send()
      }}
    >
      <textarea
        ref={field}
        rows={1}
        autoFocus // oxlint-disable-line jsx-a11y/no-autofocus -- the window opens to be typed in
        aria-label={text.overlay.field}
        placeholder={text.overlay.placeholder}
        value={value}
        readOnly={sending}
        onChange={(event) => actions.setDraft(key, event.target.value)}
        onKeyDown={onKeyDown}
      />
      {note === null ? null : (
        <p className="composer-note" data-level="error" role="alert">
          {note}
        </p>
      )}
      <QuickActions disabled={blocked} onRun={runQuick} />
    </form>
  )
}
