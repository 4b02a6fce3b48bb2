// Writes the search index: contentless FTS5 tables that hold the analysed words of every message, cut into shards by
// position. A shard bounds what the slowest query (a short prefix, a phrase of common words) can cost in one step.
import { analyse, pairOf } from '../search/words.ts'
import type { Connection, Statements } from './connection.ts'

/** Positions per shard; part of the database's format. */
export const SHARD_POSITIONS = 131_072
/** Positions per span, the grain of date filters; part of the database's format. */
export const SPAN_POSITIONS = 1_024

export interface Indexed {
  readonly position: number
  readonly session: number
  readonly role: string
  /** What the index holds or shall hold: the text, or the beginning of it that was there. */
  readonly text: string
}

export interface SearchIndex {
  add(message: Indexed): void
  /** Needs the text as it was added: the index itself keeps none. */
  remove(message: Indexed): void
  /** Notes when a message was written, for date filters. */
  noteTime(position: number, at: number): void
}

/** `words`: every word in its place, and whose it is. `pairs`: which pairs of neighbours with a common word occur. */
export type IndexTable = 'words' | 'pairs'
export function shardTable(table: IndexTable, shard: number): string {
  return `search_${table}_${shard}`
}
export function shardOf(position: number): number {
  return Math.floor(position / SHARD_POSITIONS)
}
/**
 * A position's row in its shard, and back: the newest has the lowest number, since FTS5 goes up a list much quicker than down.
 * Part of the database's format.
 */
export function rowOf(position: number): number {
  return SHARD_POSITIONS - 1 - (position % SHARD_POSITIONS)
}
export function positionOf(shard: number, row: number): number {
  return shard * SHARD_POSITIONS + SHARD_POSITIONS - 1 - row
}
// Words hold letters and digits only, so the dot keeps apart what is said of a message from what it says.
export function sessionToken(session: number): string {
  return `·s${session}`
}
export function roleToken(role: string): string {
  return `·r${role}`
}

/** `grown` hears of each table that was written to. */
export function createSearchIndex(db: Connection, sql: Statements, grown: (table: string) => void): SearchIndex {
  const known = new Set<number>()

  /** Makes the shard's tables when its first message comes. */
  function ensureShard(shard: number): void {
    if (known.has(shard)) return
    if (sql('SELECT 1 FROM shards WHERE number = ?').get(shard) !== undefined) {
      known.add(shard)
      return
    }
    // The words come analysed and parted by spaces, so the plainest tokenizer serves. Ranking has its own figures: no
    // column sizes. One column, since a query that names one of several has to look at every place of every word.
    // secure-delete: what is removed is really gone from the index. automerge: upkeep merges, not a commit. usermerge: as
    // few segments as can be, for every query has to look into each of them.
    const [words, pairs] = [shardTable('words', shard), shardTable('pairs', shard)]
    db.exec(
      `CREATE VIRTUAL TABLE ${words} USING fts5(words, content = '', columnsize = 0, tokenize = 'ascii', prefix = '2 3 4');
       CREATE VIRTUAL TABLE ${pairs} USING fts5(pairs, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
       ${[words, pairs].map((table) => `INSERT INTO ${table} (${table}, rank) VALUES ('secure-delete', 1), ('automerge', 0), ('usermerge', 2);`).join('')}`
    )
    sql('INSERT INTO shards (number) VALUES (?)').run(shard)
    // The transaction may yet be rolled back, so the shard is known only from the next time on.
  }

  return {
    add(message) {
      const { position } = message
      const shard = shardOf(position)
      ensureShard(shard)
      const { words, pairs } = columnsOf(message)
      const [wordTable, pairTable] = [shardTable('words', shard), shardTable('pairs', shard)]
      sql(`INSERT INTO ${wordTable} (rowid, words) VALUES (?, ?)`).run(rowOf(position), words)
      sql(`INSERT INTO ${pairTable} (rowid, pairs) VALUES (?, ?)`).run(rowOf(position), pairs)
      grown(wordTable)
      grown(pairTable)
    },
    remove(message) {
      const { position } = message
      const { words, pairs } = columnsOf(message)
      const [wordTable, pairTable] = [shardTable('words', shardOf(position)), shardTable('pairs', shardOf(position))]
      sql(`INSERT INTO ${wordTable} (${wordTable}, rowid, words) VALUES ('delete', ?, ?)`).run(rowOf(position), words)
      sql(`INSERT INTO ${pairTable} (${pairTable}, rowid, pairs) VALUES ('delete', ?, ?)`).run(rowOf(position), pairs)
    },
    noteTime(position, at) {
      sql(
        `INSERT INTO spans (number, from_at, to_at) VALUES (?, ?, ?)
         ON CONFLICT (number) DO UPDATE SET from_at = min(from_at, excluded.from_at), to_at = max(to_at, excluded.to_at)`
      ).run(Math.floor(position / SPAN_POSITIONS), at, at)
    }
  }
}

/** Behind the words, each parted by a dot so that no phrase reaches over: whose the message is, and its compounds as one word. */
function columnsOf({ text, session, role }: Indexed): { readonly words: string; readonly pairs: string } {
  const { tokens, compounds } = analyse(text)
  const pairs = new Set(tokens.flatMap((token, at) => (at === 0 ? null : pairOf(tokens[at - 1] ?? '', token)) ?? []))
  const behind = [...compounds].map((compound) => ` · ${compound}`).join('')
  return { words: `${tokens.join(' ')} ${sessionToken(session)} ${roleToken(role)}${behind}`, pairs: [...pairs].join(' ') }
}
