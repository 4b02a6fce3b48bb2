// Unsent text in the database. Callers open the transaction.
import type { Draft } from '../../../shared/bridge.ts'
import type { Core } from './core.ts'

export interface Drafts {
  keep(place: string, draft: Draft): void
  all(): Record<string, Draft>
  /** Its question was accepted, so it is a message now. */
  accepted(turnId: string): void
}

export function createDrafts({ sql, now }: Core): Drafts {
  return {
    keep(place, { text, turnId }) {
      // A window may still be keeping what it has just sent.
      const isSent = turnId !== null && sql('SELECT 1 FROM turns WHERE id = ?').get(turnId) !== undefined
      if (text === '' || isSent) sql('DELETE FROM drafts WHERE place = ?').run(place)
      else
        sql(
          `INSERT INTO drafts (place, text, turn_id, kept_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (place) DO UPDATE SET text = excluded.text, turn_id = excluded.turn_id, kept_at = excluded.kept_at`
        ).run(place, text.toWellFormed(), turnId, now())
    },
    all() {
      const rows = sql<{ place: string; text: string; turnId: string | null }>('SELECT place, text, turn_id AS turnId FROM drafts').all()
      return Object.fromEntries(rows.map(({ place, text, turnId }) => [place, { text, turnId }]))
    },
    accepted: (turnId) => void sql('DELETE FROM drafts WHERE turn_id = ?').run(turnId)
  }
}
