// Keeps typed text through reloads: one draft per session and box, in the window's own session storage.

/** The part of the Web Storage interface that is used; it may throw when it is full or switched off. */
export interface DraftStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

export interface Draft {
  readonly text: string
  /** Made at the first attempt to send this text: a second attempt is the same question. */
  readonly turnId: string | null
}

export const emptyDraft: Draft = { text: '', turnId: null }

export interface DraftKeeper {
  read(key: string): Draft
  /** False when the storage refused: the text then lives only as long as the window. */
  keep(key: string, draft: Draft): boolean
}

const PREFIX = 'aside.draft.'

export function createDraftKeeper(storage: DraftStorage): DraftKeeper {
  return {
    read: (key) => {
      const kept = storage.getItem(PREFIX + key)
      if (kept === null) return emptyDraft
      const separator = kept.indexOf('\n')
      return { turnId: kept.slice(0, separator) || null, text: kept.slice(separator + 1) }
    },
    keep: (key, draft) => {
      try {
        if (draft.text === '') storage.removeItem(PREFIX + key)
        else storage.setItem(PREFIX + key, `${draft.turnId ?? ''}\n${draft.text}`)
        return true
      } catch {
        // QuotaExceededError: the caller tells the person; the text itself is still in the store.
        return false
      }
    }
  }
}
