// Unsent text on its way to the history: while one write goes on only the newest text of each place waits for the next.
import type { Draft } from '../../shared/bridge.ts'
import type { History } from './history.ts'

export interface DraftKeeper {
  /** Resolves when this text, or one that came after it for the same place, is durable. */
  keep(place: string, draft: Draft): Promise<void>
  /** With those that are still on their way. */
  all(): Promise<Record<string, Draft>>
  /** Waits for what is on its way. */
  flush(): Promise<void>
}

export function createDraftKeeper(history: Pick<History, 'keepDraft' | 'drafts'>): DraftKeeper {
  const waiting = new Map<string, Draft>()
  let writing: Promise<void> = Promise.resolve()

  async function writeWaiting(): Promise<void> {
    for (const [place, draft] of waiting) {
      waiting.delete(place)
      try {
        await history.keepDraft(place, draft)
      } catch (error) {
        // Not lost while the window lives: the next one that comes takes its place, or it is tried again with it.
        if (!waiting.has(place)) waiting.set(place, draft)
        throw error
      }
    }
  }

  return {
    keep(place, draft) {
      waiting.set(place, draft)
      const turn = writing.then(writeWaiting)
      writing = turn.catch(() => undefined)
      return turn
    },
    async all() {
      const kept = { ...(await history.drafts()) }
      for (const [place, draft] of waiting) kept[place] = draft
      return Object.fromEntries(Object.entries(kept).filter(([, { text }]) => text !== ''))
    },
    flush: () => writing
  }
}
