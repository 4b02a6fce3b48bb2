// What both windows share: the first moments, the look, and a floor under anything that fails to render.
import { Component, type ErrorInfo, type ReactNode } from 'react'
import { useActions, useApp, useMirror } from '../../state/context.tsx'
import { text } from '../../text/text.ts'
import { Button } from '../../ui/Button.tsx'
import { useLook } from '../../ui/theme.ts'
import { AnswerAnnouncer, LinkAnnouncer } from './Announcements.tsx'
import { Unlock } from './Unlock.tsx'

/** Shows the children once the first snapshot is there; before, what is happening. */
export function Window({ children }: { readonly children: ReactNode }): ReactNode {
  const ready = useApp((state) => state.mirror !== null)
  return <RenderFloor>{ready ? <Ready>{children}</Ready> : <Starting />}</RenderFloor>
}

function Ready({ children }: { readonly children: ReactNode }): ReactNode {
  const locked = useMirror((mirror) => mirror.desktop.locked)
  // Between the passphrase and the first snapshot of what it opened.
  const opening = useMirror((mirror) => mirror.stale && Object.keys(mirror.sessions).length === 0)
  useLook()
  if (locked) return <Unlock />
  if (opening) return <Starting />
  return (
    <>
      {children}
      <AnswerAnnouncer />
      <LinkAnnouncer />
    </>
  )
}

function Starting(): ReactNode {
  const actions = useActions()
  const error = useApp((state) => state.startError)
  return (
    <main className="starting">
      {error === null ? (
        <p role="status">{text.start.connecting}</p>
      ) : (
        <div className="empty" role="alert">
          <h1>{text.start.failed}</h1>
          <p>{error}</p>
          <Button kind="primary" onClick={actions.retrySnapshot}>
            {text.start.retry}
          </Button>
        </div>
      )}
    </main>
  )
}

interface FloorState {
  readonly failed: boolean
}

/** React offers error boundaries only as classes. */
class RenderFloor extends Component<{ readonly children: ReactNode }, FloorState> {
  override state: FloorState = { failed: false }

  static getDerivedStateFromError(): FloorState {
    return { failed: true }
  }
  override componentDidCatch(error: Error, info: ErrorInfo): void {
    // The page has no log of its own: the browser's error event reaches main's crash log.
    reportError(new Error(`A component failed to render${info.componentStack ?? ''}`, { cause: error }))
  }
  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <main className="starting">
        <div className="empty" role="alert">
          <h1>{text.errors.renderTitle}</h1>
          <p>{text.errors.renderBody}</p>
          <Button kind="primary" onClick={() => location.reload()}>
            {text.errors.reload}
          </Button>
        </div>
      </main>
    )
  }
}
