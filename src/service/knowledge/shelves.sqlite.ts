// The shelves that a question may look at: the pack, its organisation's documents for everybody, and those of its client. Each has
// its own word index; what is on another shelf is neither read nor counted.
import { LRUCache } from 'lru-cache'
import type { Database } from '../store/database.ts'
import type { Passage } from '../providers/provider.ts'
import { clientKey, type Scope } from './client.ts'
import { indexName } from './documents.sqlite.ts'
import type { Candidate } from './relevance.ts'
import { nearestStems, type Near } from './spelling.ts'

export interface Shelf {
  /** `PACK_SHELF`, or a number from 1. */
  readonly id: number
  /** Passages on it. */
  readonly count: number
  /** The passages with the phrase, scored by BM25 over this shelf, higher is better; of many the best. */
  hits(phrase: string): Hits
  /** Whether this passage has the phrase. */
  has(phrase: string, passageId: string): boolean
  /** What a word that is nowhere may have been meant to be; nothing where its words are too many to look at. */
  near(word: string): Near
  /** Null: it is not on this shelf. */
  candidate(id: string): Candidate | null
  /** Null: it is not on this shelf. */
  passage(id: string): Omit<Passage, 'relevance'> | null
}

interface Hits {
  readonly total: number
  readonly rows: readonly { readonly candidate: Candidate; readonly score: number }[]
  /** It is in so many that only some are here, and all with the same score. */
  readonly isCommon: boolean
}

interface HitRow {
  passage_id: number
  slug: string
  provider: string
  heading: string
  ordinal: number
  score: number
}

interface ArticleRow {
  slug: string
  ordinal: number
  heading: string
  body: string
  source: string
  url: string
  as_of: string
  title: string
  provider: string
  topic: string
}

interface DocumentRow {
  document_id: string
  ordinal: number
  heading: string
  body: string
  place: string
  name: string
  as_of: string
}

export const PACK_SHELF = 0
/** Begins the ids of the pack's passages; those of documents begin with the number of their shelf. */
export const PACK = 'pack:'
/** Of a word in many passages the best are enough. */
const MOST_HITS = 400
/** `bm25()` takes 7 µs a passage: words in more than this many are only looked for where rarer ones are. */
const COMMON = 2_000
/** The words of a larger shelf take too long to look through. */
const MOST_FOR_STEMS = 20_000
/** A misspelt word is looked for among those that begin as it does. */
const SURE_LETTERS = 2
/** Rows of each kind that are remembered of the pack: some megabytes. */
const MOST_REMEMBERED = 20_000
/** Passages of a document that count as one article: a long one as a whole would cover any question. */
const PART = 6

export interface Shelves {
  open(scope: Scope | undefined): Shelf[]
  /** The pack was changed, within the same tick: what is remembered of it is no longer so. */
  packChanged(): void
}

export function createShelves(database: Database): Shelves {
  const readPack = packShelf(database)
  let pack: Shelf | null = null
  const ownShelf = (shelf: Shelf): Shelf => ({
    ...shelf,
    hits(phrase) {
      const { rows, ...rest } = shelf.hits(phrase)
      return { ...rest, rows: rows.map(({ candidate, score }) => ({ candidate: { ...candidate, isOwn: true }, score })) }
    },
    candidate(id) {
      const candidate = shelf.candidate(id)
      return candidate === null ? null : { ...candidate, isOwn: true }
    }
  })
  const selectShelf = database.prepare<[string, string], number>('SELECT shelf_id FROM knowledge_shelf WHERE organisation = ? AND client = ?').pluck()
  const shelves = new Map<number, () => Shelf>()
  const shelfOf = (organisation: string, client: string): Shelf[] => {
    const id = selectShelf.get(organisation, client)
    if (id === undefined) return []
    const make = shelves.get(id) ?? documentShelf(database, id)
    shelves.set(id, make)
    return [make()]
  }
  return {
    open(scope) {
      pack ??= remembering(readPack())
      if (scope === undefined) return [pack]
      const client = clientKey(scope.client)
      return [pack, ...shelfOf(scope.organisation, ''), ...(client === '' ? [] : shelfOf(scope.organisation, client).map(ownShelf))]
    },
    packChanged: () => (pack = null)
  }
}

