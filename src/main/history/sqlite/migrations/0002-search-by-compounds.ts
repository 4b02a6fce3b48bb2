// Step 2: a leaner search index that also knows compounds, and a count by which readers learn that what they remember of
// messages and sessions no longer holds.
import { createSearchIndex } from '../searchIndex.ts'
import { statementsOf, type Connection } from '../connection.ts'
import type { Migration } from './migration.ts'

export const searchByCompounds: Migration = {
  version: 2,
  name: 'search by compounds',
  // Shards are made anew with what is in them; one that held only what was removed is not.
  changesCountOf: ['shards'],
  up: (db) => {
    // A message counts once it is indexed: before that nobody has found it. What is added changes nothing that was there.
    db.exec(`
      CREATE TABLE changes (count INTEGER NOT NULL) STRICT;
      INSERT INTO changes (count) VALUES (0);
      CREATE TRIGGER message_unindexed AFTER UPDATE OF indexed_length ON messages WHEN old.indexed_length > 0
        BEGIN UPDATE changes SET count = count + 1; END;
      CREATE TRIGGER message_rewritten AFTER UPDATE OF text, session, role, created_at ON messages WHEN old.indexed_length > 0
        BEGIN UPDATE changes SET count = count + 1; END;
      CREATE TRIGGER message_removed AFTER DELETE ON messages WHEN old.indexed_length > 0
        BEGIN UPDATE changes SET count = count + 1; END;
      CREATE TRIGGER session_renamed AFTER UPDATE OF title, client_name ON sessions
        WHEN old.title <> new.title OR old.client_name <> new.client_name
        BEGIN UPDATE changes SET count = count + 1; END;
      CREATE TRIGGER session_removed AFTER DELETE ON sessions
        BEGIN UPDATE changes SET count = count + 1; END;
    `)
    rebuildIndex(db)
  }
}

interface IndexedRow {
  readonly position: number
  readonly session: number
  readonly role: string
  readonly text: string
  readonly indexed_length: number
}

const PER_READ = 1_000

function rebuildIndex(db: Connection): void {
  const shards = db.prepare<[], number>('SELECT number FROM shards').pluck().all()
  for (const shard of shards) db.exec(`DROP TABLE search_words_${shard}; DROP TABLE search_pairs_${shard};`)
  db.exec('DELETE FROM shards')
  const sql = statementsOf(db)
  const index = createSearchIndex(db, sql, () => undefined)
  const after = sql<IndexedRow>(
    'SELECT position, session, role, text, indexed_length FROM messages WHERE position > ? AND indexed_length > 0 ORDER BY position LIMIT ?'
  )
  for (let rows = after.all(-1, PER_READ); rows.length > 0; rows = after.all(rows.at(-1)?.position, PER_READ)) {
    for (const row of rows) index.add({ ...row, text: row.text.slice(0, row.indexed_length) })
  }
}
