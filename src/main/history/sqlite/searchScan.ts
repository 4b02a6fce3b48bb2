// Reads the search index: newest shard first, in steps of a few milliseconds, until enough newest matches are known to
// rank. SQLite has no way to interrupt a query here, so every single query is kept short instead.
import type { SearchHit, SearchQuery, SearchResult } from '../../../shared/domain.ts'
import { parseSearch, planClosest, planSearch, scopeExpression, type Clause, type SearchPlan } from '../search/query.ts'
import { matches, rank, snippet } from '../search/rank.ts'
import { STEP_MS, stepTimer, type Steps } from '../steps.ts'
import type { Connection, Statements } from './connection.ts'
import { positionOf, roleToken, rowOf, SHARD_POSITIONS, sessionToken, shardOf, shardTable, SPAN_POSITIONS } from './searchIndex.ts'
import { createSearchRows, type FoundRow, type Positions, type SessionPlace } from './searchRows.ts'

/**
 * The window of newest matches that are ranked against each other. With one thing asked for, what tells them apart is
 * mostly how new they are: a smaller one does, and every row costs two pages.
 */
const WINDOW = 64
const WINDOW_OF_ONE = 48
/** Beyond the window, those in which the words stand close together are looked for, in so many shards at most. */
const CLOSEST = 16
const CLOSEST_SHARDS = 3
/** More sessions of one client than this in one shard are told apart after the match, not in it. */
const MAX_SCOPE_TOKENS = 64

/** Matches fetched at a time, long or short as they are. */
const MAX_BATCH = 512
const MIN_BATCH = 8

export interface SearchScanOptions {
  readonly now: () => number
}

export interface SearchScan {
  search(query: SearchQuery): Steps<SearchResult>
  /** A slice of reading ahead what searches will most likely show; true when there is more to do. */
  warm(): boolean
}

export function createSearchScan(db: Connection, sql: Statements, { now }: SearchScanOptions): SearchScan {
  const rows = createSearchRows(sql)
  const inTransaction = db.transaction((action: () => unknown) => action())

  /** One state of the database, and nothing remembered from another. */
  function inOneRead<T>(action: () => T): T {
    return inTransaction(() => {
      rows.renew()
      return action()
    }) as T
  }

  function placesOf(query: SearchQuery): SessionPlace[] | null {
    if (query.sessionId === undefined && query.clientName === undefined) return null
    // One statement each, so that each uses its index.
    const numbers =
      query.sessionId === undefined
        ? sql<number>('SELECT number FROM sessions WHERE client_name = ?').pluck().all(query.clientName)
        : sql<number>('SELECT number FROM sessions WHERE id = $id AND client_name = ifnull($clientName, client_name)')
            .pluck()
            .all({ id: query.sessionId, clientName: query.clientName ?? null })
    return rows.placesOf(numbers)
  }

  /** The ranges of positions that may hold messages of the dates asked for, newest first; everything without dates. */
  function rangesOf(query: SearchQuery): Positions[] {
    if (query.from === undefined && query.to === undefined) return [{ from: 0, to: Number.MAX_SAFE_INTEGER }]
    const spans = sql<number>('SELECT number FROM spans WHERE to_at >= ? AND from_at <= ? ORDER BY number DESC')
      .pluck()
      .all(query.from ?? 0, query.to ?? Number.MAX_SAFE_INTEGER)
    const ranges: Positions[] = []
    for (const span of spans) {
      const last = ranges.at(-1)
      const from = span * SPAN_POSITIONS
      if (last !== undefined && last.from === from + SPAN_POSITIONS) ranges[ranges.length - 1] = { from, to: last.to }
      else ranges.push({ from, to: from + SPAN_POSITIONS - 1 })
    }
    return ranges
  }

  /** One question to one shard, and the rows it leads to. */
  function ask({ shard, scope, from, to }: Place, { table, match }: SearchPlan, limit: number): { found: FoundRow[]; next: number | null } {
    const name = shardTable(table, shard)
    const expression = table === 'words' ? [match, ...scope.map(scopeExpression)].join(' AND ') : match
    // The newest has the lowest row.
    const positions = sql<number>(`SELECT rowid FROM ${name} WHERE ${name} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?`)
      .pluck()
      .all(expression, rowOf(to), rowOf(from), limit)
      .map((row) => positionOf(shard, row))
    // A full batch may have more behind it; otherwise this place is done.
    const last = positions.at(-1) ?? from
    const next = positions.length < limit || last <= from ? null : last - 1
    return { found: positions.map((position) => rows.row(position)).filter((row) => row !== null), next }
  }

  /** The newest matches, as many as are wanted; its value says whether those are all. */
  function* gather(query: SearchQuery, clauses: readonly Clause[], gathering: Gathering): Steps<boolean> {
    const { plan, wanted, found, below = Number.MAX_SAFE_INTEGER, shardCount = Number.MAX_SAFE_INTEGER } = gathering
    const timeIsUp = stepTimer()
    let sessions: ReadonlySet<number> | null = null
    let places: Place[] | null = null
    let looked = 0
    let longest = MAX_BATCH
    const isWanted = (row: FoundRow): boolean => isAllowed(row, query, sessions) && (!plan.check || matches(row.text, clauses, row.skimmed))

    function findPlaces(): Place[] {
      const where = placesOf(query)
      sessions = where === null ? null : new Set(where.map((session) => session.number))
      const ranges = rangesOf(query)
      const shards = sql<number>('SELECT number FROM shards WHERE number <= ? ORDER BY number DESC LIMIT ?').pluck().all(shardOf(below), shardCount)
      return shards
        .flatMap((shard) => placesIn(shard, ranges, where, query.role))
        .map((place) => ({ ...place, to: Math.min(place.to, below - 1) }))
        .filter((place) => place.from <= place.to)
    }

    /** One batch of the newest place that is left. */
    function askNext(left: Place[], place: Place): void {
      const began = performance.now()
      // As many as are missing; more where most turn out not to be wanted, as long as that is done in a moment.
      const enough = Math.ceil(((wanted - found.length) * (looked + 1)) / (found.length + 1))
      const answer = ask(place, plan, Math.max(MIN_BATCH, Math.min(looked === 0 ? wanted : enough, longest)))
      looked += answer.found.length
      found.push(...answer.found.filter(isWanted))
      longest = performance.now() - began < STEP_MS / 2 ? MAX_BATCH : Math.max(answer.found.length >> 1, MIN_BATCH)
      if (answer.next === null) left.shift()
      else left[0] = { ...place, to: answer.next }
    }

    for (;;) {
      const left = inOneRead(() => {
        places ??= findPlaces()
        for (let [place] = places; place !== undefined && found.length < wanted; [place] = places) {
          askNext(places, place)
          if (timeIsUp()) break
        }
        return places.length
      })
      if (left === 0 || found.length >= wanted) return left === 0 && found.length <= wanted
      yield
    }
  }

  function hitOf(row: FoundRow, clauses: readonly Clause[]): SearchHit | null {
    const session = rows.session(row.session)
    // Removed between two steps.
    if (session === null) return null
    return {
      messageId: row.id,
      sessionId: session.id,
      sessionTitle: session.title,
      clientName: session.clientName,
      role: row.role,
      createdAt: row.createdAt,
      snippet: snippet(row.text, clauses)
    }
  }

  return {
    *search(query) {
      const began = performance.now()
      const clauses = parseSearch(query.text)
      if (clauses.length === 0) return { hits: [], more: false, tookMs: performance.now() - began }
      const found: FoundRow[] = []
      const wanted = clauses.length === 1 ? Math.max(WINDOW_OF_ONE, Math.ceil(1.5 * query.limit)) : Math.max(WINDOW, 2 * query.limit)
      const complete = yield* gather(query, clauses, { plan: planSearch(clauses), wanted, found })
      const newest = found.slice(0, wanted)
      const closest: FoundRow[] = []
      const plan = complete ? null : planClosest(clauses)
      if (plan !== null) {
        const below = newest.at(-1)?.position ?? 0
        yield* gather(query, clauses, { plan, wanted: CLOSEST, found: closest, below, shardCount: CLOSEST_SHARDS })
      }
      const hits = rank([...newest, ...closest.slice(0, CLOSEST)], clauses, now())
        .slice(0, query.limit)
        .map((row) => hitOf(row, clauses))
        .filter((hit) => hit !== null)
      return { hits, more: !complete || found.length > query.limit, tookMs: performance.now() - began }
    },
    warm: () => inOneRead(() => rows.warm(stepTimer()))
  }
}