/** Everybody asks the pack about the same things; looking up a word takes 50 µs, and a question has many. */
function remembering(shelf: Shelf): Shelf {
  return {
    ...shelf,
    near: remember(shelf.near, ({ stems }) => stems.length),
    hits: remember(shelf.hits, ({ rows }) => rows.length),
    passage: remember(shelf.passage, () => 1)
  }
}

/** `sizeOf`: how many rows a result holds. */
function remember<T>(find: (key: string) => T, sizeOf: (value: T) => number): (key: string) => T {
  const known = new LRUCache<string, { readonly value: T }>({ maxSize: MOST_REMEMBERED, sizeCalculation: ({ value }) => sizeOf(value) + 1 })
  return (key) => {
    const kept = known.get(key)
    if (kept !== undefined) return kept.value
    const value = find(key)
    known.set(key, { value })
    return value
  }
}

/** How much finding a word says, as FTS5's bm25() has it. */
export function idf(found: number, passages: number): number {
  return Math.max(1e-6, Math.log((passages - found + 0.5) / (found + 0.5)))
}

function packShelf(database: Database): () => Shelf {
  // FTS5's bm25() is negative, better is smaller. Columns: title, heading, tags, body.
  const selectHits = database.prepare<[string], HitRow>(`
    SELECT p.passage_id, p.slug, a.provider, p.heading, p.ordinal, -bm25(passage_index, 4.0, 2.5, 2.5, 1.0) AS score
    FROM passage_index JOIN passage p ON p.passage_id = passage_index.rowid JOIN article a ON a.slug = p.slug
    WHERE passage_index MATCH ?`)
  const selectPassage = database.prepare<[string], ArticleRow>(
    `SELECT p.*, a.title, a.provider, a.topic FROM passage p JOIN article a ON a.slug = p.slug WHERE p.passage_id = ?`
  )
  const count = database.prepare<[], number>('SELECT count(*) FROM passage').pluck()
  const stemsLike = stemsOf(database, 'passage_index')
  return () => ({
    id: PACK_SHELF,
    count: count.get() ?? 0,
    near: (word) => nearestStems(word, stemsLike(word)),
    hits(phrase) {
      const rows = selectHits.all(phrase).map(({ passage_id: id, slug, provider, heading, ordinal, score }) => ({
        candidate: { passageId: `${PACK}${id}`, slug, provider, heading, isOpening: ordinal === 0, isOwn: false },
        score
      }))
      return { total: rows.length, rows, isCommon: false }
    },
    has: () => false,
    candidate(id) {
      const row = id.startsWith(PACK) ? selectPassage.get(id.slice(PACK.length)) : undefined
      if (row === undefined) return null
      const { slug, provider, heading, ordinal } = row
      return { passageId: id, slug, provider, heading, isOpening: ordinal === 0, isOwn: false }
    },
    passage(id) {
      const row = id.startsWith(PACK) ? selectPassage.get(id.slice(PACK.length)) : undefined
      if (row === undefined) return null
      const { slug, ordinal, title, heading, body, provider, topic, source, url, as_of: date } = row
      return { id: `${slug}#${ordinal}`, slug, title, heading, text: body, provider, topic, source, url, date }
    }
  })
}

