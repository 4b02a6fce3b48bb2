// The main view: one session's header, transcript and composer, with its details beside.
import type { ReactNode } from 'react'
import type { Session } from '../../../shared/domain.ts'
import { useActions, useLocal, useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { keysOf } from '../../ui/accelerator.ts'
import { Button } from '../../ui/Button.tsx'
import { Keys } from '../../ui/Fields.tsx'
import { Banners } from '../shell/Announcements.tsx'
import { DetailsPanel } from '../sessions/DetailsPanel.tsx'
import { MenuButton, SessionHeader } from '../sessions/SessionHeader.tsx'
import { Composer } from './Composer.tsx'
import { Transcript } from './Transcript.tsx'

export function AskView(): ReactNode {
  const sessionId = useLocal((local) => local.selectedSessionId)
  const session = useMirror((mirror) => (sessionId === null ? undefined : mirror.sessions[sessionId]))
  const detailsOpen = useLocal((local) => local.detailsOpen)
  if (session === undefined) return <NoSession />
  return (
    <>
      <main className="page">
        <SessionHeader key={session.id} session={session} />
        <Banners />
        <SessionTranscript key={session.id} session={session} />
        <Composer sessionId={session.id} />
      </main>
      {detailsOpen ? <DetailsPanel key={session.id} session={session} /> : null}
    </>
  )
}

function SessionTranscript({ session }: { readonly session: Session }): ReactNode {
  const actions = useActions()
  const transcript = useMirror((mirror) => mirror.transcripts[session.id])
  if (transcript === undefined || transcript.status === 'loading') {
    return (
      <div className="transcript-frame">
        <p className="page-wait" role="status">
          {text.transcript.loading}
        </p>
      </div>
    )
  }
  if (transcript.status === 'failed') {
    return (
      <div className="transcript-frame">
        <div className="empty" role="alert">
          <h2>{text.transcript.loadFailed}</h2>
          <p>{transcript.error}</p>
          <Button onClick={() => void actions.reloadTranscript(session.id)}>{text.transcript.retry}</Button>
        </div>
      </div>
    )
  }
  if (transcript.ids.length === 0) return <EmptySession session={session} />
  return <Transcript sessionId={session.id} transcript={transcript} />
}

function EmptySession({ session }: { readonly session: Session }): ReactNode {
  return (
    <div className="transcript-frame">
      <div className="empty">
        <h2>{text.welcome.sessionTitle}</h2>
        <p>{text.welcome.sessionBody}</p>
        <Samples sessionId={session.id} />
      </div>
    </div>
  )
}

/** Questions that the built-in knowledge answers: they go into the box, the person sends them. */
function Samples({ sessionId }: { readonly sessionId: string | null }): ReactNode {
  const actions = useActions()
  const start = async (question: string): Promise<void> => {
    let target = sessionId
    if (target === null) {
      try {
        target = (await actions.createSession({ title: text.welcome.firstSession })).id
      } catch (error) {
        actions.fail(error)
        return
      }
      actions.selectSession(target)
    }
    actions.addToDraft(target, question)
  }
  return (
    <section className="samples" aria-label={text.welcome.tryOne}>
      <h2>{text.welcome.tryOne}</h2>
      <ul>
        {text.welcome.samples.map((question) => (
          <li key={question}>
            <button type="button" onClick={() => void start(question)}>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function NoSession(): ReactNode {
  const actions = useActions()
  const any = useMirror((mirror) => Object.values(mirror.sessions).some((session) => session.status === 'active'))
  return (
    <main className="page">
      <header className="page-head page-head-bare">
        <MenuButton />
      </header>
      <Banners />
      <div className="transcript-frame">
        <div className="empty">
          <h1>{any ? text.welcome.noSessionTitle : text.welcome.title}</h1>
          {any ? (
            <p>{text.welcome.noSessionBody}</p>
          ) : (
            <>
              <p>{text.welcome.body}</p>
              <HotkeyHint />
            </>
          )}
          <Button kind="primary" onClick={() => actions.setPanels({ newSessionOpen: true })}>
            {text.rail.newSession}
          </Button>
          {any ? null : <Samples sessionId={null} />}
        </div>
      </div>
    </main>
  )
}

/** The overlay's shortcut, and the truth about whether it works. */
function HotkeyHint(): ReactNode {
  const accelerator = useMirror((mirror) => mirror.settings.shortcuts.toggleOverlay)
  const state = useMirror((mirror) => mirror.desktop.shortcuts['toggleOverlay'])
  const platform = useMirror((mirror) => mirror.desktop.platform)
  if (accelerator === null) return <p>{text.welcome.shortcutUnset}</p>
  return (
    <p className="hotkey">
      <Keys keys={keysOf(accelerator, platform)} />
      {state === 'taken' ? text.welcome.shortcutTaken : text.settings.shortcutNames.toggleOverlay}
    </p>
  )
}
