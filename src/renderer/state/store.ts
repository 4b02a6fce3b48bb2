// One store per window: the mirror, the window's own state, and the actions on both.
import { createStore } from 'zustand/vanilla'
import type { NewId, Random } from '../../shared/kit/clock.ts'
import type { BridgeClient } from '../bridge.ts'
import { createActions, type Actions } from './actions.ts'
import { createDraftKeeper, type DraftStorage } from './drafts.ts'
import type { FrameScheduler } from './frame.ts'
import { createLoader } from './loader.ts'
import type { Mirror } from './mirror.ts'
import { draftKey, initialLocal, type AppState, type LocalState } from './model.ts'
import { createSync } from './sync.ts'

export interface StoreDependencies {
  readonly frames: FrameScheduler
  readonly storage: DraftStorage
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

const SELECTED_KEY = 'aside.selected'

/** The store of a window over its bridge. Nothing runs until `start()`. */
export function createAppStore(bridge: BridgeClient, { frames, storage, newId, random }: StoreDependencies): AppStore {
  const store = createStore<AppState>(() => ({ mirror: null, startError: null, local: initialLocal }))
  const read = (): AppState => store.getState()
  const readMirror = (): Mirror | null => store.getState().mirror
  const writeMirror = (mirror: Mirror): void => {
    if (mirror !== store.getState().mirror) store.setState({ mirror })
  }
  const drafts = createDraftKeeper(storage)
  const setLocal = (change: Partial<LocalState>): void => {
    const { local } = store.getState()
    store.setState({ local: { ...local, ...change } })
    if (change.selectedSessionId !== undefined && change.selectedSessionId !== local.selectedSessionId) {
      if (change.selectedSessionId === null) storage.removeItem(SELECTED_KEY)
      else storage.setItem(SELECTED_KEY, change.selectedSessionId)
    }
  }
  const loader = createLoader({ bridge, read: readMirror, write: writeMirror })
  const sync = createSync({
    bridge,
    frames,
    random,
    read: readMirror,
    write: (mirror) => {
      const first = store.getState().mirror === null
      store.setState({ mirror, startError: null })
      if (first) selectFirst(mirror)
    },
    onFailure: (error) => store.setState({ startError: error.message }),
    onCommand: (command) => actions.runCommand(command),
    onTorn: (torn) => loader.repair(torn, store.getState().local.selectedSessionId)
  })
  const actions = createActions({ bridge, loader, drafts, newId, read, setLocal, writeMirror, retrySnapshot: () => sync.retry() })

  /** After a start or a reload: the session that was open, else where the overlay asks, else the newest. */
  function selectFirst(mirror: Mirror): void {
    if (store.getState().local.selectedSessionId !== null) return
    const remembered = storage.getItem(SELECTED_KEY)
    const newest = Object.values(mirror.sessions).sort((a, b) => b.lastActivityAt - a.lastActivityAt)[0]?.id ?? null
    const overlaySession = mirror.overlaySessionId
    if (bridge.window === 'overlay') {
      actions.restoreDraft(draftKey(null))
      if (overlaySession !== null) actions.selectSession(overlaySession)
      return
    }
    actions.selectSession(remembered !== null && mirror.sessions[remembered] !== undefined ? remembered : newest)
  }

  return {
    getState: store.getState,
    getInitialState: store.getInitialState,
    subscribe: store.subscribe,
    actions,
    bridge,
    start: () => sync.start(),
    stop: () => {
      sync.stop()
      loader.stop()
    }
  }
}
