// Keeps typed text in the encrypted history, shortly after it was typed: a crash of the window or of the machine loses no word.
import type { Draft } from '../../shared/bridge.ts'

export type { Draft } from '../../shared/bridge.ts'

export const emptyDraft: Draft = { text: '', turnId: null }

/** Between the first key that is not kept yet and the call that keeps it: at most this much is lost. */
const KEEP_AFTER_MS = 300

export interface DraftKeeperDependencies {
  /** Resolves when the draft is durable; an empty one is forgotten. */
  readonly send: (key: string, draft: Draft) => Promise<unknown>
  /** Told once when drafts stop being kept, not for every key. */
  readonly onRefused: () => void
}

export interface DraftKeeper {
  read(key: string): Draft
  /** Remembers at once, sends shortly after. */
  keep(key: string, draft: Draft): void
  /** What main holds. Text that was typed here and is not sent yet is newer and stays. */
  load(drafts: Readonly<Record<string, Draft>>): void
  /** A place that is gone: what was about to be sent for it must not bring its text back. */
  forget(key: string): void
  /** Sends now what waits: the window loses the focus, or goes. */
  flush(): void
  /** Flushes and ends. */
  stop(): void
}

export function createDraftKeeper({ send, onRefused }: DraftKeeperDependencies): DraftKeeper {
  let known = new Map<string, Draft>()
  const unsent = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | null = null
  let refused = false

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const keys = [...unsent]
    unsent.clear()
    for (const key of keys) {
      send(key, known.get(key) ?? emptyDraft).then(
        () => {
          refused = false
        },
        () => {
          // The text stays here and goes along with the next change; the person hears of it once.
          if (known.has(key)) unsent.add(key)
          if (!refused) onRefused()
          refused = true
        }
      )
    }
  }

  return {
    read: (key) => known.get(key) ?? emptyDraft,
    keep: (key, draft) => {
      if (draft.text === '') known.delete(key)
      else known.set(key, draft)
      unsent.add(key)
      timer ??= setTimeout(flush, KEEP_AFTER_MS)
    },
    load: (drafts) => {
      const kept = [...known].filter(([key]) => unsent.has(key))
      known = new Map([...Object.entries(drafts).filter(([key]) => !unsent.has(key)), ...kept])
    },
    forget: (key) => {
      known.delete(key)
      unsent.delete(key)
    },
    flush,
    stop: flush
  }
}
