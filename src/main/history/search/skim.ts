// Where the clauses of a search occur in a text, for its score: by the engine's own string search, an order of magnitude
// quicker than making every word. What it can't tell for certain it leaves to the exact look (`find`).
import { weightOf, type Clause, type Phrase } from './query.ts'
import { fold, singular } from './words.ts'

/** One place where a clause matched; `at` in UTF-16 code units. */
export interface Occurrence {
  readonly clause: number
  readonly at: number
  readonly weight: number
}

/** More of one clause add nothing to a score. */
const MAX_OCCURRENCES = 24
/** As in words.ts: longer words are known by their beginning. */
const MAX_TOKEN_LENGTH = 64
const NOT_ASCII = /[^\u0000-\u007f]/ // oxlint-disable-line no-control-regex -- the range is what is asked for
const MAY_HOLD_COMPOUNDS = /[a-z0-9]['-][a-z0-9]/

/** A text as the quick search wants it. Made once per text. */
export interface SkimText {
  readonly folded: string
  /** What is found here is there. */
  readonly plain: boolean
  /** What is not found here is not there. */
  readonly exact: boolean
}

export function skimText(text: string): SkimText {
  const folded = fold(text)
  const plain = !NOT_ASCII.test(text)
  return { folded, plain, exact: plain && !MAY_HOLD_COMPOUNDS.test(folded) }
}

/** The places, clause by clause; null where only the exact look can tell. */
export function skim({ folded, exact }: SkimText, clauses: readonly Clause[]): Occurrence[] | null {
  const found: Occurrence[] = []
  for (let index = 0; index < clauses.length; index++) {
    const before = found.length
    for (const phrase of clauses[index]?.phrases ?? []) addPlaces(found, folded, { phrase, clause: index })
    if (found.length === before) return exact ? [] : null
  }
  return found
}

/** Letters and digits of ASCII, and what is beyond it but no punctuation: a script without spaces needs the exact look. */
function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code > 0xbf && (code < 0x2000 || code > 0x206f))
}

function wordEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && isWordCode(text.charCodeAt(at))) at += 1
  return at
}

function addPlaces(found: Occurrence[], text: string, { phrase, clause }: { readonly phrase: Phrase; readonly clause: number }): void {
  const first = phrase.tokens[0] ?? ''
  // A plural begins with its singular, but for the y that became ies.
  const needle = first.endsWith('y') ? first.slice(0, -1) : first
  if (needle === '') return
  let count = 0
  for (let at = text.indexOf(needle); at !== -1 && count < MAX_OCCURRENCES; at = text.indexOf(needle, at + needle.length)) {
    if (at > 0 && isWordCode(text.charCodeAt(at - 1))) continue
    const weight = weightFrom(text, at, phrase)
    if (weight === 0) continue
    count += 1
    found.push({ clause, at, weight })
  }
}

function weightFrom(text: string, from: number, phrase: Phrase): number {
  const { tokens } = phrase
  let at = from
  for (let index = 0; ; index++) {
    const end = wordEnd(text, at)
    const token = singular(text.slice(at, Math.min(end, at + MAX_TOKEN_LENGTH)))
    if (index === tokens.length - 1) return weightOf(phrase, token)
    if (token !== tokens[index]) return 0
    at = end
    while (at < text.length && !isWordCode(text.charCodeAt(at))) at += 1
    if (at >= text.length) return 0
  }
}
