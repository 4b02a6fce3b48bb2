// Which of the newest matches comes first, and the piece of text that shows why. Pure: the index finds, this decides.
import type { SearchHit } from '../../../shared/domain.ts'
import { firstCodes, matchLength, type Clause } from './query.ts'
import { words } from './words.ts'

/** Code units of a message that are read for its score: enough to judge, bounded whatever its length. */
const SCORED_LENGTH = 3_000
const SNIPPET_LENGTH = 160
const LEAD = 48
const DAY_MS = 86_400_000
/** After this many days the bonus for being new is half. */
const HALF_LIFE_DAYS = 30
const RECENCY_WEIGHT = 0.6
const PROXIMITY_WEIGHT = 0.8
/** BM25's customary constants (Robertson and Zaragoza, 2009), with the average length of a message in this product. */
const K1 = 1.2
const B = 0.75
const AVERAGE_WORDS = 60

export interface Range {
  readonly start: number
  readonly end: number
}

export interface Found {
  /** What matched, in order, without overlaps. */
  readonly ranges: readonly Range[]
  /** How often each clause occurs. */
  readonly counts: readonly number[]
  /** Words between the first places of the clauses: small when they belong together. */
  readonly spread: number
  readonly wordCount: number
}

/** Looks for the clauses in a text; `upTo` bounds the work. */
export function find(text: string, clauses: readonly Clause[], upTo = text.length): Found {
  const list = words(text, upTo)
  const codes = firstCodes(clauses)
  const counts = clauses.map(() => 0)
  const first = clauses.map(() => -1)
  const ranges: Range[] = []
  for (let at = 0; at < list.length; at++) {
    if (!codes.has(list.firstCode(at))) continue
    let longest = 0
    for (const [index, clause] of clauses.entries()) {
      const length = matchLength(clause, list, at)
      if (length === 0) continue
      counts[index] = (counts[index] ?? 0) + 1
      if (first[index] === -1) first[index] = at
      longest = Math.max(longest, length)
    }
    if (longest > 0) addRange(ranges, { start: list.start(at), end: list.end(at + longest - 1) })
  }
  const places = first.filter((place) => place >= 0)
  const spread = places.length < 2 ? 0 : Math.max(...places) - Math.min(...places) - places.length + 1
  return { ranges, counts, spread: Math.max(0, spread), wordCount: list.length }
}

/** Whether every clause occurs. */
export function matches(text: string, clauses: readonly Clause[]): boolean {
  return find(text, clauses).counts.every((count) => count > 0)
}

function addRange(ranges: Range[], range: Range): void {
  const last = ranges.at(-1)
  if (last === undefined || range.start >= last.end) ranges.push(range)
  else if (range.end > last.end) ranges[ranges.length - 1] = { start: last.start, end: range.end }
}

/**
 * Relevance and recency in one number. Every candidate holds every clause, so rarity says nothing here; what tells them
 * apart is how often, in how long a text, how close together, and how long ago.
 */
export function score(found: Found, ageMs: number): number {
  const norm = K1 * (1 - B + (B * found.wordCount) / AVERAGE_WORDS)
  const frequency = found.counts.reduce((sum, count) => sum + (count * (K1 + 1)) / (count + norm), 0) / Math.max(1, found.counts.length)
  const proximity = found.counts.length > 1 ? PROXIMITY_WEIGHT / (1 + found.spread) : 0
  return frequency + proximity + RECENCY_WEIGHT * 2 ** (-Math.max(0, ageMs) / DAY_MS / HALF_LIFE_DAYS)
}

export interface Candidate {
  readonly text: string
  readonly createdAt: number
}

/** The best of the candidates first; among equals the newer, which is the order they come in. */
export function rank<C extends Candidate>(
  candidates: readonly C[],
  clauses: readonly Clause[],
  now: number
): { readonly candidate: C; readonly found: Found }[] {
  return candidates
    .map((candidate, order) => {
      const found = find(candidate.text, clauses, SCORED_LENGTH)
      return { candidate, found, order, score: score(found, now - candidate.createdAt) }
    })
    .sort((a, b) => b.score - a.score || a.order - b.order)
}

/** About 160 characters around the first hits, as pieces. Line ends and runs of spaces are one space. */
export function snippet(text: string, clauses: readonly Clause[], found: Found): SearchHit['snippet'] {
  const ranges = found.ranges.length > 0 || text.length <= SCORED_LENGTH ? found.ranges : find(text, clauses).ranges
  const first = ranges[0] ?? { start: 0, end: 0 }
  const { start, end } = windowAround(text, first)
  const pieces: { text: string; hit: boolean }[] = []
  let at = start
  for (const range of ranges) {
    if (range.start >= end) break
    if (range.start > at) pieces.push({ text: text.slice(at, range.start), hit: false })
    pieces.push({ text: text.slice(range.start, Math.min(range.end, end)), hit: true })
    at = Math.min(range.end, end)
  }
  if (at < end) pieces.push({ text: text.slice(at, end), hit: false })
  if (start > 0) pieces.unshift({ text: '…', hit: false })
  if (end < text.length) pieces.push({ text: '…', hit: false })
  return joined(pieces)
}

/** Begins a little before the first hit and never inside a word or a surrogate pair. */
function windowAround(text: string, first: Range): Range {
  let start = Math.max(0, first.start - LEAD)
  if (start > 0) {
    const space = text.slice(start, first.start).search(/\s/)
    start = space === -1 ? whole(text, start) : start + space + 1
  }
  let end = Math.min(text.length, Math.max(start + SNIPPET_LENGTH, Math.min(first.end, first.start + SNIPPET_LENGTH)))
  if (end < text.length) {
    const back = text.slice(start, end).search(/\s\S*$/)
    end = back > 0 && start + back > first.end ? start + back : whole(text, end)
  }
  return { start, end }
}

function whole(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}

function joined(pieces: readonly { text: string; hit: boolean }[]): SearchHit['snippet'] {
  const out: { text: string; hit: boolean }[] = []
  for (const piece of pieces) {
    const text = piece.text.replace(/\s+/g, ' ')
    const last = out.at(-1)
    if (last !== undefined && last.hit === piece.hit) last.text += text
    else if (text !== '') out.push({ text, hit: piece.hit })
  }
  return out
}
