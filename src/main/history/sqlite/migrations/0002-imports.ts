// Step 2: what an import that is under way has added and nobody shall see yet, and what the index still has to read.
import type { Migration } from './migration.ts'

export const imports: Migration = {
  version: 2,
  name: 'imports',
  up: (db) => {
    db.exec(`
      -- Sessions (with all that refers to them) and ledger rows of an import that has not ended. Emptying both ends it.
      CREATE TABLE hidden_sessions (number INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE hidden_ledger (number INTEGER PRIMARY KEY) STRICT;
      -- Ranges of positions, both ends inclusive, that hold imported messages which the search index has not read yet.
      CREATE TABLE unindexed (from_position INTEGER PRIMARY KEY, to_position INTEGER NOT NULL) STRICT;
    `)
  }
}
