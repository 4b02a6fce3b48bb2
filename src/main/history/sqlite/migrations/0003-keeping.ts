// Step 3: unsent text, and how long each client's messages are kept.
import type { Migration } from './migration.ts'

export const keeping: Migration = {
  version: 3,
  name: 'drafts and retention',
  up: (db) => {
    db.exec(`
      -- place: a session's id, or 'overlay'. turn_id: made at the first attempt to send it; its acceptance removes the draft.
      CREATE TABLE drafts (
        place TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        turn_id TEXT,
        kept_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      -- client_name empty: every client without a rule of its own.
      CREATE TABLE retention (client_name TEXT PRIMARY KEY, days INTEGER NOT NULL CHECK (days > 0)) STRICT, WITHOUT ROWID;
    `)
  }
}