function documentShelf(database: Database, shelf: number): () => Shelf {
  const index = indexName(shelf)
  const prefix = `${shelf}:`
  // Columns: title, heading, body. `+ 0`: a bare LIMIT has SQLite compile the statement again for every value (agent/conversation.sqlite.ts).
  const selectHits = database.prepare<[string, number], HitRow>(`
    SELECT p.passage_id, p.document_id AS slug, 'general' AS provider, p.heading, p.ordinal, -bm25(${index}, 4.0, 2.5, 1.0) AS score
    FROM ${index} JOIN document_passage p ON p.passage_id = ${index}.rowid
    WHERE ${index} MATCH ? ORDER BY score DESC, p.passage_id LIMIT ? + 0`)
  const selectSome = database.prepare<[string, number], HitRow>(`
    SELECT p.passage_id, p.document_id AS slug, 'general' AS provider, p.heading, p.ordinal, 1.0 AS score
    FROM (SELECT rowid FROM ${index} WHERE ${index} MATCH ? ORDER BY rowid DESC LIMIT ? + 0) hit JOIN document_passage p ON p.passage_id = hit.rowid`)
  // A number is bound as a REAL, and FTS5 takes a row id of that type for none at all.
  const selectHas = database.prepare<[string, string], number>(`SELECT 1 FROM ${index} WHERE ${index} MATCH ? AND rowid = CAST(? AS INTEGER)`).pluck()
  const countHits = database.prepare<[string], number>(`SELECT count(*) FROM ${index} WHERE ${index} MATCH ?`).pluck()
  const selectPassage = database.prepare<[string, number], DocumentRow>(`
    SELECT p.*, d.name, d.as_of FROM document_passage p JOIN document d ON d.document_id = p.document_id
    WHERE p.passage_id = ? AND d.shelf_id = ?`)
  const count = database
    .prepare<[number], number>(`SELECT count(*) FROM document_passage p JOIN document d ON d.document_id = p.document_id WHERE d.shelf_id = ?`)
    .pluck()
  const stemsLike = stemsOf(database, index)
  const openAt = (passages: number): Shelf => ({
    id: shelf,
    count: passages,
    near: (word) => nearestStems(word, passages > MOST_FOR_STEMS ? [] : stemsLike(word)),
    hits(phrase) {
      const total = countHits.get(phrase) ?? 0
      const isCommon = total > COMMON
      const flat = isCommon ? idf(total, passages) : 0
      const found = (isCommon ? selectSome : selectHits)
        .all(phrase, MOST_HITS)
        .map(({ passage_id: id, slug, provider, heading, ordinal, score }) => ({
          candidate: { passageId: `${prefix}${id}`, slug: partOf(slug, ordinal), provider, heading, isOpening: false, isOwn: false },
          score: isCommon ? flat : score
        }))
      return { total, rows: found, isCommon }
    },
    has: (phrase, id) => id.startsWith(prefix) && selectHas.get(phrase, id.slice(prefix.length)) !== undefined,
    candidate(id) {
      const row = id.startsWith(prefix) ? selectPassage.get(id.slice(prefix.length), shelf) : undefined
      if (row === undefined) return null
      const { document_id: slug, heading, ordinal } = row
      return { passageId: id, slug: partOf(slug, ordinal), provider: 'general', heading, isOpening: false, isOwn: false }
    },
    passage(id) {
      const row = id.startsWith(prefix) ? selectPassage.get(id.slice(prefix.length), shelf) : undefined
      return row === undefined ? null : passageOf(row)
    }
  })
  return () => openAt(count.get(shelf) ?? 0)
}

function partOf(document: string, ordinal: number): string {
  return `${document}/${Math.trunc(ordinal / PART)}`
}

/** The words of an index, as FTS5 holds them, that begin as a word does. */
function stemsOf(database: Database, index: string): (word: string) => Iterable<string> {
  database.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS temp.stems_of_${index} USING fts5vocab (main, ${index}, row)`)
  const select = database.prepare<[string, string], string>(`SELECT term FROM temp.stems_of_${index} WHERE term >= ? AND term < ?`).pluck()
  return (word) => {
    const beginning = word.slice(0, SURE_LETTERS)
    return select.iterate(beginning, `${beginning}\u{10FFFF}`)
  }
}

function passageOf({ document_id: slug, ordinal, name, heading, body, place, as_of: date }: DocumentRow): Omit<Passage, 'relevance'> {
  const source = [name, place === '' ? heading : place].filter((part) => part !== '').join(', ')
  const title = name.split('/').at(-1) ?? name
  return { id: `${slug}#${ordinal}`, slug, title, heading, text: body, provider: 'general', topic: '', source, url: '', date }
}
