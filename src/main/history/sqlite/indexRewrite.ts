// Writes the tables of the search index anew, slice by slice: FTS5's secure-delete takes words out of its segments, but the
// keys between their pages may still hold one; segments that are merged have new keys.
import type { Steps } from '../steps.ts'
import type { Connection } from './connection.ts'
import type { Transact } from './core.ts'

/** Pages that a slice merges: about 2 ms. */
const MERGE_PAGES = 32
/** A row that no message has; with it there are two segments at least, so that there is something to merge. */
const MARK = { rowid: -1, word: '0' }

/** Tables of the index; the search index of another format is found as well. */
export function indexTables(db: Connection): string[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%fts5%' ORDER BY name")
    .pluck()
    .all() as string[]
}

export function* rewriteIndex(db: Connection, tables: readonly string[], transact: Transact): Steps<void> {
  const changes = db.prepare('SELECT total_changes()').pluck()
  for (const table of tables) {
    const column = String(db.prepare('SELECT name FROM pragma_table_info(?) WHERE cid = 0').pluck().get(table))
    const merge = db.prepare(`INSERT INTO ${table} (${table}, rank) VALUES ('merge', ?)`)
    transact(() => {
      db.prepare(`INSERT INTO ${table} (rowid, ${column}) VALUES (?, ?)`).run(MARK.rowid, MARK.word)
      // Negative: as if all segments were of one level, so that one is left in the end.
      merge.run(-MERGE_PAGES)
    })
    for (let more = true; more;) {
      yield
      more = transact(() => {
        const before = changes.get() as number
        merge.run(MERGE_PAGES)
        // As FTS5 documents it: fewer than two changes mean that there was nothing to merge.
        return (changes.get() as number) - before >= 2
      })
    }
    transact(() => db.prepare(`INSERT INTO ${table} (${table}, rowid, ${column}) VALUES ('delete', ?, ?)`).run(MARK.rowid, MARK.word))
  }
}