interface Gathering {
  readonly plan: SearchPlan
  readonly wanted: number
  /** Only messages before this position. */
  readonly below?: number
  /** How many of the newest shards that may hold some. */
  readonly shardCount?: number
  /** Added to, newest first. */
  readonly found: FoundRow[]
}

interface Place extends Positions {
  readonly shard: number
  readonly scope: readonly (readonly string[])[]
}

/** What to ask of one shard: the parts of the ranges that lie in it, narrowed to where the sessions asked for are. */
function placesIn(shard: number, ranges: readonly Positions[], places: readonly SessionPlace[] | null, role: string | undefined): Place[] {
  const first = shard * SHARD_POSITIONS
  const last = first + SHARD_POSITIONS - 1
  const here = places?.filter((place) => place.from <= last && place.to >= first)
  if (here?.length === 0) return []
  const scope: string[][] = []
  if (here !== undefined && here.length <= MAX_SCOPE_TOKENS) scope.push(here.map((place) => sessionToken(place.number)))
  if (role !== undefined) scope.push([roleToken(role)])
  const low = Math.max(first, here === undefined ? 0 : Math.min(...here.map((place) => place.from)))
  const high = Math.min(last, here === undefined ? last : Math.max(...here.map((place) => place.to)))
  return ranges.flatMap((range) => {
    const [from, to] = [Math.max(low, range.from), Math.min(high, range.to)]
    return from > to ? [] : [{ shard, from, to, scope }]
  })
}

function isAllowed(row: FoundRow, query: SearchQuery, sessions: ReadonlySet<number> | null): boolean {
  return (
    (sessions === null || sessions.has(row.session)) &&
    (query.role === undefined || row.role === query.role) &&
    row.createdAt >= (query.from ?? 0) &&
    row.createdAt <= (query.to ?? Number.MAX_SAFE_INTEGER)
  )
}
