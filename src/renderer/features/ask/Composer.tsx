// Station 1 on the way of a question: the box it is typed in. Its text stays until the core has saved the question.
import { ArrowUp } from 'lucide-react'
import { useCallback, useEffect, useRef, type KeyboardEvent, type ReactNode } from 'react'
import { MAX_QUESTION_LENGTH, type QuickAction } from '../../../shared/turn.ts'
import { useActions, useLocal } from '../../state/context.tsx'
import { draftOf } from '../../state/model.ts'
import { formatInteger } from '../../text/format.ts'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { QuickActions } from './QuickActions.tsx'

/** From here on the box says how many characters are left. */
const WARN_FROM = MAX_QUESTION_LENGTH - 2_000

/** Enter sends, unless it belongs to an input method that is still composing. */
export function isSendKey(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.shiftKey && !event.altKey && !event.nativeEvent.isComposing && event.keyCode !== 229
}

/** What is said about the length; null far from the limit. */
export function lengthWords(length: number): { readonly over: boolean; readonly words: string } | null {
  if (length > MAX_QUESTION_LENGTH) return { over: true, words: text.composer.over(formatInteger(length - MAX_QUESTION_LENGTH)) }
  return length < WARN_FROM ? null : { over: false, words: text.composer.left(formatInteger(MAX_QUESTION_LENGTH - length)) }
}

export function Composer({ sessionId }: { readonly sessionId: string }): ReactNode {
  const actions = useActions()
  const key = sessionId
  const value = useLocal((local) => draftOf(local, key).text)
  const sending = useLocal((local) => local.sending[key] === true)
  const error = useLocal((local) => local.boxErrors[key])
  const focusRequests = useLocal((local) => local.focusRequests)
  const box = useRef<HTMLTextAreaElement>(null)
  const length = lengthWords(value.length)
  const blocked = sending || length?.over === true

  useEffect(() => box.current?.focus(), [sessionId, focusRequests])

  const send = useCallback(
    async (quickAction?: QuickAction) => {
      await actions.ask({ box: sessionId, sessionId, ...(quickAction === undefined ? {} : { quickAction }) })
    },
    [actions, sessionId]
  )
  const runQuick = useCallback((action: QuickAction) => void send(action), [send])

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        if (!blocked) void send()
      }}
    >
      <QuickActions disabled={blocked} onRun={runQuick} />
      <div className="composer-box" data-error={error !== undefined || length?.over === true || undefined}>
        <textarea
          ref={box}
          rows={1}
          aria-label={text.composer.label}
          aria-describedby="composer-note"
          placeholder={text.composer.placeholder}
          value={value}
          readOnly={sending}
          onChange={(event) => actions.setDraft(key, event.target.value)}
          onKeyDown={(event) => {
            if (!isSendKey(event)) return
            event.preventDefault()
            if (!blocked) void send()
          }}
        />
        <Button kind="primary" type="submit" disabled={blocked || value.trim() === ''} aria-label={text.composer.send}>
          <ArrowUp size={17} strokeWidth={2.4} aria-hidden />
        </Button>
      </div>
      <p
        id="composer-note"
        className="composer-note"
        data-level={error === undefined && length?.over !== true ? undefined : 'error'}
        role={error === undefined ? undefined : 'alert'}
      >
        {error ?? length?.words ?? text.composer.hint}
      </p>
    </form>
  )
}
