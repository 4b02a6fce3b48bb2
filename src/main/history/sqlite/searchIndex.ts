// Writes the search index: contentless FTS5 tables that hold the analysed words of every message, cut into shards by
// position. A shard bounds what the slowest query (a short prefix, a phrase of common words) can cost in one step.
import { commonPair, tokensOf } from '../search/words.ts'
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

export function shardTable(shard: number): string {
  return `search_${shard}`
}
export function shardOf(position: number): number {
  return Math.floor(position / SHARD_POSITIONS)
}
export function sessionToken(session: number): string {
  return `s${session}`
}
export function roleToken(role: string): string {
  return `r${role}`
}

export function createSearchIndex(db: Connection, sql: Statements): SearchIndex {
  const known = new Set<number>()

  function tableFor(position: number): string {
    const shard = shardOf(position)
    const table = shardTable(shard)
    if (known.has(shard)) return table
    if (sql('SELECT 1 FROM shards WHERE number = ?').get(shard) === undefined) {
      // The words come analysed and parted by spaces, so the plainest tokenizer serves. Ranking has its own figures: no
      // column sizes. secure-delete: what is removed is really gone from the index.
      db.exec(
        `CREATE VIRTUAL TABLE ${table} USING fts5(words, pairs, scope, content = '', columnsize = 0, tokenize = 'ascii', prefix = '2 3');
         INSERT INTO ${table} (${table}, rank) VALUES ('secure-delete', 1);`
      )
      sql('INSERT INTO shards (number) VALUES (?)').run(shard)
      // Inside a transaction that may yet be rolled back, so it is known only from the next time on.
      return table
    }
    known.add(shard)
    return table
  }

  return {
    add(message) {
      const table = tableFor(message.position)
      sql(`INSERT INTO ${table} (rowid, words, pairs, scope) VALUES (?, ?, ?, ?)`).run(message.position, ...columnsOf(message))
    },
    remove(message) {
      const table = tableFor(message.position)
      sql(`INSERT INTO ${table} (${table}, rowid, words, pairs, scope) VALUES ('delete', ?, ?, ?, ?)`).run(message.position, ...columnsOf(message))
    },
    noteTime(position, at) {
      sql(
        `INSERT INTO spans (number, from_at, to_at) VALUES (?, ?, ?)
         ON CONFLICT (number) DO UPDATE SET from_at = min(from_at, excluded.from_at), to_at = max(to_at, excluded.to_at)`
      ).run(Math.floor(position / SPAN_POSITIONS), at, at)
    }
  }
}

function columnsOf({ text, session, role }: Indexed): [string, string, string] {
  const tokens = tokensOf(text)
  const pairs = tokens.flatMap((token, at) => commonPair(tokens[at - 1] ?? '', token) ?? [])
  return [tokens.join(' '), [...new Set(pairs)].join(' '), `${sessionToken(session)} ${roleToken(role)}`]
}
