// Which of the newest matches comes first, and the piece of text that shows why. Pure: the index finds, this decides.
import type { SearchHit } from '../../../shared/domain.ts'
import { firstCodes, matchAt, type Clause } from './query.ts'
import { skim, skimText, type Occurrence, type SkimText } from './skim.ts'
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
const AVERAGE_LENGTH = 400
/** Of a word and the space behind it, on average. */
const WORD_LENGTH = 6

export interface Range {
  readonly start: number
  readonly end: number
}

export interface Found {
  /** What matched, in order, without overlaps. */
  readonly ranges: readonly Range[]
  /** Every match of every clause, in the order of the text. */
  readonly occurrences: readonly Occurrence[]
}

/** Looks for the clauses in a text, word by word; `upTo` bounds the work. */
export function find(text: string, clauses: readonly Clause[], upTo = text.length): Found {
  const list = words(text, upTo)
  const codes = firstCodes(clauses)
  const occurrences: Occurrence[] = []
  const ranges: Range[] = []
  for (let at = 0; at < list.length; at++) {
    if (!codes.has(list.firstCode(at))) continue
    let longest = 0
    for (const [index, clause] of clauses.entries()) {
      const match = matchAt(clause, list, at)
      if (match === null) continue
      occurrences.push({ clause: index, at: list.start(at), weight: match.weight })
      longest = Math.max(longest, match.length)
    }
    if (longest > 0) addRange(ranges, { start: list.start(at), end: list.end(at + longest - 1) })
  }
  return { ranges, occurrences }
}

/** Whether every clause occurs; `skimmed`, where it is at hand, saves the closer look. */
export function matches(text: string, clauses: readonly Clause[], skimmed?: SkimText): boolean {
  if (skimmed?.plain === true && text.length <= SCORED_LENGTH) {
    const seen = skim(skimmed, clauses)
    if (seen !== null) return seen.length > 0
  }
  const { occurrences } = find(text, clauses)
  return clauses.every((_, index) => occurrences.some((one) => one.clause === index))
}

function addRange(ranges: Range[], range: Range): void {
  const last = ranges.at(-1)
  if (last === undefined || range.start >= last.end) ranges.push(range)
  else if (range.end > last.end) ranges[ranges.length - 1] = { start: last.start, end: range.end }
}

/** What a score is made of. */
export interface Scored {
  readonly occurrences: readonly Occurrence[]
  /** Of the text that was looked at, UTF-16 code units. */
  readonly length: number
  readonly clauses: number
}

/**
 * Relevance and recency in one number. Every candidate holds every clause, so rarity says nothing here; what tells them
 * apart is how often, in how long a text, how close together, and how long ago.
 */
export function score({ occurrences, length, clauses }: Scored, ageMs: number): number {
  const norm = K1 * (1 - B + (B * length) / AVERAGE_LENGTH)
  const counts = new Float64Array(clauses)
  for (const { clause, weight } of occurrences) counts[clause] = (counts[clause] ?? 0) + weight
  let frequency = 0
  for (const count of counts) frequency += (count * (K1 + 1)) / (count + norm)
  const proximity = clauses > 1 ? PROXIMITY_WEIGHT / (1 + gapWords(occurrences, clauses)) : 0
  return frequency / Math.max(1, clauses) + proximity + RECENCY_WEIGHT * 2 ** (-Math.max(0, ageMs) / DAY_MS / HALF_LIFE_DAYS)
}

/** About how many other words stand in the shortest piece of the text that holds every clause. */
function gapWords(occurrences: readonly Occurrence[], clauses: number): number {
  const last = Array.from({ length: clauses }, () => -1)
  let [seen, shortest] = [0, Number.MAX_SAFE_INTEGER]
  for (const { clause, at } of occurrences.toSorted((a, b) => a.at - b.at)) {
    if (last[clause] === -1) seen += 1
    last[clause] = at
    if (seen === clauses) shortest = Math.min(shortest, at - Math.min(...last))
  }
  // Found beyond what is scored: far apart, as far as anybody can tell.
  return seen < clauses ? Number.MAX_SAFE_INTEGER : Math.max(0, Math.round(shortest / WORD_LENGTH) - clauses + 1)
}

export interface Candidate {
  readonly text: string
  readonly createdAt: number
  /** The text's beginning, made ready for scoring; kept by whoever shows the same message again and again. */
  readonly skimmed?: SkimText
}

/** The part of a text that is scored. */
export function scoredPart(text: string): SkimText {
  return skimText(text.length > SCORED_LENGTH ? text.slice(0, SCORED_LENGTH) : text)
}

/** The best of the candidates first; among equals the newer, which is the order they come in. */
export function rank<C extends Candidate>(candidates: readonly C[], clauses: readonly Clause[], now: number): C[] {
  return candidates
    .map((candidate, order) => ({ candidate, order, score: scoreOf(candidate, clauses, now) }))
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map(({ candidate }) => candidate)
}

function scoreOf(candidate: Candidate, clauses: readonly Clause[], now: number): number {
  const skimmed = candidate.skimmed ?? scoredPart(candidate.text)
  const occurrences = skim(skimmed, clauses) ?? find(candidate.text, clauses, SCORED_LENGTH).occurrences
  return score({ occurrences, length: Math.min(candidate.text.length, SCORED_LENGTH), clauses: clauses.length }, now - candidate.createdAt)
}

/** About 160 characters around the first hits, as pieces. Line ends and runs of spaces are one space. */
export function snippet(text: string, clauses: readonly Clause[]): SearchHit['snippet'] {
  const near = find(text, clauses, SCORED_LENGTH).ranges
  const ranges = near.length > 0 || text.length <= SCORED_LENGTH ? near : find(text, clauses).ranges
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
