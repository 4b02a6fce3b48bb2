// One store per window: the mirror, the window's own state, and the actions on both.
import { createStore } from 'zustand/vanilla'
import type { NewId, Random } from '../../shared/kit/clock.ts'
import type { BridgeClient } from '../bridge.ts'
import { text } from '../text/text.ts'
import { createActions, type Actions } from './actions.ts'
import { createDraftKeeper } from './drafts.ts'
import type { FrameScheduler } from './frame.ts'
import { createLoader } from './loader.ts'
import { wasRemoved, type Mirror } from './mirror.ts'
import { initialLocal, OVERLAY_BOX, type AppState, type LocalState } from './model.ts'
import { createLinkSettler } from './settledLink.ts'
import { createSync } from './sync.ts'

/** Which session was open, through a reload of the page; never what was typed. */
export interface WindowPlace {
  read(): string | null
  write(sessionId: string | null): void
}

export interface StoreDependencies {
  readonly frames: FrameScheduler
  readonly place: WindowPlace
  readonly newId: NewId
  readonly random: Random
}

/** Read-only to the user interface: it subscribes, and changes things by actions. */
export interface AppStore {
  getState(): AppState
  getInitialState(): AppState
  subscribe(listener: (state: AppState, previous: AppState) => void): () => void
  readonly actions: Actions
  readonly bridge: BridgeClient
  /** Begins to listen and asks for the first snapshot. Whoever starts it stops it. */
  start(): void
  stop(): void
}

/** The store of a window over its bridge. Nothing runs until `start()`. */
export function createAppStore(bridge: BridgeClient, { frames, place, newId, random }: StoreDependencies): AppStore {
  const store = createStore<AppState>(() => ({ mirror: null, startError: null, local: initialLocal }))
  const read = (): AppState => store.getState()
  const readMirror = (): Mirror | null => store.getState().mirror
  const writeMirror = (mirror: Mirror): void => {
    if (mirror !== store.getState().mirror) store.setState({ mirror })
  }
  const setLocal = (change: Partial<LocalState>): void => {
    const { local } = store.getState()
    store.setState({ local: { ...local, ...change } })
    if (change.selectedSessionId !== undefined && change.selectedSessionId !== local.selectedSessionId) place.write(change.selectedSessionId)
  }
  const drafts = createDraftKeeper({
    send: (key, draft) => bridge.call('drafts.keep', { key, ...draft }),
    onRefused: () => actions.note('warning', text.errors.draftNotKept)
  })
  const settler = createLinkSettler((link) => setLocal({ link }))
  const loader = createLoader({ bridge, read: readMirror, write: writeMirror })
  const sync = createSync({
    bridge,
    frames,
    random,
    read: readMirror,
    write: (mirror) => {
      const old = store.getState().mirror
      store.setState({ mirror, startError: null })
      if (mirror.link !== old?.link) settler.update(mirror.link)
      if (old !== null && mirror.sessions !== old.sessions) for (const id of Object.keys(old.sessions)) if (wasRemoved(mirror, id)) drafts.forget(id)
    },
    onSnapshot: (snapshot, replaced) => {
      drafts.load(snapshot.drafts)
      if (snapshot.desktop.locked) return
      if (replaced) {
        loader.reset()
        void actions.enterHistory().then(selectFirst)
        return
      }
      void actions.loadOutbox()
      selectFirst()
    },
    onFailure: (error) => store.setState({ startError: error.message }),
    onCommand: (command) => actions.runCommand(command),
    onTorn: (torn) => loader.repair(torn, store.getState().local.selectedSessionId)
  })
  const actions = createActions({
    bridge,
    loader,
    drafts,
    newId,
    read,
    setLocal,
    writeMirror,
    retrySnapshot: () => sync.retry(),
    boxOf: (local) => (bridge.window === 'overlay' ? OVERLAY_BOX : (local.selectedSessionId ?? OVERLAY_BOX))
  })

  /** After a start, a reload or another history: the session that was open, else where the overlay asks, else the newest. */
  function selectFirst(): void {
    const { mirror, local } = store.getState()
    if (mirror === null || local.selectedSessionId !== null) return
    const remembered = place.read()
    const newest = Object.values(mirror.sessions).sort((a, b) => b.lastActivityAt - a.lastActivityAt)[0]?.id ?? null
    const overlaySession = mirror.overlaySessionId
    if (bridge.window === 'overlay') {
      actions.restoreDraft(OVERLAY_BOX)
      if (overlaySession !== null) actions.openSession(overlaySession)
      return
    }
    actions.openSession(remembered !== null && mirror.sessions[remembered] !== undefined ? remembered : newest)
  }

  return {
    getState: store.getState,
    getInitialState: store.getInitialState,
    subscribe: store.subscribe,
    actions,
    bridge,
    start: () => sync.start(),
    stop: () => {
      drafts.stop()
      settler.stop()
      sync.stop()
      loader.stop()
    }
  }
}
