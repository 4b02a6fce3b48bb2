// What a reader remembers of messages and sessions it has shown or may show next. A commit of the writer empties SQLite's
// page cache, fifty times a second at worst, though hardly any of them changes a message that was there: this stays.
import type { SearchHit } from '../../../shared/domain.ts'
import { scoredPart, type Candidate } from '../search/rank.ts'
import type { SkimText } from '../search/skim.ts'
import type { Statements } from './connection.ts'

export interface FoundRow extends Candidate {
  readonly position: number
  readonly id: string
  readonly session: number
  readonly role: SearchHit['role']
  readonly skimmed: SkimText
}

export interface FoundSession {
  readonly id: string
  readonly title: string
  readonly clientName: string
}

/** Positions, both ends inclusive. */
export interface Positions {
  readonly from: number
  readonly to: number
}

export interface SessionPlace extends Positions {
  readonly number: number
}

export interface SearchRows {
  /** Call it first in every read transaction: forgets everything when something was changed or removed. */
  renew(): void
  /** Null: not there, or no longer. */
  row(position: number): FoundRow | null
  session(number: number): FoundSession | null
  /** Between which positions the messages of these sessions are; without those that have none. */
  placesOf(numbers: readonly number[]): SessionPlace[]
  /** Reads some of the newest messages ahead; true when there are more to read. */
  warm(isTime: () => boolean): boolean
}

/** Of text in a generation, UTF-16 code units. Two of them are some 25,000 messages, 30 MB. */
const GENERATION_CHARACTERS = 5_000_000
/** The newest messages that are read ahead. */
const WARM_ROWS = 8_192
/** Later messages than this since the last time: where sessions are is found out anew. */
const MAX_LATER = 500
const COLUMNS = 'position, id, session, role, created_at AS createdAt, text'

export function createSearchRows(sql: Statements): SearchRows {
  // Two generations: what was not asked for while the young one filled up goes with the old one.
  let rows = new Map<number, FoundRow>()
  let olderRows = new Map<number, FoundRow>()
  const sessions = new Map<number, FoundSession>()
  const places = new Map<number, SessionPlace>()
  let characters = 0
  let seenChange = -1
  /** Up to this position `places` knows of every message. */
  let placedUpTo = -1
  let warmedDownTo = Number.MAX_SAFE_INTEGER
  let warmed = 0

  function remember(row: FoundRow): FoundRow {
    if (characters > GENERATION_CHARACTERS) {
      olderRows = rows
      rows = new Map()
      characters = 0
    }
    rows.set(row.position, row)
    characters += row.text.length
    return row
  }

  const prepared = (read: Omit<FoundRow, 'skimmed'>): FoundRow => ({ ...read, skimmed: scoredPart(read.text) })

  function session(number: number): FoundSession | null {
    const known = sessions.get(number)
    if (known !== undefined) return known
    const read = sql<FoundSession>('SELECT id, title, client_name AS clientName FROM sessions WHERE number = ?').get(number)
    if (read !== undefined) sessions.set(number, read)
    return read ?? null
  }

  /** The next older message, into memory; false when there is none. */
  function warmNext(): boolean {
    const read = sql<Omit<FoundRow, 'skimmed'> & { readonly indexed: number }>(
      `SELECT ${COLUMNS}, indexed_length AS indexed FROM messages WHERE position < ? ORDER BY position DESC LIMIT 1`
    ).get(warmedDownTo)
    if (read === undefined) return false
    const { indexed, ...row } = read
    warmedDownTo = row.position
    warmed += 1
    // What is not found yet may still be written to, and nobody would be told.
    if (indexed > 0 && !rows.has(row.position)) remember(prepared(row))
    session(row.session)
    return true
  }

  const lastPosition = (): number => sql<number | null>('SELECT max(position) FROM messages').pluck().get() ?? -1

  /** Widens the known places by the messages that came since. */
  function followMessages(): void {
    const later = sql<{ session: number; position: number }>('SELECT session, position FROM messages WHERE position > ? ORDER BY position LIMIT ?')
    const came = places.size === 0 ? [] : later.all(placedUpTo, MAX_LATER)
    if (came.length === MAX_LATER) places.clear()
    for (const { session: number, position } of came) {
      const place = places.get(number)
      if (place !== undefined) places.set(number, { ...place, to: position + 1 })
    }
    placedUpTo = places.size === 0 ? lastPosition() : (came.at(-1)?.position ?? placedUpTo)
  }

  function placeOf(number: number): SessionPlace | null {
    const known = places.get(number)
    if (known !== undefined) return known
    const found = sql<{ low: number | null; high: number | null }>(
      'SELECT (SELECT min(position) FROM messages WHERE session = $number) AS low, (SELECT max(position) FROM messages WHERE session = $number) AS high'
    ).get({ number })
    if (found === undefined || found.low === null || found.high === null) return null
    // The place behind a question is kept for its answer, which may come after later ones of other sessions.
    const place = { number, from: found.low, to: found.high + 1 }
    places.set(number, place)
    return place
  }

  return {
    session,
    placesOf(numbers) {
      followMessages()
      return numbers.map(placeOf).filter((place) => place !== null)
    },
    renew() {
      const change = sql<number>('SELECT count FROM changes').pluck().get() ?? 0
      if (change === seenChange) return
      seenChange = change
      rows.clear()
      olderRows.clear()
      sessions.clear()
      places.clear()
      characters = 0
    },
    row(position) {
      const known = rows.get(position)
      if (known !== undefined) return known
      const older = olderRows.get(position)
      if (older !== undefined) return remember(older)
      const read = sql<Omit<FoundRow, 'skimmed'>>(`SELECT ${COLUMNS} FROM messages WHERE position = ?`).get(position)
      return read === undefined ? null : remember(prepared(read))
    },
    warm(isTime) {
      while (warmed < WARM_ROWS && !isTime()) if (!warmNext()) return false
      return warmed < WARM_ROWS
    }
  }
}
