// Gives the window's store to its components: a selector each, so that a token of one answer renders one answer.
import { createContext, useContext, type ReactNode } from 'react'
import { useStore } from 'zustand'
import { useShallow } from 'zustand/react/shallow'
import type { LinkStatus } from '../../shared/domain.ts'
import type { Actions } from './actions.ts'
import type { Mirror } from './mirror.ts'
import type { AppState, LocalState } from './model.ts'
import type { AppStore } from './store.ts'

const StoreContext = createContext<AppStore | null>(null)

export function StoreProvider({ store, children }: { readonly store: AppStore; readonly children: ReactNode }): ReactNode {
  return <StoreContext value={store}>{children}</StoreContext>
}

export function useAppStore(): AppStore {
  const store = useContext(StoreContext)
  if (store === null) throw new Error('A component that needs the store stands outside StoreProvider')
  return store
}

export function useApp<T>(select: (state: AppState) => T): T {
  return useStore(useAppStore(), select)
}

/** For components that are shown only after the first snapshot. */
export function useMirror<T>(select: (mirror: Mirror) => T): T {
  return useApp((state) => {
    if (state.mirror === null) throw new Error('useMirror before the first snapshot')
    return select(state.mirror)
  })
}

/** Like `useMirror` for selectors that build an array or object of stable parts. */
export function useMirrorShallow<T>(select: (mirror: Mirror) => T): T {
  return useMirror(useShallow(select))
}

export function useLocal<T>(select: (local: LocalState) => T): T {
  return useApp((state) => select(state.local))
}

/** The link as it is shown: short trouble stays unseen. */
export function useLink(): LinkStatus {
  const settled = useLocal((local) => local.link)
  const link = useMirror((mirror) => mirror.link)
  return settled ?? link
}

export function useActions(): Actions {
  return useAppStore().actions
}
