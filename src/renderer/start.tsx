// Starts a window: bridge, store, React. The only place that touches the page's globals.
import './csp.ts'
import '@fontsource-variable/atkinson-hyperlegible-next/wght.css'
import '@fontsource-variable/atkinson-hyperlegible-next/wght-italic.css'
import '@fontsource-variable/atkinson-hyperlegible-mono/wght.css'
import './ui/tokens.css'
import './ui/base.css'
import './ui/ui.css'
import './ui/floating.css'
import './markdown/markdown.css'
import './features/ask/ask.css'
import './features/ask/sources.css'
import './features/ask/composer.css'
import './features/shell/window.css'
import { StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { v7 } from 'uuid'
import { createBridge } from './bridge.ts'
import { Window } from './features/shell/Window.tsx'
import { StoreProvider } from './state/context.tsx'
import { browserFrames } from './state/frame.ts'
import { createAppStore, type WindowPlace } from './state/store.ts'
import { applySystemLook } from './ui/theme.ts'

/** The page's own history entry lasts through a reload and no longer. */
function placeInHistory(): WindowPlace {
  return {
    read: () => {
      const state: unknown = window.history.state
      return typeof state === 'string' ? state : null
    },
    write: (sessionId) => window.history.replaceState(sessionId, '')
  }
}

/** Runs until the page goes away, which ends everything it started. */
export function startWindow(content: ReactNode): void {
  const root = document.getElementById('root')
  if (root === null) throw new Error('The page has no #root')
  applySystemLook(document.documentElement)
  const store = createAppStore(createBridge(window.aside), { frames: browserFrames(), place: placeInHistory(), newId: v7, random: Math.random })
  store.start()
  window.addEventListener('blur', store.actions.flushDrafts)
  window.addEventListener('pagehide', () => store.stop(), { once: true })
  createRoot(root).render(
    <StrictMode>
      <StoreProvider store={store}>
        <Window>{content}</Window>
      </StoreProvider>
    </StrictMode>
  )
}
