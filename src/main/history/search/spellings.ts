// The ways one word may be written: numbers with and without separators, German umlauts and their two letters. A query asks
// for all of them, so the index needs to hold each text only as it stands.
import { fold, type WordList } from './words.ts'

/** Some words of a query and the ways to read them; each way is a row of words as typed, unstemmed. */
export interface Spelling {
  /** How many words of the query it reads. */
  readonly length: number
  readonly raw: readonly string[]
  /** At most 1: less for what was not typed so, but may be meant. */
  readonly weight: number
}

const DIGITS = /^[1-9]\d{3,11}$/
const GROUP = /^\d{3}$/
const FIRST_GROUP = /^[1-9]\d{0,2}$/
/** Between groups of three digits: 1,200 1.200 1'200 1’200, and the spaces that do not break. */
const GROUPING: ReadonlySet<string> = new Set([',', '.', "'", '\u2019', '\u00a0', '\u202f'])
const UMLAUTS: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue' }
/** Two letters that may stand for an umlaut: not after a vowel or q (neue, queue), not at the end (value). */
const TWO_LETTERS = /(?<![aeiouq])([aou])e(?=[a-z])/g
/** Shorter ones (does, poem, fuel) are hardly ever meant so. */
const MIN_UMLAUT_LENGTH = 5
const OTHER_UMLAUTS = 0.6

/** How the words from `at` on may be read; the first is as typed. */
export function spellingsAt(list: WordList, text: string, at: number): Spelling[] {
  const raw = list.raw(at)
  const out: Spelling[] = [{ length: 1, raw: [raw], weight: 1 }]
  const grouped = groupedNumber(list, text, at)
  if (grouped !== null) out.push(grouped)
  if (DIGITS.test(raw)) out.push({ length: 1, raw: raw.replace(/(?!^)(?=(?:\d{3})+$)/g, ' ').split(' '), weight: 1 })
  const other = otherUmlauts(raw, text.slice(list.start(at), list.end(at)))
  if (other !== raw) out.push({ length: 1, raw: [other], weight: OTHER_UMLAUTS })
  return out
}

/** `1,200` as 1200: all the groups of a number, from its first. */
function groupedNumber(list: WordList, text: string, at: number): Spelling | null {
  const goesOn = (from: number): boolean =>
    from >= 0 && GROUP.test(list.raw(from + 1)) && GROUPING.has(text.slice(list.end(from), list.start(from + 1)))
  if (!FIRST_GROUP.test(list.raw(at)) || (goesOn(at - 1) && /^\d{1,3}$/.test(list.raw(at - 1)))) return null
  let end = at
  while (goesOn(end)) end += 1
  if (end === at) return null
  return { length: end - at + 1, raw: [Array.from({ length: end - at + 1 }, (_, offset) => list.raw(at + offset)).join('')], weight: 1 }
}

function otherUmlauts(raw: string, written: string): string {
  const lower = written.toLowerCase().normalize('NFC')
  if (/[äöü]/.test(lower)) return fold(lower.replace(/[äöü]/g, (letter) => UMLAUTS[letter] ?? letter))
  return raw.length < MIN_UMLAUT_LENGTH ? raw : raw.replace(TWO_LETTERS, '$1')
}
