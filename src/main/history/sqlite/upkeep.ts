// What a database needs now and then, in slices of a few milliseconds between the writes: left to SQLite it would all be
// done inside some unlucky commit.
import type { Ballast } from './ballast.ts'
import type { Connection, Statements } from './connection.ts'

export interface Upkeep {
  /** A table of the index has grown by one small segment. */
  grown(table: string): void
  /** A transaction was written. */
  written(): void
  /** It was not: its tables may not even be there. */
  rolledBack(): void
  /** Does one slice; true when there is more to do. */
  tend(): boolean
}

/** Pages of the index that a slice merges: about 2 ms. */
const MERGE_PAGES = 32
/** Commits between two moves of the log into the database. */
const WRITES_PER_CHECKPOINT = 64

export function createUpkeep(db: Connection, sql: Statements, ballast: Ballast): Upkeep {
  const growing = new Set<string>()
  let writes = 0

  const changes = (): number => sql<number>('SELECT total_changes()').pluck().get() ?? 0

  return {
    grown: (table) => void growing.add(table),
    written: () => void (writes += 1),
    rolledBack: () => growing.clear(),
    tend() {
      // First, since a log that keeps growing costs room.
      if (writes >= WRITES_PER_CHECKPOINT) {
        writes = 0
        db.pragma('wal_checkpoint(PASSIVE)')
        return true
      }
      for (const table of growing) {
        const before = changes()
        sql(`INSERT INTO ${table} (${table}, rank) VALUES ('merge', ?)`).run(MERGE_PAGES)
        // As FTS5 documents it: fewer than two changes mean that there was nothing to merge.
        if (changes() - before < 2) growing.delete(table)
        else return true
      }
      ballast.restore()
      return false
    }
  }
}
