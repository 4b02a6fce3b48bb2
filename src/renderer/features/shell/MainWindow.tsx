// The main window: rail, one view, dialogs, and the window's own shortcuts.
import { useEffect, type ReactNode } from 'react'
import { useActions, useLocal, useMirror } from '../../state/context.tsx'
import type { View } from '../../state/model.ts'
import { AskView } from '../ask/AskView.tsx'
import { ExportDialog } from '../history/ExportDialog.tsx'
import { OutboxView } from '../outbox/OutboxView.tsx'
import { SearchView } from '../review/SearchView.tsx'
import { NewSessionDialog } from '../sessions/NewSessionDialog.tsx'
import { Rail } from '../sessions/Rail.tsx'
import { SettingsView } from '../settings/SettingsView.tsx'
import { UsageView } from '../usage/UsageView.tsx'
import { Toasts } from './Announcements.tsx'

const contents: Record<View, () => ReactNode> = { ask: AskView, outbox: OutboxView, search: SearchView, usage: UsageView, settings: SettingsView }

export function MainWindow(): ReactNode {
  const actions = useActions()
  const view = useLocal((local) => local.view)
  const railOpen = useLocal((local) => local.railOpen)
  const detailsOpen = useLocal((local) => local.detailsOpen && local.view === 'ask')
  const newSessionOpen = useLocal((local) => local.newSessionOpen)
  const exporting = useLocal((local) => local.exporting)
  useShortcuts()
  const Content = contents[view]
  return (
    <div className="shell" data-rail={railOpen ? 'open' : undefined} data-details={detailsOpen ? 'open' : undefined}>
      <Rail />
      {railOpen ? (
        // The keyboard closes the drawer with Esc or its own button.
        // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
        <div className="scrim" onClick={() => actions.setPanels({ railOpen: false })} />
      ) : null}
      <Content />
      {newSessionOpen ? <NewSessionDialog /> : null}
      {exporting === null ? null : <ExportDialog start={exporting} />}
      <Toasts />
    </div>
  )
}

function useShortcuts(): void {
  const actions = useActions()
  const platform = useMirror((mirror) => mirror.desktop.platform)
  const railOpen = useLocal((local) => local.railOpen)
  const view = useLocal((local) => local.view)
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      // A dialog has the keyboard for itself: its Esc closes it, and nothing behind it moves.
      if (event.defaultPrevented || document.querySelector('dialog[open]') !== null) return
      if (event.key === 'Escape') {
        if (railOpen) actions.setPanels({ railOpen: false })
        else if (view !== 'ask') actions.showView('ask')
        return
      }
      if (!(platform === 'darwin' ? event.metaKey : event.ctrlKey) || event.altKey || event.shiftKey) return
      const run = {
        k: () => actions.showView('search'),
        f: () => actions.showView('search'),
        o: () => actions.showView('outbox'),
        n: () => actions.setPanels({ newSessionOpen: true }),
        ',': () => actions.showView('settings'),
        l: () => {
          actions.showView('ask')
          actions.focusComposer()
        }
      }[event.key.toLowerCase()]
      if (run === undefined) return
      event.preventDefault()
      run()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [actions, platform, railOpen, view])
}
